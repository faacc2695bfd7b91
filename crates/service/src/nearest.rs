//! The word that was meant where another was written: for errors that suggest one.

/// The known name that `text` is most likely a misspelling of.
pub(crate) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase().replace('-', "_");
    known
        .map(|name| (strsim::damerau_levenshtein(&text, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= distance_max(name.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// One slip in a short name, two in a long one: beyond that it is another word.
fn distance_max(name_bytes: usize) -> usize {
    if name_bytes < 6 { 1 } else { 2 }
}

//! The index of words: what is in it of each entry, and what a search asks it. PostgreSQL's own
//! parsers and dictionaries have no part in it: words are made here, of texts and of searches in
//! the same way, and as in a file.

mod window;

use unicode_normalization::char::decompose_canonical;

use crate::ledger::Entry;
use crate::store::search::WORD_CHARS_MAX;
use crate::store::{Search, marks};
use window::{any, quoted};

pub(super) use window::Window;

/// All of an entry: the words of both texts, and its marks, with a space between them.
pub(super) fn of(entry: &Entry, rewritten: &str, row: i64) -> String {
    let mut words = words(&entry.text);
    words.extend(self::words(rewritten));
    words.extend(entry.region.as_deref().map(marks::of_region));
    words.extend(entry.arc.as_deref().map(marks::of_arc));
    words.extend([marks::of_time(entry.game_us), marks::of_days(entry.game_us)]);
    words.extend(window::marks_of(row));
    words.join(" ")
}

/// A query of the index for what a search finds in a window. Every word and mark is in quotes, so
/// that nothing in it is an operator.
pub(super) fn matching(search: &Search, window: &Window) -> String {
    let words = search.words.iter().map(|word| folded(word)).filter(|word| !word.is_empty());
    let region = search.region.as_deref().map(marks::of_region);
    let arc = search.arc.as_deref().map(marks::of_arc);
    let all = words.chain(region).chain(arc).map(|word| quoted(&word));
    let Search { from_us, to_us, .. } = *search;
    let spans = marks::of_stretch(from_us, to_us)
        .map(|spans| any(spans.iter().map(|span| quoted(span)).collect()));
    all.chain(spans).chain(window.term()).collect::<Vec<_>>().join(" & ")
}

/// The words of a text, as `query_words` has those of a search.
fn words(text: &str) -> Vec<String> {
    let text = folded(text);
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(WORD_CHARS_MAX).collect()).collect()
}

/// Lower case, and Latin letters without their diacritics, as `remove_diacritics 2` of FTS5 has it:
/// `Köln` is found by `koln`.
fn folded(text: &str) -> String {
    let letters = text.chars().filter(|c| !('\u{300}'..='\u{331}').contains(c));
    letters.map(base).flat_map(char::to_lowercase).collect()
}

fn base(c: char) -> char {
    let mut base = None;
    decompose_canonical(c, |part| {
        base.get_or_insert(part);
    });
    match base {
        Some(base) if base.is_ascii_alphabetic() => base,
        // Lower-case letters with another form that is theirs in searches.
        _ => match c {
            'ς' => 'σ',
            'ſ' => 's',
            'µ' => 'μ',
            _ => c,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::query_words;

    proptest! {
        #[test]
        fn text_has_every_word_of_a_search_for_it(text in "[a-zäößİŁéế ,.'&|!:*()]{0,60}") {
            if let Ok(searched) = query_words(&text) {
                let words = words(&text);
                let has = |word: &String| words.contains(&folded(word));
                prop_assert!(searched.iter().all(has), "{words:?}");
            }
        }
    }

    #[test]
    fn letters_are_folded_as_in_a_file() {
        assert_eq!(words("Der KÖLN-Zug, „Ångström“ ế"), ["der", "koln", "zug", "angstrom", "e"]);
        assert_eq!(
            words("Ko\u{308}ln Straße Łódź ΟΔΟΣ οδος"),
            ["koln", "straße", "łodz", "οδοσ", "οδοσ"]
        );
        assert_eq!(words("İstanbul Йод"), ["istanbul", "йод"]);
    }

    #[test]
    fn no_sign_of_a_word_is_an_operator() {
        let search = Search { words: vec!["a' | 'b\\".to_owned()], ..Search::default() };
        assert_eq!(matching(&search, &Window::All), "'a'' | ''b\\\\'");
    }
}

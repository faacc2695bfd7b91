//! The words of texts and of searches, as they are compared: in a file by FTS5, else here. Not
//! here: an index of them.

use unicode_normalization::char::decompose_canonical;

use super::search::WORD_CHARS_MAX;

/// The words of a text, as `query_words` has those of a search.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = folded(text);
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(WORD_CHARS_MAX).collect()).collect()
}

/// Lower case, and Latin letters without their diacritics, as `remove_diacritics 2` of FTS5 has it:
/// `Köln` is found by `koln`.
pub(super) fn folded(text: &str) -> String {
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
}

//! What is searched for, and the words of a search. Not here: finding it.

use super::Found;

/// Words of a search.
const WORD_COUNT_MAX: usize = 16;
/// Characters of a search.
const QUERY_CHARS_MAX: usize = 400;
/// Characters of a word that are looked at.
pub(super) const WORD_CHARS_MAX: usize = 40;
/// The significance from which on entries have an index of their own.
pub(super) const NOTABLE: u16 = 400;

/// A search for entries; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    /// Each must be in the text; lower case.
    pub(crate) words: Vec<String>,
    /// Where.
    pub(crate) region: Option<String>,
    /// Game time from which on.
    pub(crate) from_us: Option<i64>,
    /// Game time before which.
    pub(crate) to_us: Option<i64>,
    /// The arc that they belong to.
    pub(crate) arc: Option<String>,
    /// The least significance.
    pub(crate) significance_min: u16,
    /// In which order.
    pub(crate) order: Order,
    /// As many.
    pub(crate) limit: usize,
    /// Behind this.
    pub(crate) after: Option<Cursor>,
}

/// The order of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// The best matches first; without words the latest.
    #[default]
    Best,
    /// The latest first.
    Latest,
    /// The earliest first.
    Earliest,
    /// The most significant first.
    Significance,
}

/// Where a result is in its order: what is compared first, then the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    /// A score or a game time.
    pub(crate) key: i64,
    /// The row.
    pub(crate) row: i64,
}

/// Some of the results.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// In order.
    pub(crate) found: Vec<Found>,
    /// There are more.
    pub(crate) more: bool,
}

/// The words of a search in lower case, each once. Whatever else is in the text separates words:
/// no sign is an operator.
///
/// # Errors
/// It is too long.
pub(crate) fn query_words(text: &str) -> Result<Vec<String>, String> {
    let chars = text.chars().count();
    let mut words: Vec<String> = Vec::new();
    let mut count = 0;
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word: String = word.chars().take(WORD_CHARS_MAX).flat_map(char::to_lowercase).collect();
        count += 1;
        if words.len() <= WORD_COUNT_MAX && !words.contains(&word) {
            words.push(word);
        }
    }
    if chars > QUERY_CHARS_MAX || words.len() > WORD_COUNT_MAX {
        return Err(format!(
            "expected at most {WORD_COUNT_MAX} different words and {QUERY_CHARS_MAX} characters, \
             found {count} words and {chars} characters"
        ));
    }
    Ok(words)
}

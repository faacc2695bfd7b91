//! The index of words: what is in it of each entry, and what a search asks it. PostgreSQL's own
//! parsers and dictionaries have no part in it: words are made here, of texts and of searches in
//! the same way, and as in a file.

mod window;

use crate::ledger::Entry;
use crate::store::words::{folded, words};
use crate::store::{Search, marks};
use window::{any, quoted};

pub(super) use window::Window;

/// All of an entry: the words of both texts, and its marks, with a space between them.
pub(super) fn of(entry: &Entry, rewritten: &str, row: i64) -> String {
    let mut words = words(&entry.text);
    words.extend(crate::store::words::words(rewritten));
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
    let spans = marks::of_short_stretch(from_us, to_us);
    let spans = spans
        .or_else(|| marks::of_stretch(from_us, to_us))
        .map(|spans| any(spans.iter().map(|span| quoted(span)).collect()));
    all.chain(spans).chain(window.term()).collect::<Vec<_>>().join(" & ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_of_a_word_is_an_operator() {
        let search = Search { words: vec!["a' | 'b\\".to_owned()], ..Search::default() };
        assert_eq!(matching(&search, &Window::All), "'a'' | ''b\\\\'");
    }
}

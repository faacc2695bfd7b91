//! How well a text matches words. BM25 without the rarity of words: every match has all of them, so
//! rarity would be the same for all. Not here: which texts match.

use super::Found;
use super::search::{Order, Page, Search};

/// Matches of words that are looked at: the most significant ones.
pub(super) const CANDIDATE_COUNT_MAX: usize = 1_000;
/// How fast more of the same word counts less, and how much length counts: the usual values.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// Words of a usual entry.
const WORDS_USUAL: f64 = 14.0;
/// The score of a perfect match, before its significance of 0 to 1000 is added.
const MATCH_MAX: f64 = 1000.0;

/// The score of a match: how well it matches, and how much it matters.
pub(super) fn score(found: &Found, words: &[String]) -> i64 {
    let own = relevance(&found.entry.text, words);
    let rewritten = found.rewritten.as_ref().map_or(0.0, |(text, _)| relevance(text, words));
    let best = own.max(rewritten);
    (best * MATCH_MAX).round() as i64 + i64::from(found.entry.significance)
}

/// Matches in the order of a search, as a page behind its cursor.
pub(super) fn page(mut found: Vec<Found>, search: &Search) -> Page {
    for found in &mut found {
        found.cursor.key = match search.order {
            Order::Best => score(found, &search.words),
            Order::Significance => i64::from(found.entry.significance),
            Order::Latest | Order::Earliest => found.entry.game_us,
        };
    }
    if search.order == Order::Earliest {
        found.retain(|found| search.after.is_none_or(|after| found.cursor > after));
        found.sort_by_key(|found| found.cursor);
    } else {
        found.retain(|found| search.after.is_none_or(|after| found.cursor < after));
        found.sort_by_key(|found| std::cmp::Reverse(found.cursor));
    }
    let more = found.len() > search.limit;
    found.truncate(search.limit);
    Page { found, more }
}

/// 0 to 1.
fn relevance(text: &str, words: &[String]) -> f64 {
    let text: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let length = K1 * (1.0 - B + B * text.len() as f64 / WORDS_USUAL);
    let of_word = |word: &String| {
        // One that matched by its base letters alone counts once.
        let count = text.iter().filter(|other| *other == word).count().max(1) as f64;
        count / (count + length)
    };
    words.iter().map(of_word).sum::<f64>() / words.len().max(1) as f64
}

//! Windows: the rows from one on, by marks that each entry has in the index of words. A window has
//! all rows above some row and perhaps some below, so that the first thousand in it are the first
//! of all. Not here: which window a search needs (`by_words`).
//!
//! ```text
//! row of an entry: significance | number, the highest first
//! its marks: every level up to its own (a level is 50 of significance): a window is one mark;
//!            its significance and the block of its number, where a level has too much
//! ```

use crate::store::marks::MARK;
use crate::store::stored::NUMBER_BITS;

/// The significance that a level has.
const LEVEL: i64 = 50;
const SIGNIFICANCE_MAX: i64 = 1_000;
/// Bits of an entry's number that are not in its block.
const BLOCK_BITS: u32 = 13;
/// Blocks that a window names; of more all are read.
const BLOCK_COUNT_MAX: i64 = 32;

/// Some of the rows, from the highest down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::postgres) enum Window {
    /// All rows.
    All,
    /// Those of a level and above.
    Level(i64),
    /// Those from a row on, of which the last number is known.
    From(i64, i64),
}

impl Window {
    /// The whole levels that a significance is in or below of.
    pub(in crate::store::postgres) fn of_significance(significance: u16) -> Self {
        match i64::from(significance) / LEVEL {
            0 => Self::All,
            level => Self::Level(level),
        }
    }

    /// The lowest row of a row's level.
    pub(in crate::store::postgres) fn level_begins(row: i64) -> i64 {
        ((row >> NUMBER_BITS) / LEVEL * LEVEL) << NUMBER_BITS
    }

    /// What an entry must have to be in it.
    pub(super) fn term(&self) -> Option<String> {
        match *self {
            Self::All => None,
            Self::Level(level) => Some(quoted(&of_level(level))),
            Self::From(row, last_number) => Some(any(from(row, last_number))),
        }
    }
}

/// Higher levels, higher significances, and of its own the blocks from its own on.
fn from(row: i64, last_number: i64) -> Vec<String> {
    let significance = row >> NUMBER_BITS;
    let next = (significance / LEVEL + 1) * LEVEL;
    let mut terms = vec![quoted(&of_level(next / LEVEL))];
    let higher = (significance + 1..next).take_while(|higher| *higher <= SIGNIFICANCE_MAX);
    terms.extend(higher.map(|higher| quoted(&of_significance(higher))));
    let (first, last) = (number(row) >> BLOCK_BITS, last_number >> BLOCK_BITS);
    let own = quoted(&of_significance(significance));
    terms.push(match last - first < BLOCK_COUNT_MAX {
        // What was written since the last number was read is not in it: it is as if it came later.
        true => {
            let blocks = (first..=last.max(first)).map(|block| quoted(&of_block(block)));
            format!("({own} & {})", any(blocks.collect()))
        }
        false => own,
    });
    terms
}

/// One of the terms, which are not none.
pub(super) fn any(terms: Vec<String>) -> String {
    format!("({})", terms.join(" | "))
}

/// A word as a term: nothing in it is an operator.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

/// The marks of an entry for its row.
pub(super) fn marks_of(row: i64) -> impl Iterator<Item = String> {
    let significance = row >> NUMBER_BITS;
    let levels = (1..=significance / LEVEL).map(of_level);
    levels.chain([of_significance(significance), of_block(number(row) >> BLOCK_BITS)])
}

fn of_level(level: i64) -> String {
    format!("{MARK}l{level}")
}

fn of_significance(significance: i64) -> String {
    format!("{MARK}s{significance}")
}

fn of_block(block: i64) -> String {
    format!("{MARK}b{block}")
}

fn number(row: i64) -> i64 {
    row & ((1 << NUMBER_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::stored::row_of;

    /// Whether an entry is in a window, as the index decides: any term, or both of a pair.
    fn is_in(terms: &[String], row: i64) -> bool {
        let marks: Vec<String> = marks_of(row).map(|mark| quoted(&mark)).collect();
        let has = |term: &str| marks.iter().any(|mark| mark == term);
        terms.iter().any(|term| match term.trim_matches(['(', ')']).split_once(" & (") {
            Some((own, blocks)) => has(own) && blocks.split(" | ").any(has),
            None => has(term),
        })
    }

    fn rows() -> impl Strategy<Value = (u16, i64)> {
        (prop_oneof![0..=1000_u16, Just(100), 95..105_u16], 0..600_000_i64)
    }

    proptest! {
        #[test]
        fn window_has_every_row_from_its_first_on_and_none_below_its_block(
            first in rows(), other in rows()
        ) {
            let (row, another) = (row_of(first.0, first.1), row_of(other.0, other.1));
            let terms = from(row, 600_000);
            prop_assert!(is_in(&terms, row));
            let is_near = other.0 == first.0 && (first.1 - other.1 <= 1 << BLOCK_BITS
                || first.1 < 600_000 - ((BLOCK_COUNT_MAX - 1) << BLOCK_BITS));
            prop_assert!(is_in(&terms, another) == (another >= row) || is_near);
            prop_assert!(another < row || is_in(&terms, another));
        }

        #[test]
        fn level_has_every_row_of_its_significance_and_above(first in rows(), other in rows()) {
            let Window::Level(level) = Window::of_significance(first.0) else { return Ok(()) };
            let row = row_of(other.0, other.1);
            let mut marks = marks_of(row);
            let begins = Window::level_begins(row_of(first.0, first.1));
            prop_assert_eq!(marks.any(|mark| mark == of_level(level)), row >= begins);
        }
    }
}

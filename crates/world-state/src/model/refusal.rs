//! Why a step is not taken: which part of it, what was expected, what was found.

use std::fmt;

/// What a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A value is not possible. Correct it.
    Invalid,
    /// Read the entity, then decide again: its version or a field is not as the step expects.
    Conflict,
    /// A limit is reached. Make room.
    Limit,
    /// The idempotency key came with other changes before. Take another key.
    KeyReused,
    /// Too much waits for the bus. Try again later.
    Later,
}

/// A step that was not taken. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {detail}")]
pub struct Refusal {
    /// What a caller can do.
    pub why: Why,
    /// The part of the step: `changes[3].entity`.
    pub at: String,
    /// What was expected, and what was found.
    pub detail: String,
}

impl Refusal {
    /// A refusal of the part `at`.
    pub fn new(why: Why, at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { why, at: at.into(), detail: detail.into() }
    }

    /// A value that is not possible.
    pub fn invalid(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Why::Invalid, at, detail)
    }

    /// A part of a change.
    pub(crate) fn of_change(why: Why, index: usize, part: &str, detail: impl fmt::Display) -> Self {
        Self::new(why, format!("changes[{index}].{part}"), detail.to_string())
    }
}

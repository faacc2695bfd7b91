//! Why something did not come about, in words that name what to do next.

use std::fmt;

/// What the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Ask otherwise: nothing was done.
    WrongUse,
    /// Sign in: nothing was done.
    Credentials,
    /// AWS does not answer: try again.
    Unreachable,
    /// AWS refused or failed; the words name what is there now, if anything was begun.
    Failed,
}

/// Why something did not come about.
#[derive(Debug, Clone)]
pub struct Error {
    /// What the caller can do about it.
    pub kind: Kind,
    words: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    pub(crate) fn wrong_use(words: impl Into<String>) -> Self {
        Self::new(Kind::WrongUse, words)
    }

    pub(crate) fn failed(words: impl Into<String>) -> Self {
        Self::new(Kind::Failed, words)
    }

    /// The same with more behind it.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.words.push_str(more);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Error {}

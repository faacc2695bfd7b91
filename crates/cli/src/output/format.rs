//! How a command writes its result where there are two ways: for people, and for programs.

use clap::ValueEnum;
use serde_json::Value;

/// How to write a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// JSON, for programs
    Json,
}

impl Format {
    /// The page of a result, by one of two ways.
    pub(crate) fn page(self, document: &Value, text: impl FnOnce() -> String) -> String {
        match self {
            Self::Text => text(),
            Self::Json => format!("{document:#}\n"),
        }
    }

    /// A line of a result that comes bit by bit, without its end.
    pub(crate) fn line(self, document: &Value, text: impl FnOnce() -> String) -> String {
        match self {
            Self::Text => text(),
            Self::Json => document.to_string(),
        }
    }
}

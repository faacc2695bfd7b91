//! `--color`: whether what is for people may have colours.

use clap::ValueEnum;

use worldbus_service::colour;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Wherever it goes
    Always,
    /// Not at all
    Never,
}

impl Color {
    /// Decides it for results, logs and errors of this process.
    pub(crate) fn decide(self) {
        match self {
            Self::Auto => {}
            Self::Always => colour::decide(true),
            Self::Never => colour::decide(false),
        }
    }
}

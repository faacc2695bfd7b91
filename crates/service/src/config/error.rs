//! What can be wrong with a configuration, with the place to correct.

use std::path::Path;

use super::setting::{Origin, Setting};
use crate::Secret;
use crate::nearest::nearest;
use crate::secret::masked;

/// What kind of mistake it was. All are refused before anything is started: correct and rerun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The file cannot be read or is not TOML.
    File,
    /// The file has a key that no setting has.
    UnknownKey,
    /// A variable `WORLDBUS_*` looks like a misspelt setting.
    UnknownVariable,
    /// A value that its setting cannot take.
    Invalid,
}

/// A mistake in the configuration; its text names the place and what was expected.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: Kind,
    text: String,
}

impl Error {
    pub(super) fn new(kind: Kind, text: String) -> Self {
        Self { kind, text }
    }

    /// What kind of mistake it was.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn file(path: &Path, line: Option<usize>, reason: &str) -> Self {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        Self::new(Kind::File, format!("{}{line}: {reason}", path.display()))
    }

    pub(super) fn unknown_key(
        path: &Path,
        line: usize,
        key: &str,
        declared: &[Setting],
        elsewhere: &[Setting],
    ) -> Self {
        let names: Vec<&str> = declared.iter().map(|setting| setting.name).collect();
        let known = names.iter().copied().chain(elsewhere.iter().map(|setting| setting.name));
        let hint = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", names.join(", ")),
        };
        let place = format!("{}:{line}", path.display());
        Self::new(Kind::UnknownKey, format!("{place}: unknown key `{key}`; {hint}"))
    }

    pub(super) fn unknown_variable(variable: &str, near: &str) -> Self {
        let text = format!(
            "environment variable {variable} is unknown; did you mean {near}? \
             (unset it if it is meant for something else)"
        );
        Self::new(Kind::UnknownVariable, text)
    }

    /// A value that is not of the setting's type.
    pub(super) fn invalid(
        setting: &Setting,
        texts: &[String],
        origin: &Origin,
        reason: &str,
    ) -> Self {
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        Self::not_valid(setting, texts, origin, &reason, setting.expected)
    }

    /// A value of the setting's type that is out of its range.
    pub(super) fn out_of_range(
        setting: &Setting,
        texts: &[String],
        origin: &Origin,
        expected: &str,
    ) -> Self {
        Self::not_valid(setting, texts, origin, "", expected)
    }

    fn not_valid(
        setting: &Setting,
        texts: &[String],
        origin: &Origin,
        reason: &str,
        expected: &str,
    ) -> Self {
        let shown = match setting.secret {
            true => Secret::MASK.to_owned(),
            false => texts.iter().map(|text| masked(text)).collect::<Vec<_>>().join(", "),
        };
        let text = format!(
            "setting `{}` from {origin}: `{shown}` is not valid{reason}; expected {expected}",
            setting.name
        );
        Self::new(Kind::Invalid, text)
    }

    pub(super) fn undeclared(name: &str, reason: &str) -> Self {
        Self::new(Kind::Invalid, format!("setting `{name}` is not declared: {reason}"))
    }
}

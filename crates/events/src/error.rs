//! The error of this crate: bytes or values that are not what the contract states.

use std::fmt;

/// What was wrong. All of them are final: the same input fails again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes are not what their content type states. Set them aside; do not retry.
    Malformed,
    /// A bound of [`crate::limits`] is exceeded. Send less at once, or make the event smaller.
    TooLarge,
    /// The event type is not in the catalogue. Load the catalogue that has it.
    UnknownEventType,
    /// The payload does not fit the event type. Correct it.
    WrongPayload,
    /// The content type is not one of ours.
    UnknownContentType,
    /// A catalogue of event types cannot be used. Correct its .proto files.
    WrongCatalogue,
}

/// Why bytes or values were refused, and where. Its `Debug` is a sentence, too: that is what a
/// `main` prints that returns it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    context: String,
}

impl Error {
    /// An error of a kind; `context` states what was found and what was expected.
    pub fn new(kind: Kind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into() }
    }

    #[cold]
    pub(crate) fn malformed(context: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, context)
    }

    #[cold]
    pub(crate) fn too_large(what: &str, found: usize, max: usize) -> Self {
        Self::new(Kind::TooLarge, format!("{what}: {found} is more than {max}"))
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Malformed => "malformed",
            Kind::TooLarge => "too large",
            Kind::UnknownEventType => "unknown event type",
            Kind::WrongPayload => "wrong payload",
            Kind::UnknownContentType => "unknown content type",
            Kind::WrongCatalogue => "wrong catalogue",
        };
        write!(f, "{kind}: {}", self.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

//! The error of the bus: what the caller can do, and whether the thing may have happened.

use std::convert::Infallible;
use std::fmt;

/// Whether what was asked for happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It did not happen and the same call will not succeed. Correct the cause.
    Refused,
    /// It did not happen; the same call may succeed later.
    Retry,
    /// It may have happened. Retrying is safe with the same event ids, since duplicates are
    /// dropped; giving up may leave the events published.
    Unknown,
}

/// What is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A name, a number or bytes are not valid. Correct them.
    Invalid,
    /// An event or a batch exceeds a bound of the transport. Make it smaller.
    TooLarge,
    /// The transport lacks the capability. Choose another transport or do without.
    Unsupported,
    /// A topic, subscription or file is not there.
    NotFound,
    /// The API key is missing or wrong.
    Unauthorized,
    /// The lease went to somebody else or ended. The delivery will come again, or did.
    LeaseLost,
    /// No space is left on the disk. Make room; then the same call succeeds.
    Full,
    /// Another process has what is asked for, e.g. the data directory. Stop that one.
    InUse,
    /// The engine cannot be reached.
    Unavailable,
    /// The engine did not answer in time.
    Timeout,
    /// What is stored is damaged. Nothing of it is served; restore it from a copy.
    Damaged,
    /// The bus was closed.
    Closed,
}

/// Why a call of the bus failed. Its `Debug` is a sentence, too: that is what a `main` prints that
/// returns it.
#[derive(Clone)]
pub struct Error {
    kind: Kind,
    fate: Fate,
    context: String,
}

impl Error {
    /// An error that did not happen and will not.
    pub fn refused(kind: Kind, context: impl Into<String>) -> Self {
        Self { kind, fate: Fate::Refused, context: context.into() }
    }

    /// An error that did not happen but may later.
    pub fn retry(kind: Kind, context: impl Into<String>) -> Self {
        Self { kind, fate: Fate::Retry, context: context.into() }
    }

    /// An error after which the thing may have happened.
    pub fn unknown(kind: Kind, context: impl Into<String>) -> Self {
        Self { kind, fate: Fate::Unknown, context: context.into() }
    }

    /// What is in the way.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it happened.
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// Whether a refusal is about the events in a batch: they, and nothing else, are refused for
    /// ever, perhaps not all of them. Anything else, as a wrong key, is about the engine and mends
    /// with it.
    pub(crate) fn is_of_the_events(&self) -> bool {
        self.fate == Fate::Refused && matches!(self.kind, Kind::Invalid | Kind::TooLarge)
    }

    /// The same error with another fate, for who knows more: an error of an attempt that
    /// follows an unknown one is itself unknown.
    pub fn with_fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    /// What was found and what to do, for people.
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = match self.fate {
            Fate::Refused => "refused",
            Fate::Retry => "it may succeed later",
            Fate::Unknown => "it may have happened",
        };
        write!(f, "{} ({:?}; {fate})", self.context, self.kind)
    }
}

impl std::error::Error for Error {}

/// For what is taken as it is or parsed, such as URLs.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<worldbus_events::Error> for Error {
    fn from(error: worldbus_events::Error) -> Self {
        let kind = match error.kind() {
            worldbus_events::Kind::TooLarge => Kind::TooLarge,
            _ => Kind::Invalid,
        };
        Self::refused(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_that_ends_main_reads_as_a_sentence() {
        let error = Error::retry(Kind::Unavailable, "http://127.0.0.1:7070 does not answer");
        let expected = "http://127.0.0.1:7070 does not answer (Unavailable; it may succeed later)";
        assert_eq!(format!("Error: {error:?}"), format!("Error: {expected}"));
    }
}

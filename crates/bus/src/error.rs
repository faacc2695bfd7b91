//! The error of the bus: what the caller can do, whether the thing may have happened, and what
//! caused it.
//!
//! Its text is a whole sentence for people, the cause in it as far as they need it. The causes
//! themselves stand behind it as [`std::error::Error::source`], for programs that look for one.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

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
    /// The lease went to another consumer or ended. The delivery will come again, or did.
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
    /// Shared, since one error may be the answer to many events.
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error that did not happen and will not.
    pub fn refused(kind: Kind, context: impl Into<String>) -> Self {
        Self::new(kind, Fate::Refused, context.into())
    }

    /// An error that did not happen but may later.
    pub fn retry(kind: Kind, context: impl Into<String>) -> Self {
        Self::new(kind, Fate::Retry, context.into())
    }

    /// An error after which the thing may have happened.
    pub fn unknown(kind: Kind, context: impl Into<String>) -> Self {
        Self::new(kind, Fate::Unknown, context.into())
    }

    fn new(kind: Kind, fate: Fate, context: String) -> Self {
        Self { kind, fate, context, source: None }
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

    /// The same error with what caused it, as its source. The text stays.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The same error, of the same kind and fate, in the words of a caller who knows more of what
    /// was tried: a whole sentence again. The one before is its source.
    #[must_use]
    pub fn with_context(self, context: impl Into<String>) -> Self {
        let (kind, fate) = (self.kind, self.fate);
        Self::new(kind, fate, context.into()).with_source(self)
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error and those beneath it in one sentence, down to one of the bus, whose text is whole. A
/// cause whose words stand there already is left out.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = below(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = below(error);
    }
    text
}

/// The cause of an error that is not one of the bus.
fn below<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    if error.is::<Error>() { None } else { error.source() }
}

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
        Self::refused(kind, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests;

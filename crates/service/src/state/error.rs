//! What can go wrong with the state store, by what the caller can do about it.

/// What became of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It did not happen and never will in this form.
    Refused,
    /// It did not happen and may later.
    Retry,
    /// It may have happened: read before writing again.
    Unknown,
}

/// What the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The URL names a store that we do not have. Correct the URL.
    Unsupported,
    /// The store cannot be opened there: no permission, not a directory. Correct path or rights.
    Unopenable,
    /// A newer worldbus wrote the store. Run that version or use another data directory.
    Newer,
    /// The store is damaged, or not a store of ours. Restore it from a copy.
    Damaged,
    /// A key or value over its named limit.
    TooLarge,
    /// A value that has no stored form. Nothing was written; report it, it is a fault of ours.
    Unencodable,
    /// Another process holds the store. Try again.
    Busy,
    /// The disk is full. Make room; the store goes on by itself.
    Full,
    /// The disk failed. Read before writing again.
    Io,
}

/// A failure of the state store. Its text states what to do.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Error {
    kind: Kind,
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this kind, described by `context`.
    pub fn new(kind: Kind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What became of the operation.
    pub fn fate(&self) -> Fate {
        match self.kind {
            Kind::Busy | Kind::Full => Fate::Retry,
            Kind::Io => Fate::Unknown,
            _ => Fate::Refused,
        }
    }
}

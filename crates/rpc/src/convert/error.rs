//! Errors. One that a newer peer sends with an unknown kind or fate becomes the most careful
//! one that is known.

use crate::v1;
use worldbus_bus::{Error, Fate, Kind};

impl From<&Error> for v1::Error {
    fn from(error: &Error) -> Self {
        Self {
            kind: kind(error.kind()).into(),
            fate: fate(error.fate()).into(),
            context: error.context().to_owned(),
        }
    }
}

impl From<v1::Error> for Error {
    fn from(message: v1::Error) -> Self {
        let kind = match message.kind() {
            v1::ErrorKind::Invalid => Kind::Invalid,
            v1::ErrorKind::TooLarge => Kind::TooLarge,
            v1::ErrorKind::Unsupported => Kind::Unsupported,
            v1::ErrorKind::NotFound => Kind::NotFound,
            v1::ErrorKind::Unauthorized => Kind::Unauthorized,
            v1::ErrorKind::LeaseLost => Kind::LeaseLost,
            v1::ErrorKind::Full => Kind::Full,
            v1::ErrorKind::InUse => Kind::InUse,
            v1::ErrorKind::Unspecified | v1::ErrorKind::Unavailable => Kind::Unavailable,
            v1::ErrorKind::Timeout => Kind::Timeout,
            v1::ErrorKind::Damaged => Kind::Damaged,
            v1::ErrorKind::Closed => Kind::Closed,
        };
        match message.fate() {
            v1::Fate::Refused => Self::refused(kind, message.context),
            v1::Fate::Retry => Self::retry(kind, message.context),
            v1::Fate::Unspecified | v1::Fate::Unknown => Self::unknown(kind, message.context),
        }
    }
}

fn kind(kind: Kind) -> v1::ErrorKind {
    match kind {
        Kind::Invalid => v1::ErrorKind::Invalid,
        Kind::TooLarge => v1::ErrorKind::TooLarge,
        Kind::Unsupported => v1::ErrorKind::Unsupported,
        Kind::NotFound => v1::ErrorKind::NotFound,
        Kind::Unauthorized => v1::ErrorKind::Unauthorized,
        Kind::LeaseLost => v1::ErrorKind::LeaseLost,
        Kind::Full => v1::ErrorKind::Full,
        Kind::InUse => v1::ErrorKind::InUse,
        Kind::Unavailable => v1::ErrorKind::Unavailable,
        Kind::Timeout => v1::ErrorKind::Timeout,
        Kind::Damaged => v1::ErrorKind::Damaged,
        Kind::Closed => v1::ErrorKind::Closed,
        _ => v1::ErrorKind::Unspecified,
    }
}

fn fate(fate: Fate) -> v1::Fate {
    match fate {
        Fate::Refused => v1::Fate::Refused,
        Fate::Retry => v1::Fate::Retry,
        Fate::Unknown => v1::Fate::Unknown,
    }
}

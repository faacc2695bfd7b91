//! Names of topics and subscriptions, checked once.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Kind};

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;
/// Bytes of an invalid name that its refusal repeats.
const SHOWN_BYTES_MAX: usize = 80;

fn check(what: &str, name: &str) -> Result<(), Error> {
    let letters = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !letters {
        let shown = &name[..name.floor_char_boundary(SHOWN_BYTES_MAX)];
        let context = format!(
            "{what} {shown:?}: expected 1 to {NAME_BYTES_MAX} of the characters a-z 0-9 - _"
        );
        return Err(Error::refused(Kind::Invalid, context));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Arc<str>);

        impl $type {
            /// A name of 1 to 64 of the characters a-z 0-9 - _.
            ///
            /// # Errors
            /// `Invalid` for any other text.
            pub fn new(name: &str) -> Result<Self, Error> {
                check($what, name)?;
                Ok(Self(Arc::from(name)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self, Error> {
                Self::new(name)
            }
        }
    };
}

name! {
    /// The name of a topic: a stream owned by one publishing service, e.g. `weather`.
    Topic, "topic"
}
name! {
    /// The name of a subscription: a durable queue of one consuming service.
    SubscriptionName, "subscription"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_name_is_repeated_in_part() {
        let error = Topic::new(&"ü".repeat(10_000)).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.context().len() < 200, "{} bytes", error.context().len());
    }
}

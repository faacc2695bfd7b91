//! Bus types to messages, which cannot fail, and messages to bus types, which checks them.

mod catalogue;
mod describe;
mod error;
mod lease;
mod log;
mod spec;
mod stored;

use worldbus_bus::{Error, Kind};

pub use describe::capabilities;
pub use lease::outcome;
pub use stored::batch;

fn invalid(context: impl Into<String>) -> Error {
    Error::refused(Kind::Invalid, context)
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, Error> {
    value.ok_or_else(|| invalid(format!("{what} is missing in the message")))
}

#[cfg(test)]
mod tests;

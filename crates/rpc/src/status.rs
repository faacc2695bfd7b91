//! The bus's error as a gRPC status and back. The status code is for clients that know only
//! gRPC; ours reads kind and fate from the trailing metadata and restores the error exactly.

use prost::Message;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::v1;
use worldbus_bus::{Error, Fate, Kind};

/// The trailing metadata that carries an encoded `worldbus.bus.v1.Error`.
pub const ERROR_METADATA: &str = "worldbus-error-bin";

/// Bytes of an error's text on the wire. HTTP/2 peers bound their headers.
pub const CONTEXT_BYTES_MAX: usize = 2048;

/// The status for an error.
pub fn to_status(error: &Error) -> Status {
    let context = cut(error.context());
    let mut message = v1::Error::from(error);
    message.context = context.to_owned();
    let mut status = Status::new(code(error), context);
    let value = MetadataValue::from_bytes(&message.encode_to_vec());
    status.metadata_mut().insert_bin(ERROR_METADATA, value);
    status
}

/// The error that a status carries; `None` if it is not from an event-bus but from what lies
/// between.
pub fn from_status(status: &Status) -> Option<Error> {
    let value = status.metadata().get_bin(ERROR_METADATA)?.to_bytes().ok()?;
    v1::Error::decode(value).ok().map(Error::from)
}

fn cut(context: &str) -> &str {
    let mut end = context.len().min(CONTEXT_BYTES_MAX);
    while !context.is_char_boundary(end) {
        end -= 1;
    }
    &context[..end]
}

fn code(error: &Error) -> Code {
    match error.kind() {
        Kind::Invalid => Code::InvalidArgument,
        Kind::TooLarge => Code::OutOfRange,
        Kind::Unsupported => Code::Unimplemented,
        Kind::NotFound => Code::NotFound,
        Kind::Unauthorized => Code::Unauthenticated,
        Kind::LeaseLost => Code::FailedPrecondition,
        Kind::Full => Code::ResourceExhausted,
        Kind::InUse => Code::Aborted,
        Kind::Timeout => Code::DeadlineExceeded,
        Kind::Damaged => Code::DataLoss,
        Kind::Closed | Kind::Unavailable => Code::Unavailable,
        _ if error.fate() == Fate::Refused => Code::FailedPrecondition,
        _ => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests;

//! What a failed call means: the event-bus's own error if it sent one, else what its absence
//! implies about whether the call happened.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, ConnectError, Response, Status};

use worldbus_bus::{Error, Fate, Kind};
use worldbus_rpc::from_status;

/// Makes a call that changes something; its outcome is unknown if it breaks off.
pub(crate) async fn change<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Error> {
    match timeout(limit, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(error(&status)),
        Err(_) => Err(late(limit)),
    }
}

/// The error of a call that changes something and was not answered in time.
pub(crate) fn late(limit: Duration) -> Error {
    let context = format!("the event-bus did not answer within {} ms", limit.as_millis());
    Error::unknown(Kind::Timeout, context)
}

/// Makes a call that changes nothing, or the same if repeated: broken off, it may be repeated.
pub(crate) async fn ask<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Error> {
    change(limit, call).await.map_err(repeatable)
}

/// The error of a stream that broke off; reading may go on elsewhere.
pub(crate) fn broken(status: &Status) -> Error {
    repeatable(error(status))
}

fn repeatable(error: Error) -> Error {
    match error.fate() {
        Fate::Unknown => error.with_fate(Fate::Retry),
        _ => error,
    }
}

/// The error of a call that broke off: whether it happened is unknown, unless the status shows it.
pub(crate) fn error(status: &Status) -> Error {
    if let Some(error) = from_status(status) {
        return error;
    }
    let message = status.message();
    match status.code() {
        Code::Unauthenticated => Error::refused(
            Kind::Unauthorized,
            format!(
                "the event-bus refuses the API key: {message}; \
                 set WORLDBUS_API_KEY to the key that the event-bus was started with"
            ),
        ),
        Code::PermissionDenied => Error::refused(
            Kind::Unauthorized,
            format!("the event-bus refuses this client: {message}"),
        ),
        Code::Unimplemented => Error::refused(
            Kind::Unsupported,
            "what answers there is not a Worldbus event-bus, or one of another version: \
             correct WORLDBUS_URL (an event-bus listens on port 7070 by default)",
        ),
        Code::OutOfRange => {
            Error::refused(Kind::TooLarge, format!("larger than the event-bus takes: {message}"))
        }
        _ => {
            let causes = with_causes(status);
            let error = if not_connected(status) {
                Error::retry(Kind::Unavailable, format!("no event-bus answers: {causes}"))
            } else {
                let context = format!("the connection to the event-bus broke: {causes}");
                Error::unknown(Kind::Unavailable, context)
            };
            error.with_source(status.clone())
        }
    }
}

/// Whether there was no connection, so that nothing was sent.
fn not_connected(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn with_causes(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

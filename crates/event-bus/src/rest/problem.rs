//! Errors of the contract and of the bus as problem documents.

use http::StatusCode;

use worldbus_bus::{Fate, Kind};
use worldbus_service::Problem;

/// What was wrong with an event that a client sent.
pub(super) fn of_input(error: &worldbus_events::Error) -> Problem {
    use worldbus_events::Kind;
    let detail = error.to_string();
    match error.kind() {
        Kind::UnknownEventType => Problem::unprocessable(detail).with_field("type"),
        Kind::WrongPayload => Problem::unprocessable(detail).with_field("payload"),
        Kind::TooLarge => Problem::too_large(detail),
        _ => Problem::unprocessable(detail),
    }
}

/// What the bus could not do.
pub(super) fn of_bus(error: &worldbus_bus::Error) -> Problem {
    tracing::debug!(%error, kind = ?error.kind(), fate = ?error.fate(), "request failed");
    let detail = error.to_string();
    match (error.kind(), error.fate()) {
        (Kind::TooLarge, _) => Problem::too_large(detail),
        (Kind::Invalid, _) => Problem::unprocessable(detail),
        (Kind::NotFound, _) => Problem::not_found(detail),
        (Kind::Unsupported, _) => Problem::new(StatusCode::NOT_IMPLEMENTED, detail),
        (Kind::Damaged, _) => Problem::internal("what is stored is damaged; see the log"),
        (_, Fate::Unknown) => {
            let text = format!("{detail}; the event may have been published or not");
            Problem::outcome_unknown(text)
        }
        (Kind::Full, _) => Problem::no_space(detail),
        _ => Problem::unavailable(detail),
    }
}

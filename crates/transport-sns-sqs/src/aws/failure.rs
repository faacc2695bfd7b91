//! What a failed call of AWS means: whether it happened, and what to do.

use std::error::Error as StdError;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

use worldbus_aws::Missing;
use worldbus_bus::{Error, Fate, Kind};

/// The error of a call that changes something; `what` is e.g. `delete from` and a queue.
pub(crate) fn change<E, R>(what: &str, error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let ours = match &error {
        SdkError::ServiceError(service) => {
            let service = service.err();
            let code = service.code().unwrap_or("unknown error");
            of_code(what, code, service.message().unwrap_or("no message"))
        }
        unanswered => without_answer(what, unanswered),
    };
    ours.with_source(error)
}

fn without_answer<E, R>(what: &str, error: &SdkError<E, R>) -> Error
where
    E: StdError + 'static,
    R: std::fmt::Debug + 'static,
{
    let (missing, why) = worldbus_aws::missing(error);
    let context = format!("{what}: {why}");
    match (missing, error) {
        (Missing::Credentials, _) => Error::refused(Kind::Unauthorized, context),
        (Missing::Connection, _) => Error::retry(Kind::Unavailable, context),
        (Missing::Answer, SdkError::TimeoutError(_)) => Error::unknown(Kind::Timeout, context),
        (Missing::Answer, _) => Error::unknown(Kind::Unavailable, context),
    }
}

/// The error of a call that changes nothing, or the same if repeated: broken off, it may be
/// repeated.
pub(crate) fn ask<E, R>(what: &str, error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let error = change(what, error);
    if error.fate() == Fate::Unknown { error.with_fate(Fate::Retry) } else { error }
}

/// The error of one entry of a batch call.
pub(crate) fn of_entry(what: &str, code: &str, message: Option<&str>, sender_fault: bool) -> Error {
    let error = of_code(what, code, message.unwrap_or("no message"));
    // The entry itself is wrong, by a code of AWS that we do not know.
    if sender_fault && error.kind() == Kind::Unavailable && !is_throttling(code) {
        return Error::refused(Kind::Invalid, error.context());
    }
    error
}

fn of_code(what: &str, code: &str, message: &str) -> Error {
    let context = format!("{what}: {code}: {message}");
    let word = code.rsplit('.').next().unwrap_or(code);
    match word {
        "NotFound"
        | "NotFoundException"
        | "NonExistentQueue"
        | "QueueDoesNotExist"
        | "ResourceNotFoundException" => Error::refused(
            Kind::NotFound,
            format!("{context}; `worldbus topology diff` shows what is missing in this region"),
        ),
        "RequestExpired" | "RequestTimeTooSkewed" | "SignatureDoesNotMatch" => Error::refused(
            Kind::Unauthorized,
            format!("{context}; compare this machine's clock with the time, and the secret key"),
        ),
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "KmsAccessDenied"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException" => Error::refused(
            Kind::Unauthorized,
            format!("{context}; check the credentials and the rights of their role"),
        ),
        "ReceiptHandleIsInvalid" | "MessageNotInflight" => Error::refused(Kind::LeaseLost, context),
        "BatchRequestTooLong" | "MessageTooLong" => Error::refused(Kind::TooLarge, context),
        _ if word.starts_with("Invalid") || word.starts_with("Validation") => {
            Error::refused(Kind::Invalid, context)
        }
        _ if is_throttling(word) => Error::retry(Kind::Unavailable, context),
        _ => Error::unknown(Kind::Unavailable, context),
    }
}

fn is_throttling(code: &str) -> bool {
    code.contains("Throttl") || matches!(code, "TooManyRequestsException" | "OverLimit")
}

/// The error of every call after `close`.
pub(crate) fn closed() -> Error {
    Error::refused(Kind::Closed, "the connection to SNS and SQS was closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_what_can_be_done() {
        for (code, kind, fate) in [
            ("AWS.SimpleQueueService.NonExistentQueue", Kind::NotFound, Fate::Refused),
            ("NotFound", Kind::NotFound, Fate::Refused),
            ("AccessDenied", Kind::Unauthorized, Fate::Refused),
            ("RequestTimeTooSkewed", Kind::Unauthorized, Fate::Refused),
            ("Throttling", Kind::Unavailable, Fate::Retry),
            ("ThrottledException", Kind::Unavailable, Fate::Retry),
            ("RequestThrottled", Kind::Unavailable, Fate::Retry),
            ("InternalError", Kind::Unavailable, Fate::Unknown),
            ("InvalidParameterValue", Kind::Invalid, Fate::Refused),
            ("AWS.SimpleQueueService.BatchRequestTooLong", Kind::TooLarge, Fate::Refused),
            ("ReceiptHandleIsInvalid", Kind::LeaseLost, Fate::Refused),
        ] {
            let error = of_code("call", code, "why");
            assert_eq!((error.kind(), error.fate()), (kind, fate), "{code}");
            assert!(error.context().contains(code), "{error}");
        }
    }

    #[test]
    fn entry_that_is_at_fault_is_not_tried_again() {
        let fate = |code, fault| of_entry("call", code, None, fault).fate();
        assert_eq!(fate("Strange", true), Fate::Refused);
        assert_eq!(fate("Strange", false), Fate::Unknown);
        assert_eq!(fate("Throttling", true), Fate::Retry);
    }
}

//! What a failed call of DynamoDB means: whether it happened, and what to do.

use worldbus_aws::{CallError, Missing};
use worldbus_service::state::{Error, Kind};

/// The error of a call that reads.
pub(crate) fn reading(table: &str, error: CallError) -> Error {
    to_error(table, &error, Kind::Busy)
}

/// The error of a call that writes: without an answer it may have happened.
pub(crate) fn writing(table: &str, error: CallError) -> Error {
    to_error(table, &error, Kind::Io)
}

/// `unanswered` is what a call without an answer is.
fn to_error(table: &str, error: &CallError, unanswered: Kind) -> Error {
    let what = format!("state table {table}");
    let (kind, context) = match error {
        CallError::Refused { code, message, .. } => of_code(&what, code, message, unanswered),
        CallError::Silent(missing, why) => {
            let kind = match missing {
                Missing::Credentials => Kind::Unopenable,
                Missing::Connection => Kind::Busy,
                Missing::Answer => unanswered,
            };
            (kind, format!("{what}: {why}"))
        }
    };
    Error::new(kind, context)
}

fn of_code(what: &str, code: &str, message: &str, unanswered: Kind) -> (Kind, String) {
    let text = format!("{what}: {code}: {message}");
    match code {
        "ResourceNotFoundException" => (
            Kind::Unopenable,
            format!(
                "{text}; the table does not exist in this region: deploy it, correct the name, or \
                 have it created by ?create=true (WORLDBUS_STATE_URL)"
            ),
        ),
        "ValidationException" => (
            Kind::Damaged,
            format!("{text}; the table is not one of ours, with the keys part and name"),
        ),
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignatureException"
        | "ExpiredTokenException"
        | "KMSAccessDeniedException" => (
            Kind::Unopenable,
            format!(
                "{text}; the role needs dynamodb:GetItem, Query, PutItem, UpdateItem and \
                 DeleteItem on the table, and a clock that is right"
            ),
        ),
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "LimitExceededException" => (Kind::Busy, format!("{text}; it is tried again")),
        _ => (unanswered, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_what_can_be_done() {
        for (code, kind, hint) in [
            ("ResourceNotFoundException", Kind::Unopenable, "create=true"),
            ("AccessDeniedException", Kind::Unopenable, "GetItem"),
            ("ThrottlingException", Kind::Busy, "again"),
            ("ValidationException", Kind::Damaged, "keys"),
            ("InternalServerError", Kind::Io, "InternalServerError"),
        ] {
            let (found, text) = of_code("state table t", code, "text", Kind::Io);
            assert_eq!(found, kind, "{code}");
            assert!(text.contains(hint) && text.contains("state table t"), "{text}");
        }
    }
}

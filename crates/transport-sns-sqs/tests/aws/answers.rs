//! What AWS may answer: throttling, faults of the server, silence, a clock that differs.

use crate::peer::{Answer, Call, entries, published, sns_error, transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use worldbus_bus::{Fate, Kind, Transport};
use worldbus_conformance::{batch, topic};

/// A script whose first answers are others.
fn at_first(
    times: u32,
    first: impl Fn(&Call) -> Answer + Send + Sync + 'static,
) -> (impl Fn(Call) -> Answer + Send + Sync + 'static, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let script = move |call: Call| match counted.fetch_add(1, Ordering::SeqCst) < times {
        true => first(&call),
        false => published(&entries(&call), &[]),
    };
    (script, calls)
}

async fn publish(
    script: impl Fn(Call) -> Answer + Send + Sync + 'static,
) -> Result<worldbus_bus::Appended, worldbus_bus::Error> {
    transport("", script).await.publish(&topic("time"), batch(1, 0..1)).await
}

#[tokio::test]
async fn throttling_and_faults_of_the_server_are_tried_again() {
    for (status, code) in [(400, "Throttling"), (500, "InternalError"), (503, "ServiceUnavailable")]
    {
        let (script, calls) = at_first(2, move |_| sns_error(status, code));
        publish(script).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 3, "{code}");
    }
}

#[tokio::test]
async fn entry_that_aws_says_nothing_of_is_sent_again() {
    let (script, calls) = at_first(1, |_| published(&[], &[]));
    publish(script).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn answer_that_is_cut_off_leaves_the_fate_unknown() {
    let (script, _) = at_first(u32::MAX, |_| Answer::Cut);
    let error = publish(script).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown), "{error}");
}

#[tokio::test]
async fn server_that_always_fails_leaves_the_fate_unknown() {
    let (script, calls) = at_first(u32::MAX, |_| sns_error(500, "InternalError"));
    let error = publish(script).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown), "{error}");
    assert!(calls.load(Ordering::SeqCst) <= 8, "attempts are bounded");
}

#[tokio::test]
async fn clock_that_differs_from_that_of_aws_is_named() {
    for code in ["RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch"] {
        let (script, _) = at_first(u32::MAX, move |_| sns_error(403, code));
        let error = publish(script).await.unwrap_err();
        assert_eq!((error.kind(), error.fate()), (Kind::Unauthorized, Fate::Refused), "{error}");
        assert!(error.to_string().contains("clock"), "{error}");
    }
}

#[tokio::test]
async fn right_that_is_missing_is_named() {
    let (script, _) = at_first(u32::MAX, |_| sns_error(403, "AuthorizationError"));
    let error = publish(script).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unauthorized, Fate::Refused), "{error}");
    for part in ["TIME_EVENTS_TOPIC_ARN", "rights"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

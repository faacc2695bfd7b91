//! What AWS may answer: throttling, faults of the server, silence, a clock that differs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::masks::message;
use crate::peer::{entries, published, sns_error, sqs_error, transport};
use worldbus_bus::{DeadEvent, Fate, Kind, Outcome, Position, Transport};
use worldbus_conformance::{batch, next, spec, topic};
use worldbus_testkit::{AwsAnswer, AwsCall};

/// A script whose first answers are others.
fn at_first(
    times: u32,
    first: impl Fn(&AwsCall) -> AwsAnswer + Send + Sync + 'static,
) -> (impl Fn(AwsCall) -> AwsAnswer + Send + Sync + 'static, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let script = move |call: AwsCall| match counted.fetch_add(1, Ordering::SeqCst) < times {
        true => first(&call),
        false => published(&entries(&call), &[]),
    };
    (script, calls)
}

async fn publish(
    script: impl Fn(AwsCall) -> AwsAnswer + Send + Sync + 'static,
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
async fn entry_that_aws_does_not_mention_is_sent_again() {
    let (script, calls) = at_first(1, |_| published(&[], &[]));
    publish(script).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn answer_that_is_cut_off_leaves_the_fate_unknown() {
    let (script, _) = at_first(u32::MAX, |_| AwsAnswer::Cut);
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

/// SQS counts a lease from when it answers, we from when we have the answer. What it gives again in
/// between is the second one's, whatever the first believes.
#[tokio::test]
async fn delivery_that_came_again_is_settled_by_its_last_receipt_only() {
    let receives = AtomicU64::new(0);
    let deleted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&deleted);
    let script = move |call: AwsCall| match call.action.as_str() {
        "ReceiveMessage" => {
            let time = receives.fetch_add(1, Ordering::Relaxed) + 1;
            let mut message = message(7);
            message["ReceiptHandle"] = json!(format!("receipt {time}"));
            message["Attributes"]["ApproximateReceiveCount"] = json!(time.to_string());
            let messages = if time <= 2 { vec![message] } else { Vec::new() };
            AwsAnswer::Say(200, json!({ "Messages": messages }).to_string())
        }
        "DeleteMessageBatch" => {
            let entries = call.json["Entries"].as_array().unwrap();
            let receipts = entries.iter().map(|entry| entry["ReceiptHandle"].clone());
            seen.lock().unwrap().extend(receipts);
            let taken: Vec<_> = entries.iter().map(|entry| json!({ "Id": entry["Id"] })).collect();
            AwsAnswer::Say(200, json!({ "Successful": taken, "Failed": [] }).to_string())
        }
        _ => sqs_error(403, "AccessDenied"),
    };
    let transport = transport("&pollers=1", script).await;
    let mut consumer = transport.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    let (first, again) = (next(&mut consumer).await, next(&mut consumer).await);
    assert_eq!((first.lease.attempt, again.lease.attempt), (1, 2));
    let settler = consumer.settler();
    let lost = settler.settle(&first.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    settler.settle(&again.lease, Outcome::Ack).await.unwrap();
    consumer.close().await.unwrap();
    assert_eq!(*deleted.lock().unwrap(), ["receipt 2"]);
}

/// So its role needs no right to list, nor to look at subscriptions.
#[tokio::test]
async fn consumer_that_knows_where_everything_is_looks_at_its_own_queue_and_no_further() {
    let calls = Arc::new(Mutex::new(BTreeSet::new()));
    let called = Arc::clone(&calls);
    let script = move |call: AwsCall| {
        called.lock().unwrap().insert(call.action.clone());
        if call.action == "ReceiveMessage" {
            return AwsAnswer::Say(200, "{}".to_owned());
        }
        let policy = json!({ "Statement": { "Effect": "Allow", "Action": "sqs:SendMessage" } });
        let attributes = json!({ "QueueArn": "arn:aws:sqs:x:1:s", "Policy": policy.to_string() });
        AwsAnswer::Say(200, json!({ "Attributes": attributes }).to_string())
    };
    let transport = transport("&pollers=1", script).await;
    let consumer = transport.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    while !calls.lock().unwrap().contains("ReceiveMessage") {
        tokio::task::yield_now().await;
    }
    consumer.close().await.unwrap();
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls, ["GetQueueAttributes", "ReceiveMessage"].map(str::to_owned).into());
}

/// X-Ray learns of a trace by a header of the request, of a dead letter's by a system attribute.
#[tokio::test]
async fn context_of_a_sampled_event_goes_with_every_request() {
    const HEADER: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const TRACEPARENT: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let given = AtomicU64::new(0);
    let script = move |call: AwsCall| {
        seen.lock().unwrap().push(call.clone());
        match call.action.as_str() {
            "PublishBatch" => published(&entries(&call), &[]),
            "ReceiveMessage" if given.fetch_add(1, Ordering::Relaxed) == 0 => {
                let mut theirs = message(7);
                theirs["Attributes"]["AWSTraceHeader"] = json!(HEADER);
                AwsAnswer::Say(200, json!({ "Messages": [theirs] }).to_string())
            }
            "ReceiveMessage" => AwsAnswer::Say(200, json!({ "Messages": [] }).to_string()),
            "SendMessageBatch" => {
                let sent = json!({ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "-" });
                AwsAnswer::Say(200, json!({ "Successful": [sent], "Failed": [] }).to_string())
            }
            _ => sqs_error(403, "AccessDenied"),
        }
    };
    let transport = transport("&pollers=1", script).await;
    let plain = batch(1, 0..1);
    transport.publish(&topic("t"), plain.clone()).await.unwrap();
    let sampled = plain.annotated("traceparent", TRACEPARENT);
    transport.publish(&topic("t"), sampled).await.unwrap();
    let mut consumer = transport.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let event = delivered.batch.iter().next().unwrap();
    assert_eq!(event.metadata().unwrap()["traceparent"], TRACEPARENT);
    let reason = "no".to_owned();
    let dead = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms: 1, last_failed_ms: 1 };
    consumer.settler().dead_letter(&delivered.lease, vec![dead]).await.unwrap();

    let calls = calls.lock().unwrap();
    let published = calls.iter().filter(|call| call.action == "PublishBatch");
    let headers: Vec<_> = published.map(|call| call.trace.as_deref()).collect();
    assert_eq!(headers, [None, Some(HEADER)]);
    let sent = calls.iter().find(|call| call.action == "SendMessageBatch").unwrap();
    let system = &sent.json["Entries"][0]["MessageSystemAttributes"];
    assert_eq!(system["AWSTraceHeader"]["StringValue"], HEADER);
}

/// What SQS answers who counts: eight in one queue, one of them hidden; another installation's
/// queue, which this role may not look at.
fn counted(call: &AwsCall) -> AwsAnswer {
    let url = |name| format!("http://127.0.0.1:1/1/{name}-events-dead-letters");
    if call.action == "ListQueues" {
        assert_eq!(call.json["QueueNamePrefix"], "x-");
        let work = "http://127.0.0.1:1/1/x-s-events".to_owned();
        let urls = json!({ "QueueUrls": [url("x-s"), url("x-y-s"), work] });
        return AwsAnswer::Say(200, urls.to_string());
    }
    assert_eq!(call.action, "GetQueueAttributes");
    if call.json["QueueUrl"] != url("x-s") {
        return sqs_error(403, "AccessDenied");
    }
    let held = json!({
        "ApproximateNumberOfMessages": "7",
        "ApproximateNumberOfMessagesNotVisible": "1",
    });
    AwsAnswer::Say(200, json!({ "Attributes": held }).to_string())
}

#[tokio::test]
async fn dead_letters_are_counted_by_what_their_queues_hold_and_once_for_all_who_ask() {
    let calls = Arc::new(AtomicU32::new(0));
    let called = Arc::clone(&calls);
    let script = move |call: AwsCall| {
        called.fetch_add(1, Ordering::SeqCst);
        counted(&call)
    };
    let transport = transport("", script).await;
    let asked = futures_util::future::join_all((0..50).map(|_| transport.dead_letter_count()));
    for count in asked.await {
        assert_eq!(count.unwrap(), Some(8));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn dead_letters_that_cannot_be_counted_are_unknown_and_aws_is_not_asked_again_at_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let called = Arc::clone(&calls);
    let script = move |_: AwsCall| {
        called.fetch_add(1, Ordering::SeqCst);
        sqs_error(403, "AccessDenied")
    };
    let transport = transport("", script).await;
    for _ in 0..50 {
        let error = transport.dead_letter_count().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unauthorized, "{error}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

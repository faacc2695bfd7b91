//! Of ten entries of a batch call any may fail: those are sent again, and no other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::json;

use crate::peer::{entries, published, sqs_error, transport};
use worldbus_bus::{Outcome, Position, Transport};
use worldbus_conformance::{batch, next, spec, topic};
use worldbus_testkit::{AwsAnswer, AwsCall};

const ENTRIES: u64 = 10;
const MASKS: u64 = 1 << ENTRIES;

/// By what was called on and what was sent: how often it came.
type Sent = Arc<Mutex<BTreeMap<(u64, String), u32>>>;

fn fails(mask: u64, entry: &str) -> bool {
    mask & (1 << entry.parse::<u64>().unwrap()) != 0
}

/// Each entry once, and those that failed once more.
fn assert_sent(sent: &Sent) {
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len() as u64, MASKS * ENTRIES);
    for ((mask, entry), times) in &*sent {
        assert_eq!(*times, 1 + u32::from(fails(*mask, entry)), "entry {entry} of mask {mask:#b}");
    }
}

fn number(text: &str) -> u64 {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// The task that makes the calls runs when all ten wait: one thread.
#[tokio::test]
async fn publish_sends_again_what_failed_and_nothing_else_for_every_mask() {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let script = move |call: AwsCall| {
        assert_eq!(call.action, "PublishBatch");
        // The topic is called by its mask.
        let mask = number(call.form["TopicArn"].rsplit(':').next().unwrap());
        let mut seen = seen.lock().unwrap();
        let (failed, taken): (Vec<_>, Vec<_>) = entries(&call).into_iter().partition(|id| {
            let times = seen.entry((mask, id.clone())).or_default();
            *times += 1;
            *times == 1 && fails(mask, id)
        });
        published(&taken, &failed)
    };
    let transport = transport("", script).await;
    for masks in (0..MASKS).collect::<Vec<_>>().chunks(128) {
        let all = masks.iter().flat_map(|&mask| (0..ENTRIES).map(move |entry| (mask, entry)));
        let publishes = all.map(|(mask, entry)| {
            let transport = &transport;
            async move {
                // Producers are numbered from 1.
                let published = batch(mask + 1, entry..entry + 1);
                transport.publish(&topic(&format!("t{mask}")), published).await
            }
        });
        assert!(join_all(publishes).await.iter().all(Result::is_ok));
    }
    assert_sent(&sent);
}

#[tokio::test]
async fn ack_deletes_again_what_failed_and_nothing_else_for_every_mask() {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let given = Mutex::new(BTreeMap::<u64, u64>::new());
    let script = move |call: AwsCall| match call.action.as_str() {
        "ReceiveMessage" => {
            let mask = number(call.json["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap());
            let mut given = given.lock().unwrap();
            let given = given.entry(mask).or_default();
            let count = call.json["MaxNumberOfMessages"].as_u64().unwrap().min(ENTRIES - *given);
            let messages: Vec<_> = (*given..*given + count).map(message).collect();
            *given += count;
            AwsAnswer::Say(200, json!({ "Messages": messages }).to_string())
        }
        "DeleteMessageBatch" => {
            let mask = number(call.json["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap());
            let (mut failed, mut taken) = (Vec::new(), Vec::new());
            for entry in call.json["Entries"].as_array().unwrap() {
                let receipt = entry["ReceiptHandle"].as_str().unwrap();
                let mut seen = seen.lock().unwrap();
                let times = seen.entry((mask, receipt.to_owned())).or_default();
                *times += 1;
                if *times == 1 && fails(mask, receipt) {
                    let code = "InternalError";
                    failed.push(json!({ "Id": entry["Id"], "Code": code, "SenderFault": false }));
                } else {
                    taken.push(json!({ "Id": entry["Id"] }));
                }
            }
            AwsAnswer::Say(200, json!({ "Successful": taken, "Failed": failed }).to_string())
        }
        // Who may not look at its queue is trusted.
        _ => sqs_error(403, "AccessDenied"),
    };
    let transport = transport("&pollers=1", script).await;
    for masks in (0..MASKS).collect::<Vec<_>>().chunks(64) {
        let acks = masks.iter().map(|mask| {
            let transport = &transport;
            async move {
                let spec = spec(&format!("s{mask}"), &["t"], Position::Now);
                let mut consumer = transport.subscribe(spec).await.unwrap();
                for _ in 0..ENTRIES {
                    let delivered = next(&mut consumer).await;
                    let settler = consumer.settler();
                    settler.settle(&delivered.lease, Outcome::Ack).await.unwrap();
                }
                consumer.close().await.unwrap();
            }
        });
        join_all(acks).await;
    }
    assert_sent(&sent);
}

pub(crate) fn message(number: u64) -> serde_json::Value {
    let body = worldbus_events::codec::encode(
        worldbus_events::ContentType::Json,
        &worldbus_conformance::typed(1, number..number + 1, 4711, None, 8),
        &worldbus_events::Catalogue::builtin(),
    );
    json!({
        "MessageId": format!("m{number}"),
        "ReceiptHandle": number.to_string(),
        "Body": String::from_utf8(body.unwrap().to_vec()).unwrap(),
        "Attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1" },
    })
}

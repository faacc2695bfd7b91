//! JSON arrays of events of several producers: one message, a delivery for each producer, and one
//! receipt for all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::clients::{connect, sqs};
use crate::peer::{sqs_error, transport};
use worldbus_bus::{
    Consumer, DeadContent, DeadEvent, Delivered, Kind, Outcome, Position, SubscriptionSpec,
    Transport,
};
use worldbus_conformance::{next, soon, spec, topic, typed};
use worldbus_events::{Catalogue, ContentType, codec};
use worldbus_testkit::{AwsAnswer, AwsCall, Emulator, EmulatorKind};
use worldbus_transport_sns_sqs::SnsSqs;

/// Producers of the array.
const PRODUCERS: u64 = 3;
/// Events of each.
const EVENTS: u64 = 4;

/// What a program that knows no batches sends: the events of all producers by turns.
fn array() -> String {
    let event = |producer: u64, sequence: u64| {
        let one = typed(producer, sequence..sequence + 1, 4711, Some("brussels"), 8);
        codec::encode(ContentType::Json, &one, &Catalogue::builtin()).unwrap()
    };
    let turns = (0..EVENTS).flat_map(|turn| (1..=PRODUCERS).map(move |of| event(of, turn)));
    let texts = turns.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    format!("[{}]", texts.collect::<Vec<_>>().join(","))
}

/// The producer of a part, whose events are all there and in order.
fn whole(delivered: &Delivered) -> u64 {
    assert_eq!(delivered.lease.topic, topic("weather"));
    let sequences: Vec<u64> = delivered.batch.iter().map(|event| event.id.sequence).collect();
    assert_eq!(sequences, (0..EVENTS).collect::<Vec<_>>());
    delivered.batch.iter().next().unwrap().id.producer.number()
}

async fn parts(consumer: &mut Box<dyn Consumer>) -> Vec<Delivered> {
    let mut parts = Vec::new();
    for _ in 0..PRODUCERS {
        parts.push(next(consumer).await);
    }
    assert_eq!(parts.iter().map(whole).collect::<Vec<_>>(), [1, 2, 3]);
    parts
}

async fn settle(consumer: &dyn Consumer, delivered: &Delivered, outcome: Outcome) {
    consumer.settler().settle(&delivered.lease, outcome).await.unwrap();
}

/// A queue of an emulator, which runs for as long, and what is in it.
struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
    _emulator: Emulator,
}

impl Queue {
    async fn open(emulator: Emulator, name: &str) -> Self {
        let sqs = sqs(&emulator);
        let url = sqs.get_queue_url().queue_name(name).send().await.unwrap();
        Self { url: url.queue_url().unwrap().to_owned(), sqs, _emulator: emulator }
    }

    async fn send(&self, body: String) {
        let send = self.sqs.send_message().queue_url(&self.url).message_body(body);
        send.send().await.unwrap();
    }

    /// Messages, hidden ones too.
    async fn count(&self) -> u64 {
        let request = self.sqs.get_queue_attributes().queue_url(&self.url);
        let all = request.attribute_names(aws_sdk_sqs::types::QueueAttributeName::All);
        let attributes = all.send().await.unwrap().attributes.unwrap();
        let visible = |name: &str| {
            let found = attributes.iter().find(|(found, _)| found.as_str() == name);
            found.unwrap().1.parse::<u64>().unwrap()
        };
        visible("ApproximateNumberOfMessages") + visible("ApproximateNumberOfMessagesNotVisible")
    }

    async fn is_empty_soon(&self) {
        soon("an empty queue", async {
            while self.count().await > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn weather() -> SubscriptionSpec {
    spec("s", &["weather"], Position::Now)
}

/// An array that was sent to the subscription of a consumer, at an emulator.
struct Sent {
    transport: SnsSqs,
    consumer: Box<dyn Consumer>,
    queue: Queue,
}

async fn sent(kind: EmulatorKind, prefix: &str, spec: SubscriptionSpec) -> Sent {
    let emulator = Emulator::start(kind);
    let transport = connect(&emulator, prefix, "&create=true").await;
    let consumer = transport.subscribe(spec).await.unwrap();
    let queue = Queue::open(emulator, &format!("{prefix}-s-events")).await;
    queue.send(array()).await;
    Sent { transport, consumer, queue }
}

/// A consumer that is given the array once, by a script, which notes the calls that settle it.
async fn given(calls: &Calls, spec: SubscriptionSpec) -> Box<dyn Consumer> {
    let transport = transport("&pollers=1", given_once(calls)).await;
    transport.subscribe(spec).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn array_of_three_producers_arrives_whole_and_goes_with_its_last_part() {
    for kind in [EmulatorKind::Ministack, EmulatorKind::Moto] {
        let Sent { transport, mut consumer, queue } = sent(kind, "array", weather()).await;
        let parts = parts(&mut consumer).await;
        for part in &parts[..2] {
            settle(&*consumer, part, Outcome::Ack).await;
        }
        // Longer than an ack waits for others.
        sleep(worldbus_transport_sns_sqs::ACK_LINGER * 2).await;
        assert_eq!(queue.count().await, 1, "deleted with a part left");
        settle(&*consumer, &parts[2], Outcome::Ack).await;
        queue.is_empty_soon().await;
        assert_eq!(transport.dead_letters(None, 10).await.unwrap(), []);
        consumer.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn part_that_fails_brings_the_array_again_after_its_delay() {
    const DELAY: Duration = Duration::from_secs(2);
    let Sent { mut consumer, queue, .. } = sent(EmulatorKind::Ministack, "again", weather()).await;
    let first = parts(&mut consumer).await;
    let failed = Instant::now();
    settle(&*consumer, &first[0], Outcome::Nack(DELAY)).await;
    settle(&*consumer, &first[1], Outcome::Ack).await;
    settle(&*consumer, &first[2], Outcome::Ack).await;
    let again = parts(&mut consumer).await;
    assert!(failed.elapsed() >= DELAY, "{:?}", failed.elapsed());
    for part in &again {
        assert_eq!(part.lease.attempt, 2);
        settle(&*consumer, part, Outcome::Ack).await;
    }
    queue.is_empty_soon().await;
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn part_whose_lease_ends_brings_the_array_again() {
    let lease = Duration::from_secs(1);
    let Sent { mut consumer, queue, .. } =
        sent(EmulatorKind::Ministack, "ended", SubscriptionSpec { lease, ..weather() }).await;
    let first = next(&mut consumer).await;
    settle(&*consumer, &first, Outcome::Ack).await;
    let stuck = next(&mut consumer).await;
    // The third waits all the while, and does not keep the lease.
    let settler = consumer.settler();
    soon("the end of the lease", async {
        while settler.dead_letter(&stuck.lease, Vec::new()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let lost = settler.settle(&stuck.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    let again = parts(&mut consumer).await;
    for part in &again {
        assert_eq!(part.lease.attempt, 2);
        settle(&*consumer, part, Outcome::Ack).await;
    }
    queue.is_empty_soon().await;
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_a_part_that_is_set_aside_keeps_its_identity_and_the_array_is_done() {
    let Sent { transport, mut consumer, queue } =
        sent(EmulatorKind::Ministack, "aside", weather()).await;
    let parts = parts(&mut consumer).await;
    let reason = "no such region".to_owned();
    let dead = DeadEvent { index: 2, reason, attempts: 3, first_failed_ms: 1, last_failed_ms: 2 };
    consumer.settler().dead_letter(&parts[1].lease, vec![dead]).await.unwrap();
    for part in &parts {
        settle(&*consumer, part, Outcome::Ack).await;
    }
    queue.is_empty_soon().await;
    let letters = transport.dead_letters(None, 10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    let DeadContent::Event(event) = &letter.content else { panic!("{letter:?}") };
    assert_eq!(*event, parts[1].batch.iter().nth(2).unwrap().to_game_event());
    assert_eq!((letter.event.index, letter.event.attempts), (2, 3));
    assert!(
        transport
            .replay_dead_letters(&weather().name, std::slice::from_ref(&letter.id))
            .await
            .is_ok()
    );
    let replayed = next(&mut consumer).await;
    assert_eq!(replayed.batch.iter().next().unwrap().to_game_event(), *event);
    settle(&*consumer, &replayed, Outcome::Ack).await;
    consumer.close().await.unwrap();
}

/// Another consumer has them at once, and it is not an attempt of theirs.
#[tokio::test(flavor = "multi_thread")]
async fn parts_that_wait_at_the_end_are_handed_back_and_those_that_are_held_stay_until_settled() {
    let Sent { transport, mut consumer, queue } =
        sent(EmulatorKind::Ministack, "close", weather()).await;
    let held = next(&mut consumer).await;
    let settler = consumer.settler();
    consumer.close().await.unwrap();
    let mut other = transport.subscribe(weather()).await.unwrap();
    settler.settle(&held.lease, Outcome::Ack).await.unwrap();
    for part in parts(&mut other).await {
        assert_eq!(part.lease.attempt, 1);
        settle(&*other, &part, Outcome::Ack).await;
    }
    queue.is_empty_soon().await;
    other.close().await.unwrap();
}

/// The calls that settle the array, which is given once.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

fn given_once(calls: &Calls) -> impl Fn(AwsCall) -> AwsAnswer + Send + Sync + 'static {
    let (calls, given) = (Arc::clone(calls), Mutex::new(false));
    move |call: AwsCall| match call.action.as_str() {
        "ReceiveMessage" if !std::mem::replace(&mut *given.lock().unwrap(), true) => {
            let system = json!({ "ApproximateReceiveCount": "1", "SentTimestamp": "1" });
            let message = json!({
                "MessageId": "m", "ReceiptHandle": "r", "Body": array(), "Attributes": system,
            });
            AwsAnswer::Say(200, json!({ "Messages": [message] }).to_string())
        }
        "ReceiveMessage" => AwsAnswer::Say(200, json!({ "Messages": [] }).to_string()),
        action @ ("DeleteMessageBatch" | "ChangeMessageVisibilityBatch") => {
            let entries = call.json["Entries"].as_array().unwrap();
            let mut calls = calls.lock().unwrap();
            calls.extend(entries.iter().map(|entry| (action.to_owned(), entry.clone())));
            let taken: Vec<_> = entries.iter().map(|entry| json!({ "Id": entry["Id"] })).collect();
            AwsAnswer::Say(200, json!({ "Successful": taken, "Failed": [] }).to_string())
        }
        _ => sqs_error(403, "AccessDenied"),
    }
}

/// How often each call was made.
fn counted(calls: &Calls) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (action, entry) in calls.lock().unwrap().iter() {
        assert_eq!(entry["ReceiptHandle"], "r");
        *counts.entry(action.clone()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn message_is_deleted_once_by_its_last_part() {
    let calls = Calls::default();
    let mut consumer = given(&calls, weather()).await;
    let parts = parts(&mut consumer).await;
    // In any order.
    for part in [&parts[2], &parts[0], &parts[1]] {
        assert_eq!(counted(&calls), [].into());
        settle(&*consumer, part, Outcome::Ack).await;
        let again = consumer.settler().settle(&part.lease, Outcome::Ack).await.unwrap_err();
        assert_eq!(again.kind(), Kind::LeaseLost);
    }
    consumer.close().await.unwrap();
    assert_eq!(counted(&calls), [("DeleteMessageBatch".to_owned(), 1)].into());
}

#[tokio::test]
async fn message_is_given_back_once_after_the_longest_delay_of_its_parts() {
    let calls = Calls::default();
    let mut consumer = given(&calls, weather()).await;
    let parts = parts(&mut consumer).await;
    settle(&*consumer, &parts[0], Outcome::Nack(Duration::from_secs(60))).await;
    settle(&*consumer, &parts[1], Outcome::Nack(Duration::from_secs(5))).await;
    assert_eq!(counted(&calls), [].into());
    settle(&*consumer, &parts[2], Outcome::Ack).await;
    consumer.close().await.unwrap();
    assert_eq!(counted(&calls), [("ChangeMessageVisibilityBatch".to_owned(), 1)].into());
    let delay = calls.lock().unwrap()[0].1["VisibilityTimeout"].as_i64().unwrap();
    assert!((55..=60).contains(&delay), "{delay}");
}

#[tokio::test]
async fn lease_that_one_part_extends_is_that_of_all() {
    let calls = Calls::default();
    let lease = Duration::from_secs(1);
    let mut consumer = given(&calls, SubscriptionSpec { lease, ..weather() }).await;
    let parts = parts(&mut consumer).await;
    let since = Instant::now();
    while since.elapsed() < lease * 2 {
        settle(&*consumer, &parts[0], Outcome::Extend).await;
        sleep(lease / 10).await;
    }
    for part in &parts {
        settle(&*consumer, part, Outcome::Ack).await;
    }
    consumer.close().await.unwrap();
    assert_eq!(counted(&calls)["DeleteMessageBatch"], 1);
}

#[tokio::test]
async fn consumer_has_no_more_parts_in_flight_than_it_asked_for() {
    let bounded = SubscriptionSpec { in_flight_max: 2, ..weather() };
    let mut consumer = given(&Calls::default(), bounded).await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    let third = tokio::time::timeout(Duration::from_millis(200), consumer.next()).await;
    assert!(third.is_err(), "{third:?}");
    settle(&*consumer, &second, Outcome::Ack).await;
    let third = next(&mut consumer).await;
    assert_eq!([&first, &second, &third].map(whole), [1, 2, 3]);
    consumer.close().await.unwrap();
}

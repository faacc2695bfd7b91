//! What every transport with the capabilities of the embedded one must do, as functions over
//! the trait. Run here over the file in this process; the same file can be included by the
//! tests of a transport that reaches the broker another way.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use worldbus_bus::{
    Appended, Consumer, DeadEvent, Delivered, Error, Filter, Kind, Outcome, Position, ReadSpec,
    StoredBatch, SubscriptionName, SubscriptionSpec, Topic, Transport,
};
use worldbus_events::{Batch, BatchBuilder, EventId, NewEvent, ProducerId};

/// How long a condition may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// How long nothing must happen where nothing is expected.
const QUIET: Duration = Duration::from_millis(60);

pub fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

pub fn id(producer: u64, sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(producer), sequence }
}

/// A batch of consecutive events whose payloads say their sequence.
pub fn batch(producer: u64, sequences: std::ops::Range<u64>) -> Batch {
    typed(producer, sequences, 6, None, 8)
}

pub fn typed(
    producer: u64,
    sequences: std::ops::Range<u64>,
    event_type: u32,
    entity: Option<&str>,
    payload_bytes: usize,
) -> Batch {
    let mut builder = BatchBuilder::new("contract", "world");
    for sequence in sequences {
        let mut payload = sequence.to_le_bytes().to_vec();
        payload.resize(payload_bytes.max(8), producer as u8);
        builder
            .push(NewEvent {
                event_type,
                id: id(producer, sequence),
                timestamp_ms: 1_000,
                entity,
                payload: &payload,
                metadata: None,
            })
            .unwrap();
    }
    builder.finish().unwrap()
}

pub fn spec(name: &str, topics: &[&str], start: Position) -> SubscriptionSpec {
    let name = SubscriptionName::new(name).unwrap();
    let topics = topics.iter().map(|name| topic(name)).collect();
    SubscriptionSpec {
        start,
        consumer: "contract".to_owned(),
        ..SubscriptionSpec::new(name, topics)
    }
}

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("not in time: {what}"),
    }
}

pub async fn next(consumer: &mut Box<dyn Consumer>) -> Delivered {
    soon("a delivery", consumer.next()).await.unwrap()
}

async fn nothing(consumer: &mut Box<dyn Consumer>) {
    let delivered = tokio::time::timeout(QUIET, consumer.next()).await;
    assert!(delivered.is_err(), "nothing was expected: {delivered:?}");
}

async fn ack(consumer: &dyn Consumer, delivered: &Delivered) {
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
}

pub async fn read_all(transport: &dyn Transport, spec: ReadSpec) -> Vec<StoredBatch> {
    let mut reader = transport.read(spec).await.unwrap();
    let mut all = Vec::new();
    while let Some(stored) = soon("a stored batch", reader.next()).await.unwrap() {
        all.push(stored);
    }
    all
}

fn sequences(batch: &Batch) -> Vec<u64> {
    batch.iter().map(|event| event.id.sequence).collect()
}

/// All checks that need nothing but an open transport whose topics are not in use.
pub async fn check(transport: Arc<dyn Transport>) {
    published_batches_are_delivered_in_order(&*transport).await;
    consumers_compete(&*transport).await;
    nacked_batches_come_again(&*transport).await;
    released_deliveries_do_not_count(&*transport).await;
    an_ended_lease_is_given_away_and_lost(&*transport).await;
    a_late_ack_counts_until_the_batch_is_given_away(&*transport).await;
    attempts_are_bounded(&*transport).await;
    events_are_set_aside_once(&*transport).await;
    filters_select_batches(&*transport).await;
    the_past_is_read_again(&*transport).await;
    readers_follow_all_topics(&*transport).await;
    subscriptions_begin_where_they_ask(&*transport).await;
    duplicates_are_dropped(&*transport).await;
    too_large_batches_are_refused(&*transport).await;
    order_per_producer_is_kept(transport).await;
}

pub async fn published_batches_are_delivered_in_order(transport: &dyn Transport) {
    let mut consumer = transport.subscribe(spec("order", &["order"], Position::Now)).await.unwrap();
    for sequence in 0..20 {
        let appended = transport.publish(&topic("order"), batch(1, sequence..sequence + 1)).await;
        assert_eq!(appended.unwrap(), Appended { offset: Some(sequence), duplicates: 0 });
    }
    for sequence in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, sequence);
        assert_eq!(delivered.lease.attempt, 1);
        assert_eq!(delivered.batch, batch(1, sequence..sequence + 1));
        ack(&*consumer, &delivered).await;
    }
    nothing(&mut consumer).await;
    let topics = transport.topics().await.unwrap();
    let status = topics.iter().find(|status| status.topic == topic("order")).unwrap();
    assert_eq!((status.first_offset, status.next_offset, status.events_total), (0, 20, 20));
}

pub async fn consumers_compete(transport: &dyn Transport) {
    let spec =
        SubscriptionSpec { in_flight_max: 3, ..spec("compete", &["compete"], Position::Now) };
    let mut first = transport.subscribe(spec.clone()).await.unwrap();
    let mut second = transport.subscribe(spec).await.unwrap();
    for sequence in 0..6 {
        transport.publish(&topic("compete"), batch(2, sequence..sequence + 1)).await.unwrap();
    }
    let mut offsets = Vec::new();
    let mut held = Vec::new();
    for consumer in [&mut first, &mut second] {
        for _ in 0..3 {
            let delivered = next(consumer).await;
            offsets.push(delivered.lease.offset);
            held.push(delivered);
        }
        nothing(consumer).await;
    }
    offsets.sort_unstable();
    assert_eq!(offsets, [0, 1, 2, 3, 4, 5]);
    for delivered in &held {
        ack(&*first, delivered).await;
    }
}

pub async fn nacked_batches_come_again(transport: &dyn Transport) {
    let mut consumer = transport.subscribe(spec("nack", &["nack"], Position::Now)).await.unwrap();
    transport.publish(&topic("nack"), batch(3, 0..2)).await.unwrap();
    let settler = consumer.settler();
    for attempt in 1..4 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, attempt);
        let outcome = Outcome::Nack(Duration::from_millis(u64::from(attempt) * 10));
        settler.settle(&delivered.lease, outcome).await.unwrap();
        let twice = settler.settle(&delivered.lease, Outcome::Ack).await.unwrap_err();
        assert_eq!(twice.kind(), Kind::LeaseLost);
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

pub async fn released_deliveries_do_not_count(transport: &dyn Transport) {
    let mut consumer =
        transport.subscribe(spec("release", &["release"], Position::Now)).await.unwrap();
    transport.publish(&topic("release"), batch(4, 0..1)).await.unwrap();
    for _ in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.attempt, 1);
        consumer.settler().settle(&delivered.lease, Outcome::Release).await.unwrap();
    }
    let delivered = next(&mut consumer).await;
    ack(&*consumer, &delivered).await;
}

pub async fn an_ended_lease_is_given_away_and_lost(transport: &dyn Transport) {
    let short = SubscriptionSpec {
        lease: Duration::from_millis(30),
        ..spec("lease", &["lease"], Position::Now)
    };
    let mut slow = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("lease"), batch(5, 0..1)).await.unwrap();
    let late = next(&mut slow).await;
    let mut other = transport.subscribe(spec("lease", &["lease"], Position::Now)).await.unwrap();
    let given = next(&mut other).await;
    assert_eq!((given.lease.offset, given.lease.attempt), (late.lease.offset, 2));
    let lost = slow.settler().settle(&late.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    let event = DeadEvent {
        index: 0,
        reason: String::new(),
        attempts: 1,
        first_failed_ms: 0,
        last_failed_ms: 0,
    };
    let lost = slow.settler().dead_letter(&late.lease, vec![event]).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
    other.settler().settle(&given.lease, Outcome::Extend).await.unwrap();
    ack(&*other, &given).await;
    nothing(&mut slow).await;
}

pub async fn a_late_ack_counts_until_the_batch_is_given_away(transport: &dyn Transport) {
    let short = SubscriptionSpec {
        lease: Duration::from_millis(1),
        ..spec("late", &["late"], Position::Now)
    };
    let mut consumer = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("late"), batch(6, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>())
        .await
        .unwrap_err();
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
}

pub async fn attempts_are_bounded(transport: &dyn Transport) {
    let bounded =
        SubscriptionSpec { attempts_max: 3, ..spec("bounded", &["bounded"], Position::Now) };
    let mut consumer = transport.subscribe(bounded).await.unwrap();
    transport.publish(&topic("bounded"), batch(7, 0..2)).await.unwrap();
    transport.publish(&topic("bounded"), batch(7, 2..3)).await.unwrap();
    for _ in 0..3 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, 0);
        let nack = Outcome::Nack(Duration::ZERO);
        consumer.settler().settle(&delivered.lease, nack).await.unwrap();
    }
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.lease.offset, 1, "the failing batch is out of the way");
    ack(&*consumer, &delivered).await;
    let name = SubscriptionName::new("bounded").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    let found: Vec<_> = letters.iter().map(|letter| (letter.offset, letter.event.index)).collect();
    assert_eq!(found, [(0, 1), (0, 0)], "newest first");
    assert_eq!(letters[0].event.attempts, 3);
    assert_eq!(letters[0].game_event.event_id, id(7, 1).to_string());
    assert_eq!(letters[0].consumer, "contract");
}

pub async fn events_are_set_aside_once(transport: &dyn Transport) {
    let mut consumer = transport.subscribe(spec("aside", &["aside"], Position::Now)).await.unwrap();
    let published = typed(8, 0..3, 1, Some("brussels"), 40);
    transport.publish(&topic("aside"), published.clone()).await.unwrap();
    let delivered = next(&mut consumer).await;
    let event = DeadEvent {
        index: 1,
        reason: "no such region".to_owned(),
        attempts: 4,
        first_failed_ms: 11,
        last_failed_ms: 22,
    };
    let settler = consumer.settler();
    for _ in 0..2 {
        settler.dead_letter(&delivered.lease, vec![event.clone()]).await.unwrap();
    }
    let missing = DeadEvent { index: 3, ..event.clone() };
    let refused = settler.dead_letter(&delivered.lease, vec![missing]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    ack(&*consumer, &delivered).await;
    let name = SubscriptionName::new("aside").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event, event);
    assert_eq!(letters[0].topic, topic("aside"));
    let expected = published.iter().nth(1).unwrap().to_game_event();
    assert_eq!(letters[0].game_event, expected);
    let unknown = SubscriptionName::new("nobody").unwrap();
    let refused = transport.dead_letters(Some(&unknown), 1).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
}

pub async fn filters_select_batches(transport: &dyn Transport) {
    let filter = Filter { types: vec![2], entities: vec!["ghent".to_owned()] };
    let by =
        SubscriptionSpec { filter: filter.clone(), ..spec("filter", &["filter"], Position::Now) };
    let mut consumer = transport.subscribe(by).await.unwrap();
    let wanted = typed(9, 30..31, 2, Some("ghent"), 8);
    for other in [
        typed(9, 0..1, 1, Some("ghent"), 8),
        typed(9, 10..12, 2, Some("liege"), 8),
        wanted.clone(),
        typed(9, 40..41, 2, None, 8),
    ] {
        transport.publish(&topic("filter"), other).await.unwrap();
    }
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch, wanted);
    ack(&*consumer, &delivered).await;
    nothing(&mut consumer).await;
    let spec = ReadSpec::topics([topic("filter")], Position::Start, false);
    let read = read_all(transport, ReadSpec { filter, ..spec }).await;
    assert_eq!(read.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [2]);
}

pub async fn the_past_is_read_again(transport: &dyn Transport) {
    let name = topic("past");
    for sequence in 0..10 {
        transport.publish(&name, batch(10, sequence..sequence + 1)).await.unwrap();
    }
    let from = |position| ReadSpec::topics([name.clone()], position, false);
    let all = read_all(transport, from(Position::Start)).await;
    assert_eq!(
        all.iter().flat_map(|stored| sequences(&stored.batch)).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    assert_eq!(read_all(transport, from(Position::Offset(7))).await.len(), 3);
    assert_eq!(read_all(transport, from(Position::Offset(70))).await.len(), 0);
    assert_eq!(read_all(transport, from(Position::Now)).await.len(), 0);
    for stored in &all {
        let since = read_all(transport, from(Position::TimeMs(stored.appended_ms))).await;
        let expected = all.iter().filter(|other| other.appended_ms >= stored.appended_ms).count();
        assert_eq!(since.len(), expected);
    }
    let beyond = Position::TimeMs(all[9].appended_ms + 1);
    assert_eq!(read_all(transport, from(beyond)).await.len(), 0);
    assert_eq!(read_all(transport, from(Position::TimeMs(0))).await.len(), 10);
    let nowhere = ReadSpec::topics([topic("not-there")], Position::Start, false);
    assert_eq!(read_all(transport, nowhere).await.len(), 0);
}

pub async fn readers_follow_all_topics(transport: &dyn Transport) {
    let mut reader = transport.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    let awaited = ReadSpec::topics([topic("later")], Position::Now, true);
    let mut listed = transport.read(awaited).await.unwrap();
    transport.publish(&topic("order"), batch(11, 0..1)).await.unwrap();
    transport.publish(&topic("later"), batch(11, 1..2)).await.unwrap();
    transport.publish(&topic("order"), batch(11, 2..3)).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..3 {
        let stored = soon("a followed batch", reader.next()).await.unwrap().unwrap();
        found.push((stored.topic.as_str().to_owned(), sequences(&stored.batch)[0]));
    }
    let expected = [("order", 0), ("later", 1), ("order", 2)];
    assert_eq!(found, expected.map(|(name, sequence)| (name.to_owned(), sequence)));
    let stored = soon("a topic that came later", listed.next()).await.unwrap().unwrap();
    assert_eq!(sequences(&stored.batch), [1]);
}

pub async fn subscriptions_begin_where_they_ask(transport: &dyn Transport) {
    let name = topic("begin");
    for sequence in 0..5 {
        transport.publish(&name, batch(12, sequence..sequence + 1)).await.unwrap();
    }
    let all = read_all(transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let time = all[3].appended_ms;
    let by_time = all.iter().find(|stored| stored.appended_ms >= time).unwrap().offset;
    let starts = [
        ("begin-start", Position::Start, 0),
        ("begin-offset", Position::Offset(2), 2),
        ("begin-time", Position::TimeMs(time), by_time),
    ];
    for (subscription, start, expected) in starts {
        let mut consumer =
            transport.subscribe(spec(subscription, &["begin"], start)).await.unwrap();
        assert_eq!(next(&mut consumer).await.lease.offset, expected);
    }
    let mut consumer =
        transport.subscribe(spec("begin-now", &["begin"], Position::Now)).await.unwrap();
    nothing(&mut consumer).await;
    transport.publish(&name, batch(12, 5..6)).await.unwrap();
    assert_eq!(next(&mut consumer).await.lease.offset, 5);
    let none = spec("begin-none", &[], Position::Now);
    assert_eq!(transport.subscribe(none).await.err().unwrap().kind(), Kind::Invalid);
}

pub async fn duplicates_are_dropped(transport: &dyn Transport) {
    let name = topic("twins");
    let publish = |sequences| transport.publish(&name, batch(13, sequences));
    assert_eq!(publish(0..10).await.unwrap(), Appended { offset: Some(0), duplicates: 0 });
    assert_eq!(publish(0..10).await.unwrap(), Appended { offset: None, duplicates: 10 });
    assert_eq!(publish(4..6).await.unwrap(), Appended { offset: None, duplicates: 2 });
    assert_eq!(publish(8..12).await.unwrap(), Appended { offset: Some(1), duplicates: 2 });
    // At once, so that both may be in one commit.
    let (first, second) = tokio::join!(publish(20..30), publish(25..35));
    assert_eq!(first.unwrap(), Appended { offset: Some(2), duplicates: 0 });
    assert_eq!(second.unwrap(), Appended { offset: Some(3), duplicates: 5 });
    let all = read_all(transport, ReadSpec::topics([name.clone()], Position::Start, false)).await;
    let found: Vec<_> = all.iter().flat_map(|stored| sequences(&stored.batch)).collect();
    assert_eq!(found, (0..12).chain(20..35).collect::<Vec<_>>());
}

pub async fn too_large_batches_are_refused(transport: &dyn Transport) {
    let max = transport.capabilities().batch_bytes_max;
    let large = typed(14, 0..3, 6, None, 900 << 10);
    if large.bytes().len() > max {
        let refused: Error = transport.publish(&topic("large"), large).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::TooLarge);
        assert!(refused.to_string().contains(&max.to_string()), "{refused}");
    }
    let fits = typed(14, 10..12, 6, None, 900 << 10);
    transport.publish(&topic("large"), fits).await.unwrap();
}

pub async fn order_per_producer_is_kept(transport: Arc<dyn Transport>) {
    const PRODUCERS: u64 = 8;
    const BATCHES: u64 = 50;
    let mut producers = Vec::new();
    for producer in 0..PRODUCERS {
        let transport = Arc::clone(&transport);
        producers.push(tokio::spawn(async move {
            // Polled first in order, awaited together: many of one producer are in flight.
            let name = topic("many");
            let mut flight = Vec::new();
            for sequence in 0..BATCHES {
                let batch = batch(100 + producer, sequence..sequence + 1);
                let mut publish = Box::pin(transport.publish(&name, batch));
                match poll_once(&mut publish).await {
                    Some(appended) => drop(appended.unwrap()),
                    None => flight.push(publish),
                }
                if flight.len() >= 10 {
                    for publish in flight.drain(..) {
                        publish.await.unwrap();
                    }
                }
            }
            for publish in flight {
                publish.await.unwrap();
            }
        }));
    }
    for producer in producers {
        soon("the producers", producer).await.unwrap();
    }
    let all =
        read_all(&*transport, ReadSpec::topics([topic("many")], Position::Start, false)).await;
    assert_eq!(all.len() as u64, PRODUCERS * BATCHES);
    for producer in 0..PRODUCERS {
        let of_one = all.iter().filter(|s| s.batch.producer() == id(100 + producer, 0).producer);
        let found: Vec<_> = of_one.flat_map(|stored| sequences(&stored.batch)).collect();
        assert_eq!(found, (0..BATCHES).collect::<Vec<_>>());
    }
}

/// Polls once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

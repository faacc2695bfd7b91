//! The publisher over a real engine: batching, back-pressure, fates, order.

#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{Fault, Faulty, tick};
use std::time::Duration;
use worldbus_bus::*;
use worldbus_events::{EventId, ProducerId};

fn away() -> Error {
    Error::retry(Kind::Unavailable, "away")
}

fn silent() -> Error {
    Error::unknown(Kind::Timeout, "no answer")
}

fn impatient() -> PublisherOptions {
    PublisherOptions {
        timeout: Duration::from_millis(300),
        ..PublisherOptions::new("test", "europe")
    }
}

#[tokio::test]
async fn events_gather_while_a_batch_is_in_flight() {
    let engine = Faulty::gated();
    let publisher = engine.bus().publisher("test", "europe");
    let first = publisher.enqueue(None, &tick(0)).await.unwrap();
    while engine.gate.available_permits() == 0 && engine.sizes.lock().unwrap().is_empty() {
        engine.gate.add_permits(1);
        tokio::task::yield_now().await;
    }
    first.await.unwrap();
    let mut pending = vec![publisher.enqueue(None, &tick(1)).await.unwrap()];
    // The second batch waits at the gate; what comes now gathers behind it.
    tokio::task::yield_now().await;
    for minute in 2..100 {
        pending.push(publisher.enqueue(None, &tick(minute)).await.unwrap());
    }
    engine.gate.close();
    for pending in pending {
        pending.await.unwrap();
    }
    let batches = engine.sizes.lock().unwrap().len();
    assert!((2..=3).contains(&batches), "{batches} batches for 100 events");
    assert_eq!(engine.minutes().await, (0..100).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_full_buffer_makes_publishers_wait_and_loses_nothing() {
    let engine = Faulty::gated();
    let options =
        PublisherOptions { buffer_bytes_max: 700, ..PublisherOptions::new("test", "europe") };
    let publisher = engine.bus().publisher_with(options);
    let publish_all = async {
        let mut pending = Vec::new();
        for minute in 0..50 {
            pending.push(publisher.enqueue(None, &tick(minute)).await.unwrap());
        }
        for pending in pending {
            pending.await.unwrap();
        }
    };
    tokio::pin!(publish_all);
    let waited = tokio::time::timeout(Duration::from_millis(100), &mut publish_all).await;
    assert!(waited.is_err(), "50 events went into a buffer for ten");
    engine.gate.close();
    publish_all.await;
    assert_eq!(engine.minutes().await, (0..50).collect::<Vec<i64>>());
}

#[tokio::test]
async fn what_may_succeed_later_is_tried_again_in_order() {
    let engine = Faulty::open();
    engine.faults.lock().unwrap().extend([Fault::Before(away()), Fault::Before(away())]);
    let publisher = engine.bus().publisher("test", "europe");
    let mut pending = Vec::new();
    for minute in 0..20 {
        pending.push(publisher.enqueue(None, &tick(minute)).await.unwrap());
    }
    for pending in pending {
        pending.await.unwrap();
    }
    assert_eq!(engine.minutes().await, (0..20).collect::<Vec<i64>>());
}

#[tokio::test]
async fn an_ambiguous_publish_is_stored_once() {
    let engine = Faulty::open();
    engine.faults.lock().unwrap().push_back(Fault::After(silent()));
    let publisher = engine.bus().publisher("test", "europe");
    publisher.publish(&tick(1)).await.unwrap();
    assert_eq!(engine.minutes().await, [1]);
}

#[tokio::test]
async fn errors_keep_their_fate() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher_with(impatient());
    let refused = Error::refused(Kind::Unauthorized, "who are you");
    engine.faults.lock().unwrap().push_back(Fault::Before(refused));
    let error = publisher.publish(&tick(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unauthorized, Fate::Refused));

    engine.faults.lock().unwrap().extend(vec![Fault::Before(away()); 50]);
    let error = publisher.publish(&tick(2)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));

    let then_away = vec![Fault::Before(away()); 50];
    *engine.faults.lock().unwrap() =
        std::iter::once(Fault::After(silent())).chain(then_away).collect();
    let error = publisher.publish(&tick(3)).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown, "one attempt of it may have happened");
    engine.faults.lock().unwrap().clear();
    publisher.publish(&tick(4)).await.unwrap();
    assert_eq!(engine.minutes().await, [3, 4]);
}

#[tokio::test]
async fn an_oversize_event_is_refused_and_the_next_goes_on() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    let topic = Topic::new("time").unwrap();
    let payload = vec![0; engine.capabilities().payload_bytes_max + 1];
    let large = Outgoing { event_type: 6, payload: &payload, ..Default::default() };
    let error = publisher.enqueue_raw(&topic, large).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::TooLarge, Fate::Refused));
    let entity = "x".repeat(300);
    let error = publisher.publish_about(&entity, &tick(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    publisher.publish(&tick(2)).await.unwrap();
    assert_eq!(engine.minutes().await, [2]);
}

#[tokio::test]
async fn closing_waits_for_what_is_in_flight_and_takes_no_more() {
    let engine = Faulty::gated();
    let publisher = engine.bus().publisher("test", "europe");
    let pending = publisher.enqueue(None, &tick(1)).await.unwrap();
    let closing = publisher.clone();
    let closing = tokio::spawn(async move { closing.close().await });
    engine.gate.close();
    closing.await.unwrap();
    pending.await.unwrap();
    let error = publisher.publish(&tick(2)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Closed);
    assert_eq!(engine.minutes().await, [1]);
}

#[tokio::test]
async fn a_dropped_publisher_still_sends_what_it_took() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    let pending = publisher.enqueue(None, &tick(1)).await.unwrap();
    drop(publisher);
    pending.await.unwrap();
    assert_eq!(engine.minutes().await, [1]);
}

#[tokio::test]
async fn twins_with_the_same_ids_are_stored_once() {
    let engine = Faulty::open();
    let topic = Topic::new("time").unwrap();
    let producer = ProducerId::from_bits(42);
    for twin in 0..2 {
        let publisher = engine.bus().publisher("time-manager", "europe");
        // The second twin batches otherwise and sees one event more.
        for sequence in 0..10 + twin {
            let payload = prost::Message::encode_to_vec(&tick(sequence as i64));
            let event = Outgoing {
                event_type: 6,
                id: Some(EventId { producer, sequence }),
                timestamp_ms: Some(sequence as i64),
                payload: &payload,
                ..Default::default()
            };
            publisher.enqueue_raw(&topic, event).await.unwrap().await.unwrap();
        }
    }
    assert_eq!(engine.minutes().await, (0..11).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_linger_a_busy_publisher_makes_one_batch_a_linger() {
    let engine = Faulty::open();
    let linger = Duration::from_millis(100);
    let options =
        PublisherOptions { linger: Some(linger), ..PublisherOptions::new("test", "europe") };
    let publisher = engine.bus().publisher_with(options);
    let begun = tokio::time::Instant::now();
    let mut pending = Vec::new();
    while begun.elapsed() < Duration::from_secs(1) {
        pending.push(publisher.enqueue(None, &tick(pending.len() as i64)).await.unwrap());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let count = pending.len() as i64;
    for pending in pending {
        pending.await.unwrap();
    }
    let most = begun.elapsed().as_millis() / linger.as_millis() + 1;
    let batches = engine.sizes.lock().unwrap().len();
    assert!(batches as u128 <= most, "{batches} batches of {count} events, {most} lingers");
    assert_eq!(engine.minutes().await, (0..count).collect::<Vec<i64>>());
}

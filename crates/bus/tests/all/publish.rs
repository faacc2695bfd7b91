//! The publisher over a real engine: batching, back-pressure, fates, order.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::kit::{Fault, Faulty, tick};
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
async fn metadata_takes_room_in_the_buffer() {
    let engine = Faulty::gated();
    let options =
        PublisherOptions { buffer_bytes_max: 40 << 10, ..PublisherOptions::new("test", "europe") };
    let publisher = engine.bus().publisher_with(options);
    let metadata = BTreeMap::from([("key".to_owned(), "v".repeat(15 << 10))]);
    let topic = Topic::new("time").unwrap();
    let enqueue = || {
        let metadata = Some(&metadata);
        publisher.enqueue_raw(&topic, Outgoing { event_type: 6, metadata, ..Outgoing::default() })
    };
    let two = [enqueue().await.unwrap(), enqueue().await.unwrap()];
    let third = enqueue();
    tokio::pin!(third);
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut third).await;
    assert!(waited.is_err(), "45 KiB went into a buffer of 40");
    engine.gate.close();
    let third = third.await.unwrap();
    for pending in two.into_iter().chain([third]) {
        pending.await.unwrap();
    }
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

/// The engine takes nothing, as on a full disk: eight batches wait, and each has tried in vain.
#[tokio::test(start_paused = true)]
async fn all_that_waits_gives_up_within_the_timeout_however_many_batches_there_are() {
    const BATCHES: usize = 8;
    let engine = Faulty::open();
    let options = PublisherOptions::new("test", "europe");
    let timeout = options.timeout;
    let publisher = engine.bus().publisher_with(options);
    engine.faults.lock().unwrap().extend(vec![Fault::Before(away()); 10_000]);
    let topic = Topic::new("time").unwrap();
    let payload = vec![0; engine.inner.capabilities().payload_bytes_max];
    let begun = tokio::time::Instant::now();
    let mut pending = Vec::new();
    for _ in 0..BATCHES {
        let large = Outgoing { event_type: 6, payload: &payload, ..Default::default() };
        pending.push(publisher.enqueue_raw(&topic, large).await.unwrap());
    }
    for pending in pending {
        assert_eq!(pending.await.unwrap_err().fate(), Fate::Retry);
    }
    let took = begun.elapsed();
    assert!(took < timeout + Duration::from_secs(1), "it took {took:?}");
}

#[tokio::test]
async fn what_waits_fails_when_the_transport_panics_and_closing_ends() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    engine.faults.lock().unwrap().push_back(Fault::Panic);
    let pending = publisher.enqueue(None, &tick(1)).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(60), pending).await;
    let error = answered.expect("no answer in time").unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown));
    tokio::time::timeout(Duration::from_secs(60), publisher.close()).await.expect("no end");
    assert_eq!(publisher.publish(&tick(2)).await.unwrap_err().kind(), Kind::Closed);
}

#[tokio::test]
async fn an_oversize_event_is_refused_and_the_next_goes_on() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    let topic = Topic::new("time").unwrap();
    let payload = vec![0; engine.inner.capabilities().payload_bytes_max + 1];
    let large = Outgoing { event_type: 6, payload: &payload, ..Default::default() };
    let error = publisher.enqueue_raw(&topic, large).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::TooLarge, Fate::Refused));
    let entity = "x".repeat(300);
    let error = publisher.publish_about(&entity, &tick(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    publisher.publish(&tick(2)).await.unwrap();
    assert_eq!(engine.minutes().await, [2]);
}

/// Events that gather behind one that waits at the gate of a gated engine.
async fn gathered(
    engine: &Faulty,
    publisher: &Publisher,
    events: impl Iterator<Item = (i64, i64)>,
) -> (Pending, Vec<Pending>) {
    let first = publisher.enqueue(None, &tick(-1)).await.unwrap();
    // The first has left when the next begins a batch of its own.
    while engine.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let topic = Topic::new("time").unwrap();
    let mut pending = Vec::new();
    for (minute, timestamp_ms) in events {
        let payload = prost::Message::encode_to_vec(&tick(minute));
        let event = Outgoing {
            event_type: 6,
            timestamp_ms: Some(timestamp_ms),
            payload: &payload,
            ..Default::default()
        };
        pending.push(publisher.enqueue_raw(&topic, event).await.unwrap());
    }
    (first, pending)
}

#[tokio::test]
async fn events_share_a_batch_and_no_refusal() {
    for poison in [0, 3, 6] {
        let engine = Faulty::gated();
        *engine.poison.lock().unwrap() = Some(poison);
        let publisher = engine.bus().publisher("test", "europe");
        let events = (0..7).map(|minute| (minute, 1));
        let (first, pending) = gathered(&engine, &publisher, events).await;
        engine.gate.close();
        first.await.unwrap();
        for (minute, pending) in (0..).zip(pending) {
            let (id, answer) = (pending.id(), pending.await);
            match answer {
                Ok(published) => assert_eq!((published, minute != poison), (id, true)),
                Err(error) => assert_eq!((error.kind(), minute), (Kind::TooLarge, poison)),
            }
        }
        let others: Vec<i64> = (-1..7).filter(|minute| *minute != poison).collect();
        assert_eq!(engine.minutes().await, others);
    }
}

#[tokio::test]
async fn absurd_timestamp_is_of_no_matter_to_its_neighbours() {
    let engine = Faulty::gated();
    let publisher = engine.bus().publisher("test", "europe");
    let times = [1_700_000_000_000, i64::MIN, 1_700_000_000_001, i64::MAX, i64::MIN, 0, 1];
    let (first, pending) = gathered(&engine, &publisher, (0..).zip(times)).await;
    engine.gate.close();
    first.await.unwrap();
    for pending in pending {
        pending.await.unwrap();
    }
    assert_eq!(engine.minutes().await, (-1..7).collect::<Vec<i64>>());
}

#[tokio::test]
async fn nothing_is_sent_behind_a_failure_by_those_who_halt_together() {
    let engine = Faulty::gated();
    let halt = CancellationToken::new();
    let options = PublisherOptions { halt: Some(halt.clone()), ..impatient() };
    let publishers = ["one", "two"].map(|source| {
        let source = source.to_owned();
        engine.bus().publisher_with(PublisherOptions { source, ..options.clone() })
    });
    let (first, behind) = gathered(&engine, &publishers[0], (0..5).map(|minute| (minute, 1))).await;
    engine.faults.lock().unwrap().extend(vec![Fault::Before(away()); 50]);
    // All that is let through is attempts of the first event, until it fails.
    let (error, ()) = tokio::join!(first, async {
        while !halt.is_cancelled() {
            engine.gate.add_permits(1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(error.unwrap_err().fate(), Fate::Retry);
    engine.faults.lock().unwrap().clear();
    engine.gate.close();
    for pending in behind {
        assert_eq!(pending.await.unwrap_err().fate(), Fate::Retry);
    }
    let error = publishers[1].publish(&tick(9)).await.unwrap_err();
    assert!(error.to_string().contains("an event before it failed"), "{error}");
    assert!(engine.minutes().await.is_empty());
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

#[tokio::test]
async fn publisher_names_the_cause_while_it_retries_and_nothing_afterwards() {
    let engine = Faulty::open();
    *engine.down.lock().unwrap() = Some(away());
    let publisher = engine.bus().publisher("test", "europe");
    let pending = publisher.enqueue(None, &tick(0)).await.unwrap();
    while publisher.retrying().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(publisher.retrying().unwrap().context(), "away");
    *engine.down.lock().unwrap() = None;
    pending.await.unwrap();
    assert!(publisher.retrying().is_none());
}

async fn receipts(publisher: &Publisher, sequences: impl IntoIterator<Item = u64>) -> Vec<Receipt> {
    let topic = Topic::new("time").unwrap();
    let mut pending = Vec::new();
    for sequence in sequences {
        let id = Some(EventId { producer: ProducerId::MAX, sequence });
        let event = Outgoing { event_type: 6, id, ..Outgoing::default() };
        pending.push(publisher.enqueue_raw_or_spool(&topic, event).await.unwrap());
    }
    let mut receipts = Vec::new();
    for pending in pending {
        receipts.push(pending.await.unwrap());
    }
    receipts
}

fn duplicates(receipts: &[Receipt]) -> Vec<u64> {
    let is_duplicate = |receipt: &&Receipt| matches!(receipt, Receipt::Duplicate(_));
    receipts.iter().filter(is_duplicate).map(|receipt| receipt.id().sequence).collect()
}

#[tokio::test]
async fn receipt_names_each_event_that_the_engine_had() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    assert!(duplicates(&receipts(&publisher, 0..10).await).is_empty());
    assert_eq!(duplicates(&receipts(&publisher, [20, 3, 21, 4, 5, 22]).await), [3, 4, 5]);
    assert_eq!(duplicates(&receipts(&publisher, 0..10).await), (0..10).collect::<Vec<u64>>());
}

#[tokio::test]
async fn what_an_own_attempt_may_have_appended_is_no_duplicate() {
    let engine = Faulty::open();
    let publisher = engine.bus().publisher("test", "europe");
    engine.faults.lock().unwrap().push_back(Fault::After(silent()));
    assert!(duplicates(&receipts(&publisher, 0..1).await).is_empty());
    assert_eq!(engine.stored().await.len(), 1);
}

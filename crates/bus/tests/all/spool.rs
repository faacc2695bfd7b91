//! The spool over real logs: what happens to events while the engine is away, and after.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::kit::{Fault, Faulty, tick};
use worldbus_bus::*;
use worldbus_transport_embedded::{Embedded, Options};

const BYTES_MAX: u64 = 64 << 20;

fn away() -> Error {
    Error::retry(Kind::Unavailable, "away")
}

fn queue() -> Options {
    Options { queue: true, ..Options::default() }
}

/// Opening it again waits until the one before has let go of the directory.
fn log(dir: &TempDir) -> Arc<dyn Transport> {
    loop {
        match Embedded::open(dir.path(), queue()) {
            Ok(log) => return Arc::new(log),
            Err(error) => assert_eq!(error.kind(), Kind::InUse, "{error}"),
        }
    }
}

async fn spooling(engine: &Arc<Faulty>, dir: &TempDir) -> Bus {
    engine.bus().with_spool(log(dir), BYTES_MAX).await.unwrap()
}

fn impatient(bus: &Bus) -> Publisher {
    bus.publisher_with(PublisherOptions {
        timeout: Duration::from_millis(200),
        ..PublisherOptions::new("test", "europe")
    })
}

fn set_down(engine: &Faulty, error: Option<Error>) {
    *engine.down.lock().unwrap() = error;
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(Duration::from_secs(60), future).await;
    in_time.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Waits until the engine has taken everything, also if it seemed to be away.
async fn drained(bus: &Bus) {
    soon("the spool is drained", async {
        while bus.spool_drained().await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

async fn publish(publisher: &Publisher, minutes: std::ops::Range<i64>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for minute in minutes {
        let event = tick(minute);
        let receipt = soon("a receipt", publisher.publish_or_spool(&event)).await;
        receipts.push(receipt.unwrap());
    }
    receipts
}

fn spooled(receipts: &[Receipt]) -> bool {
    receipts.iter().all(|receipt| matches!(receipt, Receipt::Spooled(_)))
}

fn durable(receipts: &[Receipt]) -> bool {
    receipts.iter().all(|receipt| matches!(receipt, Receipt::Durable(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spooled_arrives_once_and_in_order_when_the_engine_is_back() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let bus = spooling(&engine, &dir).await;
    let publisher = impatient(&bus);
    assert!(durable(&publish(&publisher, 0..3).await));
    set_down(&engine, Some(away()));
    let receipts = publish(&publisher, 3..40).await;
    assert!(spooled(&receipts), "{receipts:?}");
    assert_eq!(engine.minutes().await, [0, 1, 2]);
    set_down(&engine, None);
    drained(&bus).await;
    let after = publish(&publisher, 40..43).await;
    assert!(durable(&after), "nothing waits, so it goes directly again: {after:?}");
    assert_eq!(engine.minutes().await, (0..43).collect::<Vec<i64>>());
    let ids: Vec<_> = receipts.iter().map(|receipt| receipt.id()).collect();
    let stored = engine.stored().await;
    let stored: Vec<_> = stored.iter().flat_map(|batch| batch.iter().map(|e| e.id)).collect();
    assert_eq!(stored[3..40], ids, "the ids that the publisher was given");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_keep_their_order_while_the_engine_comes_and_goes() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let bus = spooling(&engine, &dir).await;
    let publisher = impatient(&bus);
    let flapping = Arc::clone(&engine);
    let flap = tokio::spawn(async move {
        for round in 0.. {
            let fails = Error::unknown(Kind::Timeout, "no answer");
            set_down(&flapping, (round % 2 == 0).then(away));
            flapping.faults.lock().unwrap().push_back(Fault::After(fails));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
    publish(&publisher, 0..400).await;
    flap.abort();
    let _ = flap.await;
    engine.faults.lock().unwrap().clear();
    set_down(&engine, None);
    drained(&bus).await;
    assert_eq!(engine.minutes().await, (0..400).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_publish_that_was_spooled_is_stored_once() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let bus = spooling(&engine, &dir).await;
    set_down(&engine, None);
    let silent = Error::unknown(Kind::Timeout, "no answer");
    engine.faults.lock().unwrap().extend(vec![Fault::After(silent); 20]);
    let publisher = impatient(&bus);
    assert!(spooled(&publish(&publisher, 0..1).await));
    engine.faults.lock().unwrap().clear();
    drained(&bus).await;
    assert_eq!(engine.minutes().await, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_spooled_waits_behind_what_was() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let bus = spooling(&engine, &dir).await;
    let publisher = impatient(&bus);
    set_down(&engine, Some(away()));
    publish(&publisher, 0..3).await;
    let error = publisher.publish(&tick(99)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    assert!(error.to_string().contains("wait in the spool"), "{error}");
    set_down(&engine, None);
    // It is tried until the line before it is empty; then it is durable in the engine.
    let patient = bus.publisher("test", "europe");
    soon("a publish behind the spool", patient.publish(&tick(3))).await.unwrap();
    assert_eq!(engine.minutes().await, [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_spool_is_drained_by_the_next_process() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    set_down(&engine, Some(away()));
    let bus = spooling(&engine, &dir).await;
    let publisher = impatient(&bus);
    publish(&publisher, 0..5).await;
    assert!(bus.spool_drained().await.unwrap() > 0, "the engine is away");
    publisher.close().await;
    drop((publisher, bus));
    let bus = spooling(&engine, &dir).await;
    let publisher = impatient(&bus);
    publish(&publisher, 5..8).await;
    set_down(&engine, None);
    drained(&bus).await;
    assert_eq!(engine.minutes().await, (0..8).collect::<Vec<i64>>());
    drop((publisher, bus));
    // What was drained does not come again, nor does it hold up what comes later.
    let bus = spooling(&engine, &dir).await;
    drained(&bus).await;
    assert!(durable(&publish(&impatient(&bus), 8..9).await));
    assert_eq!(engine.minutes().await, (0..9).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_makes_publishers_wait_and_then_goes_on() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let log = log(&dir);
    let least = log.capabilities().batch_bytes_max as u64;
    let error = engine.bus().with_spool(Arc::clone(&log), least - 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "less than a batch is no spool: {error}");
    let bus = engine.bus().with_spool(Arc::clone(&log), least).await.unwrap();
    set_down(&engine, Some(away()));
    let publisher = impatient(&bus);
    let region = "x".repeat(200_000);
    let count = 2 * least as usize / region.len();
    let all = async {
        for _ in 0..count {
            let event = worldbus_events::v1::WeatherChanged {
                region_id: region.clone(),
                ..Default::default()
            };
            publisher.publish_or_spool(&event).await.unwrap();
        }
    };
    tokio::pin!(all);
    let held = async || log.topics().await.unwrap().iter().map(|t| t.bytes).sum::<u64>();
    let waited = tokio::time::timeout(Duration::from_secs(2), &mut all).await;
    assert!(waited.is_err(), "twice what fits was taken");
    assert!(held().await <= least);
    assert!(held().await > least - 300_000, "it holds what it may: {}", held().await);
    set_down(&engine, None);
    soon("room", all).await;
    drained(&bus).await;
    let topics = engine.inner.topics().await.unwrap();
    let weather = topics.iter().find(|status| status.topic.as_str() == "weather").unwrap();
    assert_eq!(weather.events_total, count as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_engine_refuses_is_set_aside_and_the_line_goes_on() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let log = log(&dir);
    let bus = engine.bus().with_spool(Arc::clone(&log), BYTES_MAX).await.unwrap();
    set_down(&engine, Some(away()));
    let publisher = impatient(&bus);
    // All in one batch, the poison in its middle.
    let topic = Topic::new("time").unwrap();
    let mut pending = Vec::new();
    for minute in 0..7 {
        let payload = prost::Message::encode_to_vec(&tick(minute));
        let event = Outgoing { event_type: 6, payload: &payload, ..Default::default() };
        pending.push(publisher.enqueue_raw_or_spool(&topic, event).await.unwrap());
    }
    for pending in pending {
        assert!(matches!(pending.await.unwrap(), Receipt::Spooled(_)));
    }
    *engine.poison.lock().unwrap() = Some(3);
    set_down(&engine, None);
    drained(&bus).await;
    assert_eq!(engine.minutes().await, [0, 1, 2, 4, 5, 6]);
    let letters = log.dead_letters(None, 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].event.reason.contains("too large for this engine"), "{letters:?}");
    let payload = prost::Message::encode_to_vec(&tick(3));
    let DeadContent::Event(event) = &letters[0].content else { panic!("{letters:?}") };
    assert_eq!(event.payload, payload, "its bytes are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_not_about_the_batch_sets_nothing_aside() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let log = log(&dir);
    let bus = engine.bus().with_spool(Arc::clone(&log), BYTES_MAX).await.unwrap();
    set_down(&engine, Some(away()));
    publish(&impatient(&bus), 0..3).await;
    set_down(&engine, Some(Error::refused(Kind::Unauthorized, "who are you")));
    assert!(bus.spool_drained().await.unwrap() > 0);
    set_down(&engine, None);
    drained(&bus).await;
    assert_eq!(engine.minutes().await, [0, 1, 2]);
    assert_eq!(log.dead_letters(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_neither_takes_fails_with_its_fate_and_the_next_goes_on() {
    let (engine, spool) = (Faulty::open(), Faulty::with(queue()));
    let log = Arc::clone(&spool) as Arc<dyn Transport>;
    let bus = engine.bus().with_spool(log, BYTES_MAX).await.unwrap();
    let publisher = impatient(&bus);
    set_down(&engine, Some(away()));
    set_down(&spool, Some(Error::retry(Kind::Full, "no space; make room")));
    let error = publisher.publish_or_spool(&tick(0)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Full, Fate::Retry));
    for part in ["engine is away", "make room"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let silent = Fault::After(Error::unknown(Kind::Timeout, "no answer"));
    set_down(&engine, None);
    engine.faults.lock().unwrap().extend(vec![silent; 20]);
    let error = publisher.publish_or_spool(&tick(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Full, Fate::Unknown), "it may be there");
    engine.faults.lock().unwrap().clear();
    set_down(&engine, Some(away()));
    set_down(&spool, None);
    assert!(spooled(&publish(&publisher, 2..3).await), "there is room again");
    set_down(&engine, None);
    drained(&bus).await;
    assert_eq!(engine.minutes().await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_engine_refuses_at_once_is_not_spooled() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let bus = spooling(&engine, &dir).await;
    *engine.poison.lock().unwrap() = Some(0);
    let error = impatient(&bus).publish_or_spool(&tick(0)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::TooLarge, Fate::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_spool_it_is_publish() {
    let engine = Faulty::open();
    let publisher = impatient(&engine.bus());
    assert!(durable(&publish(&publisher, 0..1).await));
    set_down(&engine, Some(away()));
    let error = publisher.publish_or_spool(&tick(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    assert_eq!(engine.bus().spool_drained().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_closed_gives_a_full_spool_up_in_time() {
    let (engine, dir) = (Faulty::open(), tempfile::tempdir().unwrap());
    let log = log(&dir);
    let least = log.capabilities().batch_bytes_max as u64;
    let bus = engine.bus().with_spool(Arc::clone(&log), least).await.unwrap();
    set_down(&engine, Some(away()));
    let publisher = impatient(&bus);
    let region = "x".repeat(900_000);
    let event = worldbus_events::v1::WeatherChanged { region_id: region, ..Default::default() };
    // One more than there is room for.
    let mut pending = Vec::new();
    for _ in 0..=least / 900_000 {
        let publisher = publisher.clone();
        let event = event.clone();
        pending.push(tokio::spawn(async move { publisher.publish_or_spool(&event).await }));
    }
    soon("something is spooled", async {
        while bus.spool_drained().await.unwrap() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    soon("the publisher is closed", publisher.close()).await;
    let mut full = 0;
    for pending in pending {
        if let Err(error) = pending.await.unwrap() {
            assert!(matches!(error.kind(), Kind::Full | Kind::Closed), "{error:?}");
            full += usize::from(error.kind() == Kind::Full);
        }
    }
    assert!(full > 0, "what did not fit failed as full");
}

/// As after a crash between the engine's answer and the ack: what was drained comes again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_drained_and_not_acked_is_drained_again_and_stored_once() {
    let (engine, spool) = (Faulty::open(), Faulty::with(queue()));
    let log = Arc::clone(&spool) as Arc<dyn Transport>;
    let bus = engine.bus().with_spool(Arc::clone(&log), BYTES_MAX).await.unwrap();
    let publisher = impatient(&bus);
    set_down(&engine, Some(away()));
    publish(&publisher, 0..3).await;
    let broken = Error::unknown(Kind::Unavailable, "the disk failed; check the disk");
    spool.settle_faults.lock().unwrap().push_back(broken);
    set_down(&engine, None);
    let error = soon("the failure", async {
        loop {
            if let Err(error) = bus.spool_drained().await {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(error.to_string().contains("check the disk"), "{error}");
    // Nothing overtakes what is not drained any more.
    let error = publisher.publish(&tick(3)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry));
    assert_eq!(engine.minutes().await, [0]);
    drop((publisher, bus));
    let bus = engine.bus().with_spool(log, BYTES_MAX).await.unwrap();
    drained(&bus).await;
    assert_eq!(engine.minutes().await, [0, 1, 2]);
}

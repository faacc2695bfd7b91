//! A log next to an engine, both in directories.

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use worldbus_bus::{DeadEvent, Position, ReadSpec, SubscriptionName};
use worldbus_conformance::{batch, next, spec, topic};
use worldbus_testkit::Watched;
use worldbus_transport_embedded::{Embedded, Options};

fn open(dir: &tempfile::TempDir, name: &str) -> Arc<dyn Transport> {
    let options = Options { sync: false, ..Options::default() };
    Arc::new(Embedded::open(dir.path().join(name), options).unwrap())
}

fn fill(
    engine: &Arc<dyn Transport>,
    log: &Arc<dyn Transport>,
    slot: Slot,
    stop: &CancellationToken,
) -> JoinHandle<Result<(), Error>> {
    let mirror = Mirror::new(Arc::clone(engine), Arc::clone(log));
    let stop = stop.clone();
    tokio::spawn(async move { mirror.fill(slot, vec![topic("t")], stop, |_| {}).await })
}

#[tokio::test]
async fn what_comes_for_a_slot_that_is_not_ours_any_more_is_left_to_who_has_it() {
    const EVENTS: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let (engine, theirs, ours) = (open(&dir, "engine"), open(&dir, "theirs"), open(&dir, "ours"));
    let stop = CancellationToken::new();
    let name = SubscriptionName::new("event-bus").unwrap();
    // The subscription begins here.
    let begin = engine.subscribe(spec("event-bus", &["t"], Position::Start)).await.unwrap();
    begin.close().await.unwrap();
    let lost = fill(&engine, &ours, Slot::lost(name.clone()), &stop);
    let kept = fill(&engine, &theirs, Slot::sole(name), &stop);
    for sequence in 0..EVENTS {
        engine.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let read = ReadSpec::topics([topic("t")], Position::Start, true);
    let mut reader = theirs.read(read).await.unwrap();
    for _ in 0..EVENTS {
        tokio::time::timeout(Duration::from_secs(60), reader.next()).await.unwrap().unwrap();
    }
    stop.cancel();
    kept.await.unwrap().unwrap();
    lost.await.unwrap().unwrap();
    assert_eq!(ours.topics().await.unwrap(), []);
}

#[tokio::test]
async fn dead_letters_of_the_engine_count_as_well_as_those_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, log) = (open(&dir, "engine"), open(&dir, "log"));
    for (transport, count) in [(&engine, 3), (&log, 1)] {
        transport.publish(&topic("t"), batch(1, 0..count)).await.unwrap();
        let spec = spec("s", &["t"], Position::Start);
        let mut consumer = transport.subscribe(spec).await.unwrap();
        let delivered = next(&mut consumer).await;
        let dead = (0..count as u32).map(|index| DeadEvent {
            index,
            reason: "no".to_owned(),
            attempts: 1,
            first_failed_ms: 1,
            last_failed_ms: 2,
        });
        consumer.settler().dead_letter(&delivered.lease, dead.collect()).await.unwrap();
    }
    let mirror = Mirror::new(Arc::clone(&engine), log);
    assert_eq!(Transport::dead_letter_count(&mirror).await.unwrap(), Some(4));
}

#[tokio::test]
async fn what_the_log_is_taking_at_a_shutdown_does_not_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, log) = (open(&dir, "engine"), open(&dir, "log"));
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&begun), Arc::clone(&go));
    let slow = Watched::new(log, move |_, _| {
        let (begun, go) = signals.clone();
        async move {
            begun.notify_one();
            go.notified().await;
        }
    });
    let subscription = spec("event-bus", &["t"], Position::Start);
    engine.subscribe(subscription.clone()).await.unwrap().close().await.unwrap();
    engine.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let (stop, log) = (CancellationToken::new(), slow as Arc<dyn Transport>);
    let filling = fill(&engine, &log, Slot::sole(subscription.name.clone()), &stop);
    begun.notified().await;
    stop.cancel();
    // The shutdown is noticed before the log is done.
    tokio::task::yield_now().await;
    go.notify_one();
    filling.await.unwrap().unwrap();
    engine.publish(&topic("t"), batch(1, 1..2)).await.unwrap();
    let mut consumer = engine.subscribe(subscription).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch.iter().next().unwrap().id.sequence, 1, "the first came again");
}

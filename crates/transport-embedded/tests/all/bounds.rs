//! What one caller can make the log hold is bounded, and a start beyond the end is the end.

use worldbus_bus::{DeadEvent, Position, ReadSpec, Transport};
use worldbus_conformance::{batch, next, soon, spec, topic};
use worldbus_transport_embedded::{Embedded, Options};

fn open(dir: &tempfile::TempDir) -> Embedded {
    Embedded::open(dir.path(), Options { sync: false, ..Options::default() }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_that_begins_beyond_the_end_gets_what_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(&dir);
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let beyond = |name: &str| ReadSpec::topics([topic(name)], Position::Offset(1 << 63), true);
    let mut readers =
        [bus.read(beyond("t")).await.unwrap(), bus.read(beyond("new")).await.unwrap()];
    bus.publish(&topic("t"), batch(1, 1..2)).await.unwrap();
    bus.publish(&topic("new"), batch(2, 0..1)).await.unwrap();
    for (reader, offset) in readers.iter_mut().zip([1, 0]) {
        let stored = soon("what comes next", reader.next()).await.unwrap().unwrap();
        assert_eq!(stored.offset, offset);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_of_a_full_batch_are_set_aside_in_one_call_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(&dir);
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    bus.publish(&topic("t"), batch(1, 0..4096)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let dead = |index| DeadEvent {
        index,
        reason: "r".repeat(500),
        attempts: 1,
        first_failed_ms: 0,
        last_failed_ms: 0,
    };
    // Larger than what one commit takes, so that it goes in parts; any order, and again.
    for _ in 0..2 {
        let events = (0..4096).rev().map(dead).collect();
        consumer.settler().dead_letter(&delivered.lease, events).await.unwrap();
    }
    let letters = bus.dead_letters(None, 10_000).await.unwrap();
    let mut indexes: Vec<_> = letters.iter().map(|letter| letter.event.index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..4096).collect::<Vec<_>>());
}

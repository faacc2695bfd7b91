//! What only segments show: a log of the format before is taken over, what retention removes is
//! given back to the disk, what is left is enough to make the fold again, and what a broken start
//! leaves does not hinder the next one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::{
    Kind, Outcome, Position, ReadSpec, StoredBatch, SubscriptionName, SubscriptionSpec, Transport,
};
use worldbus_conformance::{batch, next, read_all, soon, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

fn options() -> Options {
    let retention = Options { retention_bytes: 200_000, unread_bytes: 0, ..Options::default() };
    Options { sync: false, segment_bytes_max: 64 << 10, ..retention }
}

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, options()).unwrap()
}

fn segments(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut segments: Vec<String> = names.filter(|name| name.ends_with(".seg")).collect();
    segments.sort_unstable();
    segments
}

fn segments_bytes(dir: &Path) -> u64 {
    // One may go meanwhile.
    let bytes = |name: &String| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
    segments(dir).iter().map(bytes).sum()
}

/// A directory as the last version of a format left it after a kill: `log.db`, and `log.db-wal`
/// with most of it.
fn format_3() -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format3");
    let dir = tempfile::tempdir().unwrap();
    for name in ["log.db", "log.db-wal"] {
        std::fs::copy(from.join(name), dir.path().join(name)).unwrap();
    }
    dir
}

/// What it holds: 25 batches on two topics, one that was deleted, a subscription, and four dead
/// letters, of which one was replayed.
async fn check_format_3(bus: &Embedded) {
    let all = read_all(bus, ReadSpec::all(Position::Start, false)).await;
    let sequences: Vec<u64> = all.iter().map(|stored| stored.batch.first_id().sequence).collect();
    assert_eq!(sequences[..24], (0..24).map(|batch| batch * 10).collect::<Vec<_>>());
    assert_eq!(all.len(), 25);
    assert_eq!(all[2].batch, typed(1, 20..23, 6, Some("ghent"), 300));
    let letters = bus.dead_letters(None, 10).await.unwrap();
    let ids: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids, ["3", "2", "1"]);
    let duplicate = bus.publish(&topic("t0"), typed(1, 0..3, 6, Some("ghent"), 20)).await.unwrap();
    assert_eq!(duplicate.offset, None, "event ids are remembered");
    let mut consumer = bus.subscribe(spec("s", &["t0", "t1"], Position::Now)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_ne!(delivered.lease.offset, 0, "what was settled does not come again");
    let topics = bus.topics().await.unwrap();
    assert_eq!(topics.len(), 2, "{topics:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_the_format_before_is_taken_over_whole() {
    let dir = format_3();
    let bus = open(dir.path());
    check_format_3(&bus).await;
    bus.publish(&topic("t0"), batch(7, 0..1)).await.unwrap();
    bus.close().await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("log.db")).unwrap()[63], 4);
    // The fold follows from the segments alone.
    std::fs::remove_file(dir.path().join("log.db")).unwrap();
    let bus = open(dir.path());
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_that_did_not_come_to_its_end_begins_again() {
    let (dir, done) = (format_3(), format_3());
    open(done.path()).close().await.unwrap();
    // Its segments are there, and the old log still: so it is the log.
    for name in segments(done.path()) {
        std::fs::copy(done.path().join(&name), dir.path().join(&name)).unwrap();
    }
    std::fs::write(dir.path().join("log-0000000099.seg.new"), "half").unwrap();
    check_format_3(&open(dir.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_of_the_format_before_is_refused_and_stays_as_it_is() {
    for (name, byte) in [("log.db", 30), ("log.db-wal", 9_000), ("log.db", 12_000)] {
        let dir = format_3();
        let path = dir.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[byte] ^= 4;
        std::fs::write(&path, &bytes).unwrap();
        match Embedded::open(dir.path(), options()) {
            // A page that the write-ahead log has newer.
            Ok(bus) => check_format_3(&bus).await,
            Err(refused) => {
                assert_eq!(refused.kind(), Kind::Damaged, "{refused}");
                assert!(refused.to_string().contains("log.db"), "{refused}");
                assert_eq!(segments(dir.path()), Vec::<String>::new());
                assert!(dir.path().join("log.db").exists());
            }
        }
    }
}

/// Sets one event aside, so that its letter is in an early segment.
async fn set_aside(bus: &Embedded) {
    let once = SubscriptionSpec { attempts_max: 1, ..spec("s", &["poison"], Position::Start) };
    let mut consumer = bus.subscribe(once).await.unwrap();
    let delivered = next(&mut consumer).await;
    let nack = Outcome::Nack(Duration::ZERO);
    consumer.settler().settle(&delivered.lease, nack).await.unwrap();
    soon("a dead letter", async {
        while bus.dead_letter_count().await.unwrap() == Some(0) {
            let _ = tokio::time::timeout(Duration::from_millis(20), consumer.next()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_go_with_their_batches_and_the_fold_is_made_again_from_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    bus.publish(&topic("poison"), batch(9, 0..1)).await.unwrap();
    set_aside(&bus).await;
    let name = SubscriptionName::new("reader").unwrap();
    drop(bus.subscribe(spec("reader", &["t"], Position::Start)).await.unwrap());
    bus.delete_topic(&topic("poison"), true).await.unwrap_or_else(|error| panic!("{error}"));
    bus.publish(&topic("kept"), batch(8, 0..1)).await.unwrap();
    set_aside_on(&bus, "kept").await;
    for sequence in 0..400 {
        bus.publish(&topic("t"), typed(1, sequence..sequence + 1, 6, None, 4_000)).await.unwrap();
    }
    bus.delete_topic(&topic("kept"), false).await.unwrap_err();
    // All that is kept of it is the dead letter: the batch goes by its age.
    soon("the first segments go", async {
        while segments(dir.path())[0].as_str() <= "log-0000000003.seg" {
            tokio::time::sleep(Duration::from_millis(20)).await;
            discard_kept(&bus).await;
        }
    })
    .await;
    soon("what is removed is given back to the disk", async {
        while segments_bytes(dir.path()) > 1_000_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;

    let dump = async |bus: &Embedded| {
        let all = read_all(bus, ReadSpec::all(Position::Start, false)).await;
        let all =
            all.into_iter().map(|StoredBatch { topic, offset, batch, .. }| (topic, offset, batch));
        let letters = bus.dead_letters(None, 100).await.unwrap();
        let lag = bus.subscriptions().await.unwrap();
        let lag = lag.into_iter().find(|status| status.name == name).unwrap().batches;
        (all.collect::<Vec<_>>(), letters, lag)
    };
    let before = dump(&bus).await;
    assert_eq!(before.1.len(), 1, "the letter was carried along");
    bus.close().await.unwrap();
    let fold = dir.path().join("log.db");
    let old = std::fs::read(&fold).unwrap();
    std::fs::remove_file(&fold).unwrap();
    let bus = open(dir.path());
    assert!(dump(&bus).await == before);
    bus.close().await.unwrap();
    assert!(!old.is_empty());
}

/// Sets the only event of a topic aside.
async fn set_aside_on(bus: &Embedded, name: &str) {
    let mut consumer = bus.subscribe(spec("keeper", &[name], Position::Start)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let reason = "kept".to_owned();
    let event = worldbus_bus::DeadEvent {
        index: 0,
        reason,
        attempts: 1,
        first_failed_ms: 0,
        last_failed_ms: 0,
    };
    consumer.settler().dead_letter(&delivered.lease, vec![event]).await.unwrap();
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
}

/// Publishes enough on its topic that the first batch is too much.
async fn discard_kept(bus: &Embedded) {
    let status = bus.topics().await.unwrap();
    let kept = status.iter().find(|status| status.topic == topic("kept")).unwrap();
    if kept.first_offset == 0 {
        let sequence = kept.next_offset;
        bus.publish(&topic("kept"), typed(8, sequence..sequence + 1, 6, None, 50_000))
            .await
            .unwrap();
    }
}

/// A topic with few batches among many of another, which retention removes.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_slow_topic_holds_no_segments_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    for turn in 0..60u64 {
        // Of one commit group, as far as the writer takes them together.
        let batches =
            (0..20).map(|index| typed(1, turn * 20 + index..turn * 20 + index + 1, 6, None, 4_000));
        let fast = batches.map(|batch| {
            let bus = bus.clone();
            async move { bus.publish(&topic("fast"), batch).await }
        });
        let slow = [("slow", 2), ("slower", 3)].map(|(name, producer)| {
            let bus = bus.clone();
            async move { bus.publish(&topic(name), batch(producer, turn..turn + 1)).await }
        });
        let (fast, slow) =
            (futures_util::future::join_all(fast), futures_util::future::join_all(slow));
        let (fast, slow) = tokio::join!(fast, slow);
        fast.into_iter().chain(slow).for_each(|published| drop(published.unwrap()));
    }
    let kept = async |bus: &Embedded| {
        let topics = [topic("slow"), topic("slower")];
        let all = read_all(bus, ReadSpec::topics(topics, Position::Start, false)).await;
        let all =
            all.into_iter().map(|StoredBatch { topic, offset, appended_ms, serial, batch }| {
                (topic, offset, appended_ms, serial, batch)
            });
        all.collect::<Vec<_>>()
    };
    let before = kept(&bus).await;
    assert_eq!(before.len(), 120);
    soon("segments of the other topic go", async {
        while segments_bytes(dir.path()) > 1_200_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(segments(dir.path())[0].as_str() > "log-0000000020.seg");
    assert!(kept(&bus).await == before);
    let copy = crate::copy_of(dir.path());
    bus.close().await.unwrap();
    for dir in [dir.path(), copy.path()] {
        assert!(kept(&open(dir)).await == before, "after a restart");
        std::fs::remove_file(dir.join("log.db")).unwrap();
        assert!(kept(&open(dir)).await == before, "with a fold that was made again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fold_that_is_older_than_the_segments_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let early = crate::copy_of(dir.path());
    for sequence in 1..300 {
        bus.publish(&topic("t"), typed(1, sequence..sequence + 1, 6, None, 4_000)).await.unwrap();
    }
    soon("the first segments go", async {
        while segments(dir.path())[0].as_str() <= "log-0000000003.seg" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let expected = read_all(&bus, ReadSpec::all(Position::Start, false)).await.len();
    bus.close().await.unwrap();
    for name in ["log.db", "log.db-wal"] {
        std::fs::copy(early.path().join(name), dir.path().join(name)).unwrap();
    }
    let bus = open(dir.path());
    assert_eq!(read_all(&bus, ReadSpec::all(Position::Start, false)).await.len(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_start_leaves_does_not_hinder_the_next() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["log-0000000001.seg.new", "log.db.new", "log.db.new-wal", "log.db.new-journal"] {
        std::fs::write(dir.path().join(name), "half of it").unwrap();
    }
    let bus = open(dir.path());
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    bus.close().await.unwrap();
    // As after a kill between the first segment and its fold, with what another fold left.
    std::fs::remove_file(dir.path().join("log.db")).unwrap();
    std::fs::write(dir.path().join("log.db-wal"), "of another").unwrap();
    let bus = open(dir.path());
    assert_eq!(read_all(&bus, ReadSpec::all(Position::Start, false)).await.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_without_its_lock_file_is_not_opened_twice() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    std::fs::remove_file(dir.path().join("lock")).unwrap();
    let refused = Embedded::open(dir.path(), options()).err().unwrap();
    assert_eq!(refused.kind(), Kind::InUse);
    drop(bus);
    open(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_has_the_index_locked_holds_no_publisher_up() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    let person = rusqlite::Connection::open(dir.path().join("log.db")).unwrap();
    person.execute_batch("BEGIN IMMEDIATE").unwrap();
    for sequence in 0..20 {
        let name = topic("t");
        let published = bus.publish(&name, batch(1, sequence..sequence + 1));
        tokio::time::timeout(Duration::from_secs(2), published).await.unwrap().unwrap();
        // In all longer than the index lets commits gather, so that it meets the lock.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(read_all(&bus, ReadSpec::all(Position::Start, false)).await.len(), 20);
    person.execute_batch("ROLLBACK").unwrap();
    assert!(bus.dead_letters(None, 1).await.unwrap().is_empty());
}

/// Dead letters and cursors alone make the write-ahead log of the fold long; it is moved into the
/// database as it grows.
#[tokio::test(flavor = "multi_thread")]
async fn letters_and_cursors_do_not_make_the_write_ahead_log_grow_without_bound() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), Options { sync: false, ..Options::default() }).unwrap();
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    let bus = Arc::new(bus);
    let mut longest = 0;
    for sequence in 0..100 {
        let large = typed(1, sequence * 4..sequence * 4 + 4, 6, None, 200_000);
        bus.publish(&topic("t"), large).await.unwrap();
        let delivered = next(&mut consumer).await;
        let event = |index| worldbus_bus::DeadEvent {
            index,
            reason: "too large".to_owned(),
            attempts: 1,
            first_failed_ms: 0,
            last_failed_ms: 0,
        };
        let events = (0..4).map(event).collect();
        consumer.settler().dead_letter(&delivered.lease, events).await.unwrap();
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
        let wal = std::fs::metadata(dir.path().join("log.db-wal")).map_or(0, |file| file.len());
        longest = longest.max(wal);
    }
    assert!(longest < 64 << 20, "{longest} bytes");
}

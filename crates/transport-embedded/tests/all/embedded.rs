//! What only the embedded log can show: restarts, locks, retention. The contract is in
//! `conformance`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use worldbus_bus::{
    Appended, DeadEvent, Fate, Kind, Outcome, Position, ReadSpec, SubscriptionName,
    SubscriptionSpec, Transport, WallClock,
};
use worldbus_conformance::{batch, id, next, read_all, soon, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, Options { sync: false, ..Options::default() }).unwrap()
}

#[derive(Default)]
struct Clock(AtomicI64);

impl WallClock for Clock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn steady_us(&self) -> i64 {
        self.now_us()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_given_up_leaves_the_reader_whole() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { tail_bytes_max: 0, sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    for sequence in 0..50 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let mut reader = bus.read(ReadSpec::all(Position::Start, false)).await.unwrap();
    let mut read = 0;
    loop {
        // Each first poll begins a read on the disk, and giving up leaves it running.
        let given_up = tokio::time::timeout(Duration::ZERO, reader.next()).await;
        let next = match given_up {
            Ok(next) => next,
            Err(_) => reader.next().await,
        };
        if next.unwrap().is_none() {
            break;
        }
        read += 1;
    }
    assert_eq!(read, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_continues_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    for sequence in 0..5 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let settler = consumer.settler();
    let acked = next(&mut consumer).await;
    settler.settle(&acked.lease, Outcome::Ack).await.unwrap();
    let held = next(&mut consumer).await;
    let nacked = next(&mut consumer).await;
    settler.settle(&nacked.lease, Outcome::Nack(Duration::ZERO)).await.unwrap();
    bus.close().await.unwrap();
    assert_eq!(soon("the end", consumer.next()).await.unwrap_err().kind(), Kind::Closed);
    let closed = bus.publish(&topic("t"), batch(9, 0..1)).await.unwrap_err();
    assert_eq!((closed.kind(), closed.fate()), (Kind::Closed, Fate::Refused));

    let bus = open(dir.path());
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!((again.lease.offset, again.lease.attempt), (2, 2), "nacked before the restart");
    assert_eq!(again.batch, nacked.batch);
    assert_eq!(next(&mut consumer).await.lease.offset, 3, "the lease of 1 outlives the restart");
    consumer.settler().settle(&held.lease, Outcome::Ack).await.unwrap();
    let twice = consumer.settler().settle(&acked.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(twice.kind(), Kind::LeaseLost);
    let appended = bus.publish(&topic("t"), batch(1, 3..8)).await.unwrap();
    assert_eq!(
        appended,
        Appended { offset: Some(5), duplicates: vec![0, 1] },
        "across the restart"
    );
    let whole = bus.publish(&topic("t"), batch(1, 0..8)).await.unwrap();
    assert_eq!(whole, Appended { offset: None, duplicates: (0..8).collect() });
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), 6);
    assert_eq!(all[5].batch.first_id(), id(1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_opening_is_refused_until_the_first_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    let refused = Embedded::open(dir.path(), Options::default()).err().unwrap();
    assert_eq!((refused.kind(), refused.fate()), (Kind::InUse, Fate::Refused));
    let text = refused.to_string();
    assert!(text.contains(dir.path().to_str().unwrap()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    let second = bus.clone();
    drop(bus);
    assert!(Embedded::open(dir.path(), Options::default()).is_err());
    drop(second);
    open(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_format_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let file = dir.path().join("log.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[63] = 5;
    std::fs::write(&file, bytes).unwrap();
    let refused = Embedded::open(dir.path(), Options::default()).err().unwrap();
    assert!(refused.to_string().contains("format 5, this one knows 4"), "{refused}");
    assert!(refused.to_string().contains("upgrade"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_removes_the_oldest_and_subscriptions_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::default());
    let options = Options {
        retention_age: Duration::from_secs(60),
        retention_bytes: 20_000,
        unread_age: Duration::ZERO,
        unread_bytes: 0,
        clock: Arc::<Clock>::clone(&clock),
        sync: false,
        ..Options::default()
    };
    let bus = Embedded::open(dir.path(), options.clone()).unwrap();
    let mut late = bus.subscribe(spec("late", &["t"], Position::Now)).await.unwrap();
    for sequence in 0..20 {
        bus.publish(&topic("t"), typed(1, sequence..sequence + 1, 6, None, 4_000)).await.unwrap();
        bus.publish(&topic("small"), batch(2, sequence..sequence + 1)).await.unwrap();
    }
    let first = |name: &'static str| {
        let bus = bus.clone();
        async move {
            let topics = bus.topics().await.unwrap();
            topics.iter().find(|status| status.topic == topic(name)).unwrap().clone()
        }
    };
    soon("retention by bytes", async {
        while first("t").await.bytes > 20_000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let status = first("t").await;
    assert!((15..20).contains(&status.first_offset), "{status:?}");
    assert_eq!(first("small").await.first_offset, 0);
    assert_eq!(next(&mut late).await.lease.offset, status.first_offset);
    soon("retention by age", async {
        while first("small").await.first_offset < 20 {
            clock.0.fetch_add(1_000_000, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(clock.0.load(Ordering::Relaxed) >= 60_000_000);
    bus.publish(&topic("t"), batch(3, 0..1)).await.unwrap();
    drop((bus, late));
    let bus = Embedded::open(dir.path(), options).unwrap();
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_dead_letters_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dead_letters_max: 3, sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options.clone()).unwrap();
    let once = SubscriptionSpec { attempts_max: 1, ..spec("s", &["t"], Position::Now) };
    let mut consumer = bus.subscribe(once).await.unwrap();
    for sequence in 0..5 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
        let delivered = next(&mut consumer).await;
        let nack = Outcome::Nack(Duration::from_secs(600));
        consumer.settler().settle(&delivered.lease, nack).await.unwrap();
        bus.publish(&topic("t"), batch(2, sequence..sequence + 1)).await.unwrap();
        let other = next(&mut consumer).await;
        consumer.settler().settle(&other.lease, Outcome::Ack).await.unwrap();
    }
    drop((bus, consumer));
    let bus = Embedded::open(dir.path(), options).unwrap();
    let name = SubscriptionName::new("s").unwrap();
    let letters = bus.dead_letters(Some(&name), 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| &letter.id).collect::<Vec<_>>(), ["4", "3", "2"]);
}

/// A log that sets each second of what is published on `t` aside, and what became of it.
struct Poisoned {
    dir: tempfile::TempDir,
    options: Options,
    bus: Embedded,
    name: SubscriptionName,
    published: u64,
}

impl Poisoned {
    fn open(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { sync: false, ..options };
        let bus = Embedded::open(dir.path(), options.clone()).unwrap();
        Self { dir, options, bus, name: SubscriptionName::new("s").unwrap(), published: 0 }
    }

    fn spec() -> SubscriptionSpec {
        SubscriptionSpec { attempts_max: 1, ..spec("s", &["t"], Position::Now) }
    }

    async fn set_aside(&mut self, count: u64) {
        let mut consumer = self.bus.subscribe(Self::spec()).await.unwrap();
        for _ in 0..count {
            let sequence = self.published;
            self.bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
            let delivered = next(&mut consumer).await;
            let nack = Outcome::Nack(Duration::from_secs(600));
            consumer.settler().settle(&delivered.lease, nack).await.unwrap();
            self.bus.publish(&topic("t"), batch(2, sequence..sequence + 1)).await.unwrap();
            let other = next(&mut consumer).await;
            consumer.settler().settle(&other.lease, Outcome::Ack).await.unwrap();
            self.published += 1;
        }
    }

    async fn ids(&self) -> Vec<String> {
        let letters = self.bus.dead_letters(Some(&self.name), 10).await.unwrap();
        letters.into_iter().map(|letter| letter.id).collect()
    }

    fn reopened(self) -> Self {
        let Self { dir, options, bus, name, published } = self;
        drop(bus);
        let bus = Embedded::open(dir.path(), options.clone()).unwrap();
        Self { dir, options, bus, name, published }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_out_is_not_missed_and_makes_room() {
    let options = Options { dead_letters_max: 3, ..Options::default() };
    let mut log = Poisoned::open(options);
    log.set_aside(3).await;
    log.bus.discard_dead_letters(&log.name, &["1".to_owned()]).await.unwrap();
    let mut log = log.reopened();
    assert_eq!(log.ids().await, ["2", "0"]);
    log.set_aside(2).await;
    assert_eq!(log.ids().await, ["4", "3", "2"]);
    let both = ["2".to_owned(), "3".to_owned()];
    assert!(log.bus.replay_dead_letters(&log.name, &both).await.unwrap().is_empty());
    let log = log.reopened();
    assert_eq!(log.ids().await, ["4"]);
    let mut consumer = log.bus.subscribe(Poisoned::spec()).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..2 {
        let delivered = next(&mut consumer).await;
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
        found.extend(delivered.batch.iter().map(|event| event.id));
    }
    assert_eq!(found, [id(1, 2), id(1, 3)]);
    let mut log = log.reopened();
    log.set_aside(3).await;
    assert_eq!(log.ids().await, ["7", "6", "5"]);
}

/// Consumers of a subscription that is bound to others meanwhile get it still.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_is_for_its_subscription_only() {
    let mut log = Poisoned::open(Options::default());
    log.set_aside(1).await;
    log.bus.replay_dead_letters(&log.name, &["0".to_owned()]).await.unwrap();
    let topics = log.bus.topics().await.unwrap();
    assert_eq!(topics.iter().map(|one| one.topic.as_str()).collect::<Vec<_>>(), ["t"]);
    let all = read_all(&log.bus, ReadSpec::all(Position::Start, false)).await;
    assert_eq!(all.len(), 2);
    for ours in ["_replay-0-0", "_"] {
        let ours = topic(ours);
        let publish = log.bus.publish(&ours, batch(3, 0..1)).await.err();
        let subscribe = log.bus.subscribe(spec("r", &[ours.as_str()], Position::Now)).await.err();
        let listed = ReadSpec::topics([ours.clone()], Position::Start, false);
        let read = log.bus.read(listed).await.err();
        for refused in [publish, subscribe, read] {
            assert_eq!(refused.unwrap().kind(), Kind::Invalid);
        }
    }
    let mut consumer = log.bus.subscribe(spec("s", &["elsewhere"], Position::Now)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch.first_id(), id(1, 0));
    assert_eq!(delivered.lease.topic, topic("t"));
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
}

/// What is polled once and dropped while it waits in line is not appended.
#[tokio::test]
async fn a_publish_that_is_dropped_in_line_is_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { queue_bytes_max: 0, sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    for sequence in 0..50 {
        let name = topic("t");
        let kept = bus.publish(&name, batch(1, sequence..sequence + 1));
        let mut dropped = bus.publish(&name, batch(2, sequence..sequence + 1));
        let (appended, ()) = tokio::join!(kept, async {
            let _ = tokio::time::timeout(Duration::ZERO, &mut dropped).await;
        });
        appended.unwrap();
        drop(dropped);
    }
    let all = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    let kept = all.iter().filter(|stored| stored.batch.first_id().producer == id(1, 0).producer);
    assert_eq!(kept.count(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_filter_are_those_of_the_last_opening() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    let one = |topics| SubscriptionSpec { in_flight_max: 1, ..spec("s", topics, Position::Now) };
    let mut consumer = bus.subscribe(one(&["a"])).await.unwrap();
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    let held = next(&mut consumer).await;
    bus.subscribe(one(&["b"])).await.unwrap();
    bus.publish(&topic("a"), batch(1, 1..2)).await.unwrap();
    bus.publish(&topic("b"), batch(1, 2..3)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.lease.topic, topic("b"), "what was held of a takes no room any more");
    let lost = consumer.settler().settle(&held.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(lost.kind(), Kind::LeaseLost);
}

/// One of a kind more than there may be.
#[tokio::test(flavor = "multi_thread")]
async fn topics_and_subscriptions_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let bounds = Options { topics_max: 2, subscriptions_max: 1, ..Options::default() };
    let bus = Embedded::open(dir.path(), Options { sync: false, ..bounds }).unwrap();
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    bus.subscribe(spec("s", &["b"], Position::Now)).await.unwrap();
    let topics = bus.publish(&topic("c"), batch(1, 1..2)).await.unwrap_err();
    let subscriptions = bus.subscribe(spec("r", &["a"], Position::Now)).await.err().unwrap();
    assert_eq!((topics.kind(), subscriptions.kind()), (Kind::TooLarge, Kind::TooLarge));
    bus.subscribe(spec("s", &["a"], Position::Now)).await.unwrap();
    bus.publish(&topic("b"), batch(1, 1..2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_replays_do_not_take_the_places_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options {
        topics_max: 3,
        topics_kept: Arc::new(|| vec![topic("time")]),
        subscriptions_max: 2,
        subscriptions_kept: vec![SubscriptionName::new("weather-manager").unwrap()],
        sync: false,
        ..Options::default()
    };
    let bus = Embedded::open(dir.path(), options()).unwrap();
    for (name, producer) in [("a", 2), ("b", 3)] {
        bus.publish(&topic(name), batch(producer, 0..1)).await.unwrap();
    }
    let full = bus.publish(&topic("c"), batch(1, 0..1)).await.unwrap_err();
    assert_eq!(full.kind(), Kind::TooLarge);
    let mut garbage = bus.subscribe(spec("garbage", &["a"], Position::Start)).await.unwrap();
    let full = bus.subscribe(spec("more", &["a"], Position::Now)).await.err().unwrap();
    assert_eq!(full.kind(), Kind::TooLarge);
    let delivered = next(&mut garbage).await;
    let (reason, first_failed_ms, last_failed_ms) = (String::new(), 0, 0);
    let dead = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms, last_failed_ms };
    garbage.settler().dead_letter(&delivered.lease, vec![dead]).await.unwrap();
    let letters = bus.dead_letters(None, 10).await.unwrap();
    let missing =
        bus.replay_dead_letters(&letters[0].subscription, &[letters[0].id.clone()]).await.unwrap();
    assert_eq!(missing, Vec::<String>::new());
    bus.close().await.unwrap();

    let bus = Embedded::open(dir.path(), options()).unwrap();
    bus.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    bus.subscribe(spec("weather-manager", &["time"], Position::Now)).await.unwrap();
    let full = bus.publish(&topic("c"), batch(1, 1..2)).await.unwrap_err();
    assert_eq!(full.kind(), Kind::TooLarge);
}

/// A commit that overwrites need not wait for a file that grows; and what was not written yet
/// is no damage to the next process.
#[tokio::test(flavor = "multi_thread")]
async fn commits_go_into_reserved_space() {
    let dir = tempfile::tempdir().unwrap();
    let log = Embedded::open(dir.path(), Options::default()).unwrap();
    let first = dir.path().join("log-0000000001.seg");
    let bytes = || std::fs::metadata(&first).unwrap().len();
    let reserved = bytes();
    for sequence in 0..20 {
        log.publish(&topic("time"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    assert_eq!((bytes(), reserved), (1 << 20, 1 << 20));

    let killed = crate::copy_of(dir.path());
    let read = read_all(&open(killed.path()), ReadSpec::all(Position::Start, false)).await;
    assert_eq!(read.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_keeps_what_is_not_settled_however_old_and_removes_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::default());
    let history = Options {
        retention_age: Duration::from_secs(60),
        retention_bytes: 1,
        clock: Arc::<Clock>::clone(&clock),
        sync: false,
        ..Options::default()
    };
    let queue = Options { queue: true, ..history.clone() };
    let bus = Embedded::open(dir.path(), queue).unwrap();
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for sequence in 0..3 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
        bus.publish(&topic("unread"), batch(2, sequence..sequence + 1)).await.unwrap();
    }
    let again = bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    assert_eq!(again.offset, Some(3), "a queue drops no duplicates");
    for _ in 0..2 {
        let delivered = next(&mut consumer).await;
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
    drop((bus, consumer));
    // Whoever opens it, it is a queue, for all its retention by age and bytes.
    clock.0.store(3_600_000_000, Ordering::Relaxed);
    let bus = Embedded::open(dir.path(), history).unwrap();
    let kept = || async {
        let topics = bus.topics().await.unwrap();
        topics.into_iter().map(|t| (t.first_offset, t.next_offset)).collect::<Vec<_>>()
    };
    soon("what is settled is removed", async {
        while kept().await != [(2, 4), (0, 3)] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let mut consumer = bus.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for offset in 2..4 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, offset);
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
    soon("the rest is removed", async {
        while kept().await != [(4, 4), (0, 3)] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[test]
fn a_history_is_not_opened_as_a_queue() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let queue = Options { queue: true, ..Options::default() };
    let error = Embedded::open(dir.path(), queue).err().unwrap();
    assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused));
    assert!(error.to_string().contains("choose another folder"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn link_or_fifo_in_the_place_of_a_file_is_refused_and_its_target_untouched() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let above = tempfile::tempdir().unwrap();
    let target = above.path().join("target");
    std::fs::write(&target, "theirs").unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o644)).unwrap();
    let segment = "log-0000000001.seg";
    for name in ["log.db", "log.db-wal", "log.db-shm", "lock", "queue", segment] {
        let dir = above.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        symlink(&target, dir.join(name)).unwrap();
        let refused = Embedded::open(&dir, Options::default()).err().unwrap();
        assert_eq!((refused.kind(), refused.fate()), (Kind::Invalid, Fate::Refused));
        let text = refused.to_string();
        assert!(text.contains("a symbolic link") && text.contains(name), "{text}");
        let mode = std::fs::metadata(&target).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o644, "{name}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs", "{name}");

        std::fs::remove_file(dir.join(name)).unwrap();
        assert!(Command::new("mkfifo").arg(dir.join(name)).status().unwrap().success());
        let refused = Embedded::open(&dir, Options::default()).err().unwrap().to_string();
        assert!(refused.contains("not a regular file"), "{refused}");
    }
    // The directory itself may be a link.
    symlink(above.path().join("data"), above.path().join("link")).unwrap();
    std::fs::create_dir(above.path().join("data")).unwrap();
    open(&above.path().join("link")).close().await.unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn log_is_for_its_user_alone_also_one_of_an_older_version() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| metadata(path).unwrap().permissions().mode() & 0o777;
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("data/bus");
    let bus = open(&dir);
    bus.publish(&topic("t"), batch(1, 0..3)).await.unwrap();
    let segment = "log-0000000001.seg";
    let all = ["log.db", "log.db-wal", "log.db-shm", "lock", segment];
    let files = all.map(|name| dir.join(name));
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!((mode(&dir), mode(&above.path().join("data"))), (0o700, 0o700));
    // As versions before left them, after a kill: with both files next to the log.
    let copy = above.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in &files {
        let to = copy.join(file.file_name().unwrap());
        std::fs::copy(file, &to).unwrap();
        set_permissions(&to, Permissions::from_mode(0o644)).unwrap();
    }
    set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    let old = open(&copy);
    assert_eq!(mode(&copy), 0o700);
    for name in all {
        assert_eq!(mode(&copy.join(name)), 0o600, "{name}");
    }
    old.close().await.unwrap();
    // What others keep next to it stays reachable.
    std::fs::write(copy.join("notes"), "").unwrap();
    set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    open(&copy).close().await.unwrap();
    assert_eq!(mode(&copy), 0o755);
}

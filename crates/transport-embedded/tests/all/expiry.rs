//! Unused subscriptions and topics: deleted after the time that the log was open, if that
//! is asked for, and never while they are still needed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::span;

use worldbus_bus::{
    Consumer, DeadEvent, ManualClock, Outcome, Position, ReadSpec, SubscriptionName, Transport,
    WallClock,
};
use worldbus_conformance::{batch, next, soon, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Large batches are removed at the next look, unless a subscription of their topic wants them.
fn options() -> Options {
    let expiry = Some(HOUR);
    Options {
        retention_bytes: 2_000,
        unread_age: 1000 * YEAR,
        subscription_expiry: expiry,
        topic_expiry: expiry,
        sync: false,
        ..Options::default()
    }
}

fn open(dir: &Path, clock: &Arc<ManualClock>, options: Options) -> Embedded {
    Embedded::open(dir, Options { clock: Arc::clone(clock) as Arc<dyn WallClock>, ..options })
        .unwrap()
}

/// A log of its own and its clock.
fn fresh(options: Options) -> (tempfile::TempDir, Arc<ManualClock>, Embedded) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(0)));
    let bus = open(dir.path(), &clock, options);
    (dir, clock, bus)
}

fn name(name: &str) -> SubscriptionName {
    SubscriptionName::new(name).unwrap()
}

async fn consumer(bus: &Embedded, name: &str, topic: &str) -> Box<dyn Consumer> {
    bus.subscribe(spec(name, &[topic], Position::Start)).await.unwrap()
}

/// Leaves the topic empty at the next look.
async fn publish_large(bus: &Embedded, to: &str, producer: u64, sequence: u64) {
    let large = typed(producer, sequence..sequence + 1, 6, None, 4_000);
    bus.publish(&topic(to), large).await.unwrap();
}

/// Waits until the writer has looked at everything since now: in each look, retention comes last.
async fn looked(bus: &Embedded) {
    let sequence = {
        let topics = bus.topics().await.unwrap();
        topics.iter().find(|status| status.topic == topic("canary")).map_or(0, |s| s.events_total)
    };
    publish_large(bus, "canary", 99, sequence).await;
    soon("retention has looked", async {
        let there = |status: &worldbus_bus::TopicStatus| status.first_offset < status.next_offset;
        let canary = topic("canary");
        while bus.topics().await.unwrap().iter().any(|one| one.topic == canary && there(one)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

async fn subscriptions(bus: &Embedded) -> Vec<String> {
    looked(bus).await;
    let all = bus.subscriptions().await.unwrap();
    all.iter().map(|status| status.name.to_string()).collect()
}

async fn topics(bus: &Embedded) -> Vec<String> {
    looked(bus).await;
    let all = bus.topics().await.unwrap();
    let all = all.iter().map(|status| status.topic.to_string());
    all.filter(|name| name != "canary").collect()
}

async fn idle(bus: &Embedded, subscription: &str) -> Duration {
    let all = bus.subscriptions().await.unwrap();
    all.iter().find(|status| status.name == name(subscription)).unwrap().idle.unwrap()
}

async fn topic_idle(bus: &Embedded, named: &str) -> Duration {
    let all = bus.topics().await.unwrap();
    all.iter().find(|status| status.topic == topic(named)).unwrap().idle.unwrap()
}

/// What a process that is killed now leaves behind.
fn killed(dir: &Path) -> tempfile::TempDir {
    crate::copy_of(dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unused_for_so_long_expires_whole_and_frees_its_place() {
    let (dir, clock, bus) = fresh(Options { subscriptions_max: 1, ..options() });
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    drop(consumer(&bus, "s", "t").await);
    clock.advance(HOUR - MINUTE);
    assert_eq!(subscriptions(&bus).await, ["s"]);
    assert_eq!(idle(&bus, "s").await, HOUR - MINUTE);
    let before = killed(dir.path());
    clock.advance(MINUTE);
    assert!(subscriptions(&bus).await.is_empty());
    let after = killed(dir.path());

    let again = Arc::new(ManualClock::new(0));
    let bus = open(after.path(), &again, Options { subscriptions_max: 1, ..options() });
    assert!(subscriptions(&bus).await.is_empty());
    drop(consumer(&bus, "another", "t").await);
    let bus = open(before.path(), &again, options());
    let mut consumer = consumer(&bus, "s", "t").await;
    assert_eq!(next(&mut consumer).await.batch, batch(1, 0..1), "killed before: all is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_expires_by_default() {
    let expiry = None;
    let (_dir, clock, bus) =
        fresh(Options { subscription_expiry: expiry, topic_expiry: expiry, ..options() });
    let default = Options::default();
    assert_eq!((default.subscription_expiry, default.topic_expiry), (None, None));
    bus.publish(&topic("free"), batch(1, 0..1)).await.unwrap();
    drop(consumer(&bus, "s", "t").await);
    clock.advance(100 * YEAR);
    assert_eq!(subscriptions(&bus).await, ["s"]);
    assert_eq!(topics(&bus).await, ["free", "t"]);
    assert_eq!(idle(&bus, "s").await, 100 * YEAR, "it is known all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn jump_of_the_clock_and_time_without_a_process_make_nothing_idle() {
    let (dir, clock, bus) = fresh(options());
    drop(consumer(&bus, "s", "t").await);
    clock.jump(YEAR);
    assert_eq!(subscriptions(&bus).await, ["s"]);
    bus.close().await.unwrap();
    let later = Arc::new(ManualClock::new(i64::MAX / 2));
    let bus = open(dir.path(), &later, options());
    assert_eq!(subscriptions(&bus).await, ["s"]);
    assert_eq!(idle(&bus, "s").await, Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_time_adds_up_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    for start in 0..3 {
        let clock = Arc::new(ManualClock::new(0));
        let bus = open(dir.path(), &clock, options());
        if start == 0 {
            publish_large(&bus, "free", 1, 0).await;
            drop(consumer(&bus, "s", "t").await);
        }
        assert_eq!(subscriptions(&bus).await, ["s"]);
        assert_eq!(idle(&bus, "s").await, start * 20 * MINUTE);
        assert_eq!(topic_idle(&bus, "free").await, start * 20 * MINUTE);
        clock.advance(20 * MINUTE);
        bus.close().await.unwrap();
    }
    let bus = open(dir.path(), &Arc::new(ManualClock::new(0)), options());
    assert!(subscriptions(&bus).await.is_empty());
    assert!(!topics(&bus).await.contains(&"free".to_owned()));
}

/// Opens what a kill leaves behind until `holds` does of it.
async fn after_a_kill(dir: &Path, what: &str, holds: impl AsyncFn(&Embedded) -> bool) {
    soon(what, async {
        loop {
            let left = killed(dir);
            if holds(&open(left.path(), &Arc::new(ManualClock::new(0)), options())).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_forgets_neither_idle_time_nor_a_use() {
    let (dir, clock, bus) = fresh(options());
    for (producer, one) in [(1, "idle"), (2, "used")] {
        bus.publish(&topic(one), batch(producer, 0..1)).await.unwrap();
        drop(consumer(&bus, one, "t").await);
    }
    looked(&bus).await;
    clock.advance(HOUR / 2);
    after_a_kill(dir.path(), "idle time is written, though nothing else is", async |bus| {
        idle(bus, "used").await == HOUR / 2 && topic_idle(bus, "used").await == HOUR / 2
    })
    .await;

    drop(consumer(&bus, "used", "t").await);
    after_a_kill(dir.path(), "the use of a subscription is written", async |bus| {
        assert_eq!(idle(bus, "idle").await, HOUR / 2);
        idle(bus, "used").await == Duration::ZERO
    })
    .await;
    drop(bus.read(ReadSpec::topics([topic("used")], Position::Now, true)).await.unwrap());
    after_a_kill(dir.path(), "the use of a topic is written", async |bus| {
        assert_eq!(topic_idle(bus, "idle").await, HOUR / 2);
        topic_idle(bus, "used").await == Duration::ZERO
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn number_of_an_expired_subscription_makes_no_new_one_idle() {
    let (dir, clock, bus) = fresh(Options { subscriptions_max: 1, ..options() });
    drop(consumer(&bus, "old", "t").await);
    clock.advance(HOUR / 2);
    bus.close().await.unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let bus = open(dir.path(), &clock, options());
    clock.advance(HOUR / 2);
    assert!(subscriptions(&bus).await.is_empty());
    let connected = consumer(&bus, "new", "t").await;
    let left = killed(dir.path());
    drop(connected);
    let bus = open(left.path(), &clock, options());
    assert_eq!(idle(&bus, "new").await, Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn consumer_that_is_connected_and_silent_keeps_its_subscription() {
    let (_dir, clock, bus) = fresh(options());
    let connected = consumer(&bus, "s", "t").await;
    clock.advance(YEAR);
    assert_eq!(subscriptions(&bus).await, ["s"]);
    assert_eq!(idle(&bus, "s").await, Duration::ZERO);
    drop(connected);
    clock.advance(HOUR - MINUTE);
    assert_eq!(subscriptions(&bus).await, ["s"], "its time began as the consumer went");
    clock.advance(MINUTE);
    assert!(subscriptions(&bus).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ack_without_a_consumer_is_a_use() {
    let (_dir, clock, bus) = fresh(options());
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let mut consumer = consumer(&bus, "s", "t").await;
    let delivered = next(&mut consumer).await;
    let settler = consumer.settler();
    drop(consumer);
    clock.advance(HOUR - MINUTE);
    // Late, yet no other consumer was given it.
    settler.settle(&delivered.lease, Outcome::Ack).await.unwrap();
    clock.advance(HOUR - MINUTE);
    assert_eq!(subscriptions(&bus).await, ["s"]);
    clock.advance(MINUTE);
    assert!(subscriptions(&bus).await.is_empty());
}

/// Sets aside the only batch of `t` by a subscription and ends its consumer.
async fn set_aside(bus: &Embedded, subscription: &str) {
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let mut consumer = consumer(bus, subscription, "t").await;
    let delivered = next(&mut consumer).await;
    let (reason, first_failed_ms, last_failed_ms) = (String::new(), 0, 0);
    let dead = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms, last_failed_ms };
    let settler = consumer.settler();
    settler.dead_letter(&delivered.lease, vec![dead]).await.unwrap();
    settler.settle(&delivered.lease, Outcome::Ack).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_keep_their_subscription_and_what_is_replayed_of_them_is_not_lost() {
    for replay in [true, false] {
        let (_dir, clock, bus) = fresh(options());
        set_aside(&bus, "s").await;
        clock.advance(YEAR);
        assert_eq!(subscriptions(&bus).await, ["s"]);
        let letters = bus.dead_letters(Some(&name("s")), 10).await.unwrap();
        let ids: Vec<_> = letters.into_iter().map(|letter| letter.id).collect();
        let missing = match replay {
            true => bus.replay_dead_letters(&name("s"), &ids).await.unwrap(),
            false => bus.discard_dead_letters(&name("s"), &ids).await.unwrap(),
        };
        assert_eq!((ids.len(), missing.len()), (1, 0));
        assert_eq!(subscriptions(&bus).await, ["s"], "that was a use");
        clock.advance(HOUR);
        assert!(subscriptions(&bus).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_never_expires_nor_does_a_queue() {
    let kept = Options {
        subscriptions_kept: vec![name("service")],
        topics_kept: Arc::new(|| vec![topic("time")]),
        ..options()
    };
    let (_dir, clock, bus) = fresh(kept);
    publish_large(&bus, "time", 1, 0).await;
    publish_large(&bus, "free", 2, 0).await;
    drop(consumer(&bus, "service", "t").await);
    looked(&bus).await;
    clock.advance(YEAR);
    assert_eq!(subscriptions(&bus).await, ["service"]);
    assert_eq!(topics(&bus).await, ["t", "time"]);

    let (_dir, clock, queue) = fresh(Options { queue: true, ..options() });
    drop(consumer(&queue, "silent", "t").await);
    let mut drain = consumer(&queue, "drain", "spool").await;
    clock.advance(YEAR);
    // What is settled is removed, in each look.
    queue.publish(&topic("spool"), batch(1, 0..1)).await.unwrap();
    let delivered = next(&mut drain).await;
    drain.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    soon("retention has looked", async {
        while queue.topics().await.unwrap().iter().all(|status| status.first_offset == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(queue.subscriptions().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_expires_once_it_is_empty_unbound_and_neither_published_to_nor_read() {
    let (_dir, clock, bus) = fresh(options());
    for (producer, one) in (1..).zip(["bound", "published", "read", "unused"]) {
        publish_large(&bus, one, producer, 0).await;
    }
    bus.publish(&topic("full"), batch(5, 0..1)).await.unwrap();
    let bound = consumer(&bus, "s", "bound").await;
    let read = ReadSpec::topics([topic("read")], Position::Now, true);
    let reader = bus.read(read).await.unwrap();
    // One of everything, as the event-bus has one, holds nothing.
    let of_all = bus.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    looked(&bus).await;
    clock.advance(HOUR - MINUTE);
    publish_large(&bus, "published", 2, 1).await;
    assert_eq!(topics(&bus).await, ["bound", "full", "published", "read", "unused"]);
    clock.advance(MINUTE);
    assert_eq!(topics(&bus).await, ["bound", "full", "published", "read"]);
    assert_eq!(topic_idle(&bus, "full").await, HOUR);
    assert_eq!(topic_idle(&bus, "published").await, MINUTE);
    drop((bound, reader, of_all));
    clock.advance(HOUR);
    assert!(subscriptions(&bus).await.is_empty());
    assert_eq!(topics(&bus).await, ["bound", "full"], "what was unread is there still");
}

/// The logs of this process: a line each, the level first.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn capture() -> Self {
        let lines = Self::default();
        tracing::subscriber::set_global_default(lines.clone()).unwrap();
        lines
    }

    fn with(&self, texts: &[&str]) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|line| texts.iter().all(|text| line.contains(text))).cloned().collect()
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn warning_comes_once_when_a_tenth_is_left_and_names_what_would_be_lost() {
    let lines = Lines::capture();
    let (_dir, clock, bus) = fresh(options());
    bus.publish(&topic("warned-of"), batch(1, 0..1)).await.unwrap();
    drop(consumer(&bus, "forgotten", "warned-of").await);
    let warnings =
        || lines.with(&["WARN", "subscription=forgotten", "unread=1", "is deleted soon"]);
    clock.advance(HOUR - 7 * MINUTE);
    looked(&bus).await;
    assert_eq!(warnings().len(), 0);
    for _ in 0..3 {
        clock.advance(MINUTE);
        looked(&bus).await;
        assert_eq!(warnings().len(), 1);
    }
    // Used in time; then again.
    drop(consumer(&bus, "forgotten", "warned-of").await);
    looked(&bus).await;
    clock.advance(HOUR - MINUTE);
    looked(&bus).await;
    assert_eq!(warnings().len(), 2);
    clock.advance(MINUTE);
    assert!(subscriptions(&bus).await.is_empty());
    let expired = lines.with(&["WARN", "subscription=forgotten", "unread=1", "idle_s=3600"]);
    assert_eq!(expired.len(), 1, "{expired:?}");
}

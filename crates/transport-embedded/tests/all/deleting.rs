//! Deleting topics and subscriptions of the embedded log: places, restarts, crashes, and what else
//! is known of them. What every transport promises is in `conformance`.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use worldbus_bus::{
    Consumer, DeadEvent, Delivered, Kind, Outcome, Position, ReadSpec, SubscriptionName, Transport,
};
use worldbus_conformance::{batch, next, read_all, soon, spec, topic};
use worldbus_transport_embedded::{Embedded, Options};

fn options() -> Options {
    Options { topics_max: 1, subscriptions_max: 1, sync: false, ..Options::default() }
}

fn name(name: &str) -> SubscriptionName {
    SubscriptionName::new(name).unwrap()
}

/// What a process that is killed now leaves behind.
fn killed(dir: &Path) -> tempfile::TempDir {
    crate::copy_of(dir)
}

/// Sets the event of a delivery aside.
async fn set_aside(consumer: &dyn Consumer, delivered: &Delivered) {
    let (reason, first_failed_ms, last_failed_ms) = (String::new(), 0, 0);
    let dead = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms, last_failed_ms };
    consumer.settler().dead_letter(&delivered.lease, vec![dead]).await.unwrap();
}

/// Ends a consumer and waits until that is known.
async fn end(bus: &Embedded, consumer: Box<dyn Consumer>) {
    consumer.close().await.unwrap();
    soon("the end of the consumer", async {
        while bus.subscriptions().await.unwrap().iter().any(|status| status.consumers > 0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_frees_its_place_at_once_and_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), options()).unwrap();
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    end(&bus, bus.subscribe(spec("s", &["a"], Position::Start)).await.unwrap()).await;
    let before = killed(dir.path());

    bus.delete_subscription(&name("s"), true).await.unwrap();
    bus.delete_topic(&topic("a"), true).await.unwrap();
    let after = killed(dir.path());
    for bus in [bus, Embedded::open(after.path(), options()).unwrap()] {
        assert_eq!(bus.topics().await.unwrap(), []);
        assert_eq!(bus.subscriptions().await.unwrap(), []);
        bus.publish(&topic("b"), batch(1, 1..2)).await.unwrap();
        let mut consumer = bus.subscribe(spec("r", &["b"], Position::Start)).await.unwrap();
        assert_eq!(next(&mut consumer).await.batch, batch(1, 1..2));
        let full = bus.publish(&topic("c"), batch(1, 2..3)).await.unwrap_err();
        assert_eq!(full.kind(), Kind::TooLarge);
    }

    // Killed before: nothing of it is gone.
    let bus = Embedded::open(before.path(), options()).unwrap();
    let mut consumer = bus.subscribe(spec("s", &["a"], Position::Now)).await.unwrap();
    assert_eq!(next(&mut consumer).await.batch, batch(1, 0..1));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_and_dead_letters_of_what_is_deleted_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), Options { sync: false, ..Options::default() }).unwrap();
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    bus.publish(&topic("b"), batch(2, 0..1)).await.unwrap();
    let mut consumer = bus.subscribe(spec("s", &["a", "b"], Position::Start)).await.unwrap();
    for _ in 0..2 {
        let delivered = next(&mut consumer).await;
        set_aside(&*consumer, &delivered).await;
    }
    let refused = bus.delete_topic(&topic("a"), false).await.unwrap_err().to_string();
    assert!(refused.contains("1 batch and 1 dead letter ") && refused.contains("to s"));

    // A consumer goes on with the topics that are left.
    bus.delete_topic(&topic("a"), true).await.unwrap();
    let letters = bus.dead_letters(None, 10).await.unwrap();
    assert_eq!(
        letters.into_iter().map(|letter| letter.topic).collect::<Vec<_>>(),
        [Some(topic("b"))]
    );
    bus.publish(&topic("b"), batch(2, 1..2)).await.unwrap();
    assert_eq!(next(&mut consumer).await.batch, batch(2, 1..2));
    let read = read_all(&bus, ReadSpec::all(Position::Start, false)).await;
    assert!(read.iter().all(|stored| stored.topic == topic("b")));

    let groups = || {
        let log = rusqlite::Connection::open(dir.path().join("log.db")).unwrap();
        log.query_row("SELECT count(*) FROM entry WHERE topic = 0", [], |row| row.get::<_, i64>(0))
    };
    soon("the batches are removed", async {
        while groups().unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Subscriptions get the numbers of deleted ones, and dead letters are known by that number.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_subscription_sets_aside_what_a_deleted_one_had_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), Options { sync: false, ..Options::default() }).unwrap();
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    // One that stays is before it, so that its place is kept.
    for one in ["stays", "s", "s", "s"] {
        let mut consumer = bus.subscribe(spec(one, &["a"], Position::Start)).await.unwrap();
        let delivered = next(&mut consumer).await;
        set_aside(&*consumer, &delivered).await;
        end(&bus, consumer).await;
        let letters = bus.dead_letters(Some(&name(one)), 10).await.unwrap();
        assert_eq!(letters.len(), 1, "{one}");
        if one == "s" {
            let refused = bus.delete_subscription(&name("s"), false).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::InUse, "{refused}");
            bus.delete_subscription(&name("s"), true).await.unwrap();
        }
    }
    assert_eq!(bus.dead_letters(None, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_the_catalogue_is_deleted_only_without_subscriptions() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kept);
    let topics_kept = Arc::new(move || seen.lock().unwrap().clone());
    let options = Options { topics_kept, sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    bus.publish(&topic("time"), batch(1, 0..1)).await.unwrap();
    // It comes into the catalogue while the log is open.
    kept.lock().unwrap().push(topic("time"));
    let mut consumer = bus.subscribe(spec("s", &["time"], Position::Start)).await.unwrap();
    let refused = bus.delete_topic(&topic("time"), true).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InUse, "{refused}");
    let delivered = next(&mut consumer).await;
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    end(&bus, consumer).await;
    bus.delete_subscription(&name("s"), false).await.unwrap();
    bus.delete_topic(&topic("time"), true).await.unwrap();
    bus.publish(&topic("time"), batch(1, 1..2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_deleted_subscriptions_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Embedded::open(dir.path(), Options { sync: false, ..Options::default() }).unwrap();
    let refused = bus.subscribe(spec("_deleted-0", &["a"], Position::Now)).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Invalid);
}

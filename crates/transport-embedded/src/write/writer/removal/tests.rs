//! What is on its way while its topic or subscription is deleted: the order of a race, by hand.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use crate::dead_letters::replay;
use crate::format::record::{Dead, DeadKey};
use crate::read::reader::LogReader;
use crate::subscription::runtime::Live;
use crate::write::queue::{Letter, Request, TakeOut};
use crate::{Embedded, Options};
use worldbus_bus::{DeadEvent, Position, ReadSpec, SubscriptionName, Transport as _};
use worldbus_conformance::{batch, next, soon, spec, topic};

fn open(dir: &std::path::Path) -> Embedded {
    Embedded::open(dir, Options { sync: false, ..Options::default() }).unwrap()
}

fn name(name: &str) -> SubscriptionName {
    SubscriptionName::new(name).unwrap()
}

fn live(bus: &Embedded, of: &str) -> Arc<Live> {
    Arc::clone(&bus.shared().subscriptions()[&name(of)])
}

/// Hands the writer a dead letter that was made before what it is of was deleted.
async fn late_letter(bus: &Embedded, live: &Arc<Live>, topic: u32) {
    let key = DeadKey { subscription: live.id, topic, offset: 9, index: 0 };
    let reason = String::new();
    let event = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms: 0, last_failed_ms: 0 };
    let dead = Dead { key, consumer: String::new(), event, batch: batch(1, 0..1).bytes().to_vec() };
    let (reply, answer) = oneshot::channel();
    let request = Request::DeadLetter { live: Arc::clone(live), letters: vec![dead], reply };
    let _place = bus.shared().queue.submit(request).unwrap();
    answer.await.unwrap().unwrap();
}

/// Hands the writer a replay whose letter was read before its topic was deleted.
async fn late_replay(bus: &Embedded, live: &Arc<Live>, number: u64) -> Vec<u64> {
    let letter = Letter { number, topic: 0, batch: batch(1, 0..1) };
    let take_out = TakeOut { live: Arc::clone(live), letters: vec![letter], replay: true };
    let (reply, answer) = oneshot::channel();
    let _place = bus.shared().queue.submit(Request::TakeOut(take_out, reply)).unwrap();
    answer.await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_and_replay_that_meet_the_deletion_of_their_topic_bring_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    let mut consumer = bus.subscribe(spec("s", &["a"], Position::Start)).await.unwrap();
    let delivered = next(&mut consumer).await;
    let reason = String::new();
    let event = DeadEvent { index: 0, reason, attempts: 1, first_failed_ms: 0, last_failed_ms: 0 };
    consumer.settler().dead_letter(&delivered.lease, vec![event]).await.unwrap();
    let live = live(&bus, "s");
    bus.delete_topic(&topic("a"), true).await.unwrap();

    late_letter(&bus, &live, 0).await;
    assert_eq!(late_replay(&bus, &live, 0).await, [0]);
    assert_eq!(late_replay(&bus, &live, 1).await, [1]);
    assert_eq!(bus.dead_letters(None, 10).await.unwrap(), []);
    assert_eq!(bus.shared().dead_letters.load(Ordering::Relaxed), 0);
    assert_eq!(live.lock().subscription.cursors.len(), 0);
    assert!(bus.shared().tail().heads().all(|head| replay::is_deleted(&head.name)));
    // A client that knows such a place is not given it either.
    assert_eq!(replay::place(&bus.shared().tail(), 0, 0), None);
}

/// The number of a deleted subscription is used again.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_of_a_deleted_subscription_is_not_that_of_one_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    let consumer = bus.subscribe(spec("s", &["a"], Position::Start)).await.unwrap();
    let old = live(&bus, "s");
    consumer.close().await.unwrap();
    soon("the end of the consumer", async {
        while old.consumers() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    bus.delete_subscription(&name("s"), true).await.unwrap();
    let _new = bus.subscribe(spec("r", &["a"], Position::Start)).await.unwrap();
    assert_eq!(live(&bus, "r").id, old.id);
    late_letter(&bus, &old, 0).await;
    assert_eq!(bus.dead_letters(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_that_fetches_while_a_topic_is_deleted_returns_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let bus = open(dir.path());
    bus.publish(&topic("a"), batch(1, 0..1)).await.unwrap();
    let read = ReadSpec::all(Position::Start, false);
    let mut reader = LogReader::open(Arc::clone(bus.shared()), read).await.unwrap();
    bus.delete_topic(&topic("a"), true).await.unwrap();
    assert_eq!(reader.fetch_for_test(0, 0).await, 0);
}

//! The router over a real engine: typed handlers, retry, poison, duplicates, shutdown.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::kit::{Faulty, tick};
use worldbus_bus::*;
use worldbus_events::v1::TimeUpdated;

type Seen = Arc<Mutex<Vec<i64>>>;

fn swift() -> RetryPolicy {
    RetryPolicy {
        attempts_max: 3,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(2),
    }
}

/// A router that notes minutes and ends after `last`.
fn noting(bus: &Bus, seen: &Seen, last: i64, done: &CancellationToken) -> Router {
    let (seen, done) = (Arc::clone(seen), done.clone());
    Router::new(bus, "test")
        .unwrap()
        .start(Position::Start)
        .retry(swift())
        .on(move |event: TimeUpdated, _: Message| {
            seen.lock().unwrap().push(event.total_minutes);
            if event.total_minutes == last {
                done.cancel();
            }
            async { Ok::<(), HandlerError>(()) }
        })
        .unwrap()
}

async fn publish(bus: &Bus, minutes: std::ops::RangeInclusive<i64>) {
    let publisher = bus.publisher("test", "europe");
    let mut pending = Vec::new();
    for minute in minutes {
        pending.push(publisher.enqueue(Some("here"), &tick(minute)).await.unwrap());
    }
    for pending in pending {
        pending.await.unwrap();
    }
}

#[tokio::test]
async fn typed_events_arrive_once_in_order_and_stay_settled() {
    let engine = Faulty::open();
    let bus = engine.bus();
    publish(&bus, 1..=100).await;
    let (seen, done) = (Seen::default(), CancellationToken::new());
    noting(&bus, &seen, 100, &done).run(done.clone()).await.unwrap();
    let again = CancellationToken::new();
    publish(&bus, 101..=101).await;
    noting(&bus, &seen, 101, &again).run(again.clone()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), (1..=101).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_poison_event_is_set_aside_and_its_batch_goes_on() {
    let engine = Faulty::gated();
    let bus = engine.bus();
    let publisher = bus.publisher("test", "europe");
    let mut pending = Vec::new();
    for minute in 0..10 {
        pending.push(publisher.enqueue(Some("here"), &tick(minute)).await.unwrap());
    }
    engine.gate.close();
    for pending in pending {
        pending.await.unwrap();
    }
    let (seen, done) = (Seen::default(), CancellationToken::new());
    let (noted, all) = (Arc::clone(&seen), done.clone());
    let router = Router::new(&bus, "test")
        .unwrap()
        .start(Position::Start)
        .retry(swift())
        .consumer("test-1")
        .on(move |event: TimeUpdated, _: Message| {
            noted.lock().unwrap().push(event.total_minutes);
            if event.total_minutes == 9 {
                all.cancel();
            }
            async move {
                match event.total_minutes {
                    4 => Err(HandlerError::temporary("cannot digest 4")),
                    7 => Err(HandlerError::permanent("never 7")),
                    _ => Ok(()),
                }
            }
        })
        .unwrap();
    router.run(done.clone()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9]);
    let name = SubscriptionName::new("test").unwrap();
    let letters = engine.inner.dead_letters(Some(&name), 10).await.unwrap();
    let mut facts: Vec<_> =
        letters.iter().map(|l| (&*l.event.reason, l.event.attempts, &*l.consumer)).collect();
    facts.sort_unstable();
    assert_eq!(facts, [("cannot digest 4", 3, "test-1"), ("never 7", 1, "test-1")]);
    assert!(letters.iter().all(|l| l.event.first_failed_ms <= l.event.last_failed_ms));
    let about_here = |letter: &DeadLetter| match &letter.content {
        DeadContent::Event(event) => event.metadata["entity"] == "here",
        DeadContent::Undecoded { .. } => false,
    };
    assert!(letters.iter().all(about_here));
}

#[tokio::test]
async fn a_failing_handler_is_tried_again_until_it_succeeds() {
    let engine = Faulty::open();
    let bus = engine.bus();
    publish(&bus, 1..=1).await;
    let attempts = Arc::new(AtomicU32::new(0));
    let (count, done) = (Arc::clone(&attempts), CancellationToken::new());
    let all = done.clone();
    let router = Router::new(&bus, "test")
        .unwrap()
        .start(Position::Start)
        .retry(swift())
        .on(move |_: TimeUpdated, _: Message| {
            let attempt = count.fetch_add(1, Ordering::Relaxed) + 1;
            let all = all.clone();
            async move {
                if attempt < 3 {
                    return Err(HandlerError::temporary("not yet"));
                }
                all.cancel();
                Ok(())
            }
        })
        .unwrap();
    router.run(done.clone()).await.unwrap();
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
    assert!(engine.inner.dead_letters(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redelivered_batch_does_not_reach_the_handler_twice() {
    let engine = Faulty::open();
    let bus = engine.bus();
    let refused = Error::refused(Kind::Unavailable, "the ack is lost");
    engine.settle_faults.lock().unwrap().push_back(refused);
    let (seen, done) = (Seen::default(), CancellationToken::new());
    let router = noting(&bus, &seen, 2, &done).lease(Duration::from_millis(200));
    let running = tokio::spawn(router.run(done.clone()));
    publish(&bus, 1..=1).await;
    // The second ack is that of the redelivery.
    let faults = Arc::clone(&engine.settle_faults);
    while !faults.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let settled = async {
        loop {
            let spec = probe(&engine).await;
            if spec {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled).await.unwrap();
    publish(&bus, 2..=2).await;
    running.await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 2]);
}

/// Whether the lease of the first delivery has ended by now: a second consumer waits a
/// little and gets nothing.
async fn probe(engine: &Arc<Faulty>) -> bool {
    let name = SubscriptionName::new("test").unwrap();
    let spec = SubscriptionSpec::new(name, vec![Topic::new("time").unwrap()]);
    let mut consumer = engine.bus().transport().subscribe(spec).await.unwrap();
    let next = tokio::time::timeout(Duration::from_millis(400), consumer.next()).await;
    if let Ok(Ok(delivered)) = next {
        let _ = consumer.settler().settle(&delivered.lease, Outcome::Release).await;
        return false;
    }
    true
}

#[tokio::test]
async fn layers_wrap_handlers_and_the_last_is_the_outermost() {
    struct Noting(BoxHandler, &'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Handler for Noting {
        async fn handle(&self, message: Message) -> Result<(), HandlerError> {
            self.2.lock().unwrap().push(self.1);
            self.0.handle(message).await
        }
    }

    let engine = Faulty::open();
    let bus = engine.bus();
    publish(&bus, 1..=1).await;
    let notes = Arc::new(Mutex::new(Vec::new()));
    let (inner, outer) = (Arc::clone(&notes), Arc::clone(&notes));
    let (seen, done) = (Seen::default(), CancellationToken::new());
    let router = noting(&bus, &seen, 1, &done)
        .layer(move |handler| Noting(handler, "inner", Arc::clone(&inner)))
        .layer(move |handler| Noting(handler, "outer", Arc::clone(&outer)));
    router.run(done.clone()).await.unwrap();
    assert_eq!(*notes.lock().unwrap(), ["outer", "inner"]);
}

#[tokio::test]
async fn as_many_events_as_allowed_are_handled_at_a_time_and_begin_in_order() {
    const AT_A_TIME: u32 = 8;
    let engine = Faulty::gated();
    let bus = engine.bus();
    let publisher = bus.publisher("test", "europe");
    let mut pending = Vec::new();
    for minute in 0..100 {
        let entity = format!("entity-{minute}");
        pending.push(publisher.enqueue(Some(&*entity), &tick(minute)).await.unwrap());
    }
    engine.gate.close();
    for pending in pending {
        pending.await.unwrap();
    }
    let (begun, most) = (Seen::default(), Arc::new(AtomicU32::new(0)));
    let (noted, busiest) = (Arc::clone(&begun), Arc::clone(&most));
    let (under_way, done) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let all = done.clone();
    let router = Router::new(&bus, "test")
        .unwrap()
        .start(Position::Start)
        .retry(swift())
        .concurrency(AT_A_TIME as usize)
        .on(move |event: TimeUpdated, _: Message| {
            let minute = event.total_minutes;
            noted.lock().unwrap().push(minute);
            let (under_way, all) = (Arc::clone(&under_way), all.clone());
            busiest.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            async move {
                // The later ones of those under way are done first.
                for _ in 0..=(99 - minute) % i64::from(AT_A_TIME) {
                    tokio::task::yield_now().await;
                }
                under_way.fetch_sub(1, Ordering::SeqCst);
                match minute {
                    40 | 60 => Err(HandlerError::permanent(format!("never {minute}"))),
                    99 => {
                        all.cancel();
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        })
        .unwrap();
    router.run(done.clone()).await.unwrap();
    assert_eq!(*begun.lock().unwrap(), (0..100).collect::<Vec<i64>>());
    assert_eq!(most.load(Ordering::SeqCst), AT_A_TIME);
    let letters = engine.inner.dead_letters(None, 10).await.unwrap();
    let mut reasons: Vec<_> = letters.iter().map(|letter| &*letter.event.reason).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["never 40", "never 60"]);
}

/// The engine takes its time to answer for a delivery: meanwhile the next ones are handled, and at
/// the end all answers are waited for.
#[tokio::test]
async fn deliveries_are_handled_while_those_before_them_are_settled() {
    let engine = Faulty::slow_to_settle();
    let bus = engine.bus();
    let (seen, done) = (Seen::default(), CancellationToken::new());
    let running = tokio::spawn(noting(&bus, &seen, 3, &done).run(done.clone()));
    for minute in 1..=3 {
        publish(&bus, minute..=minute).await;
    }
    tokio::time::timeout(Duration::from_secs(60), done.cancelled()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
    assert!(!running.is_finished());
    engine.settle_gate.add_permits(3);
    running.await.unwrap().unwrap();
    let status = engine.inner.subscriptions().await.unwrap();
    assert_eq!(status[0].batches, 0, "all are settled");
}

#[tokio::test]
async fn shutdown_hands_back_what_a_stuck_handler_holds() {
    let engine = Faulty::open();
    let bus = engine.bus();
    publish(&bus, 1..=1).await;
    let shutdown = CancellationToken::new();
    let stuck = shutdown.clone();
    let router = Router::new(&bus, "test")
        .unwrap()
        .start(Position::Start)
        .on(move |_: TimeUpdated, _: Message| {
            stuck.cancel();
            std::future::pending::<Result<(), HandlerError>>()
        })
        .unwrap();
    router.run(shutdown).await.unwrap();
    let (seen, done) = (Seen::default(), CancellationToken::new());
    let next = noting(&bus, &seen, 1, &done).run(done.clone());
    tokio::time::timeout(Duration::from_secs(60), next).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), [1], "handed back at once, not after its lease of 30 s");
}

#[tokio::test]
async fn a_router_without_handlers_is_refused() {
    let engine = Faulty::open();
    let error = Router::new(&engine.bus(), "test").unwrap().open().await.err().unwrap();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(Router::new(&engine.bus(), "Not A Name").is_err());
}

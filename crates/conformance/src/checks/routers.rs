//! Checks through a `Router`: what a handler sees, whatever the engine does.
//!
//! Their topics are those of the event types; each check has a subscription and a producer of its
//! own, and knows its events by them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::events::{id, topic};
use crate::wait::{pace, pass, soon};
use worldbus_bus::{
    Bus, CancellationToken, DeadContent, Error, HandlerError, Message, RetryPolicy, Router,
    SubscriptionName, Transport,
};
use worldbus_events::v1::TimeUpdated;
use worldbus_events::{About, Batch, BatchBuilder, Event, limits};

/// What a handler was given: sequence, and which delivery of its batch.
type Handled = Arc<watch::Sender<Vec<(u64, u32)>>>;

/// A running router.
struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Runs until it is stopped or dropped.
    async fn start(router: Router) -> Self {
        let open = router.open().await.unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(open.run(shutdown.clone()));
        Self { shutdown, task }
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        soon("the end of the router", &mut self.task).await.unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(transport: &Arc<dyn Transport>, subscription: &str) -> Router {
    let once =
        RetryPolicy { attempts_max: 2, delay_min: Duration::ZERO, delay_max: Duration::ZERO };
    let router = Router::new(&Bus::new(Arc::clone(transport)), subscription).unwrap();
    router.retry(once).consumer("contract")
}

/// Notes what is handled of a producer, unless `fails` is true.
fn noting(
    router: Router,
    producer: u64,
    handled: &Handled,
    fails: impl Fn(&TimeUpdated) -> bool + Clone + Send + Sync + 'static,
) -> Router {
    let handled = Arc::clone(handled);
    let handler = move |event: TimeUpdated, message: Message| {
        let (handled, failed) = (Arc::clone(&handled), fails(&event));
        async move {
            if message.id.producer != id(producer, 0).producer {
                return Ok(());
            }
            if failed {
                return Err(HandlerError::temporary("this one never"));
            }
            let note = (message.id.sequence, message.attempt());
            handled.send_modify(|handled| handled.push(note));
            Ok(())
        }
    };
    router.on(handler).unwrap()
}

/// Waits for so many, and a little for more; their sequences in order.
async fn of_all(handled: &Handled, count: usize) -> Vec<u64> {
    let mut seen = handled.subscribe();
    let wait = soon("the handler", seen.wait_for(|handled| handled.len() >= count));
    drop(wait.await.unwrap());
    pass(pace().quiet).await;
    let mut found: Vec<u64> = handled.borrow().iter().map(|(sequence, _)| *sequence).collect();
    found.sort_unstable();
    found
}

/// A batch of game minutes, their number their sequence.
fn minutes<'a>(
    producer: u64,
    sequences: std::ops::Range<u64>,
    about: impl Into<About<'a>>,
) -> Batch {
    let about = about.into();
    let mut builder = BatchBuilder::new("contract", "world");
    for sequence in sequences {
        let event = TimeUpdated { total_minutes: sequence as i64, ..TimeUpdated::default() };
        builder.push_event(&event, id(producer, sequence), 1_000, about).unwrap();
    }
    builder.finish().unwrap()
}

/// As a publisher does that did not learn the outcome of the first.
pub(crate) async fn a_batch_published_twice_is_handled_once(transport: &Arc<dyn Transport>) {
    let handled = Handled::default();
    let running = Running::start(noting(router(transport, "again"), 80, &handled, |_| false)).await;
    for _ in 0..2 {
        transport.publish(&topic(TimeUpdated::TOPIC), minutes(80, 0..10, None)).await.unwrap();
    }
    transport.publish(&topic(TimeUpdated::TOPIC), minutes(80, 10..11, None)).await.unwrap();
    assert_eq!(of_all(&handled, 11).await, (0..11).collect::<Vec<_>>());
    running.stop().await;
}

pub(crate) async fn a_poison_event_of_a_full_batch_is_isolated(transport: &Arc<dyn Transport>) {
    const EVENTS: u64 = limits::BATCH_EVENTS_MAX as u64;
    const POISON: u64 = 1234;
    let handled = Handled::default();
    let fails = |event: &TimeUpdated| event.total_minutes == POISON as i64;
    let running = Running::start(noting(router(transport, "poison"), 81, &handled, fails)).await;
    let full = minutes(81, 0..EVENTS, None);
    transport.publish(&topic(TimeUpdated::TOPIC), full.clone()).await.unwrap();
    transport
        .publish(&topic(TimeUpdated::TOPIC), minutes(81, EVENTS..EVENTS + 1, None))
        .await
        .unwrap();
    let found = of_all(&handled, EVENTS as usize).await;
    assert_eq!(found, (0..=EVENTS).filter(|&one| one != POISON).collect::<Vec<_>>());
    assert!(handled.borrow().iter().all(|(_, attempt)| *attempt == 1));
    running.stop().await;
    let name = SubscriptionName::new("poison").unwrap();
    let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let (event, expected) = (&letters[0].event, full.iter().nth(POISON as usize).unwrap());
    assert_eq!((event.index, event.attempts), (POISON as u32, 2));
    assert_eq!(event.reason, "this one never");
    assert_eq!(letters[0].content, DeadContent::Event(expected.to_game_event()));
}

/// The program that could not handle it was mended meanwhile, and runs still.
pub(crate) async fn a_replayed_event_is_handled_in_the_end(transport: &Arc<dyn Transport>) {
    let handled = Handled::default();
    let mended = Arc::new(AtomicBool::new(false));
    let fails = {
        let mended = Arc::clone(&mended);
        move |event: &TimeUpdated| event.total_minutes == 4 && !mended.load(Ordering::Relaxed)
    };
    let running = Running::start(noting(router(transport, "mended"), 84, &handled, fails)).await;
    transport.publish(&topic(TimeUpdated::TOPIC), minutes(84, 0..9, None)).await.unwrap();
    assert_eq!(of_all(&handled, 8).await, [0, 1, 2, 3, 5, 6, 7, 8]);
    let name = SubscriptionName::new("mended").unwrap();
    let letters = soon("the dead letter", async {
        loop {
            let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
            if !letters.is_empty() {
                return letters;
            }
            pass(Duration::from_millis(5)).await;
        }
    })
    .await;
    mended.store(true, Ordering::Relaxed);
    let ids: Vec<String> = letters.into_iter().map(|letter| letter.id).collect();
    assert!(transport.replay_dead_letters(&name, &ids).await.unwrap().is_empty());
    assert_eq!(of_all(&handled, 9).await, (0..9).collect::<Vec<_>>());
    running.stop().await;
}

/// Within a batch only the router leaves out events.
pub(crate) async fn a_router_hears_of_its_entities_only(transport: &Arc<dyn Transport>) {
    let handled = Handled::default();
    let filtered = router(transport, "entities").entities(["ghent".to_owned()]);
    let running = Running::start(noting(filtered, 82, &handled, |_| false)).await;
    let mut mixed = BatchBuilder::new("contract", "world");
    for sequence in 0..9 {
        let entity = [Some("ghent"), Some("liege"), None][sequence as usize % 3];
        let event = TimeUpdated::default();
        mixed.push_event(&event, id(82, sequence), 1_000, entity).unwrap();
    }
    let others = minutes(82, 10..12, Some("liege"));
    for batch in [others, mixed.finish().unwrap(), minutes(82, 20..22, Some("ghent"))] {
        transport.publish(&topic(TimeUpdated::TOPIC), batch).await.unwrap();
    }
    assert_eq!(of_all(&handled, 5).await, [0, 3, 6, 20, 21]);
    running.stop().await;
}

/// Within a batch the router leaves out events by place, too.
pub(crate) async fn a_router_gets_events_of_its_places_only(transport: &Arc<dyn Transport>) {
    let handled = Handled::default();
    let at_market = router(transport, "places").places(["market".to_owned()]);
    let running = Running::start(noting(at_market, 85, &handled, |_| false)).await;
    let npc = About::from("npc-7");
    let mut mixed = BatchBuilder::new("contract", "world");
    for sequence in 0..9 {
        let about = [npc.at("market"), npc.at("mill"), npc][sequence as usize % 3];
        let event = TimeUpdated::default();
        mixed.push_event(&event, id(85, sequence), 1_000, about).unwrap();
    }
    let others = minutes(85, 10..12, npc.at("mill"));
    for batch in [others, mixed.finish().unwrap(), minutes(85, 20..22, "market")] {
        transport.publish(&topic(TimeUpdated::TOPIC), batch).await.unwrap();
    }
    assert_eq!(of_all(&handled, 5).await, [0, 3, 6, 20, 21]);
    running.stop().await;
}

/// The first is stopped while one of its handlers is stuck, with more taken ahead.
pub(crate) async fn a_router_that_ends_leaves_the_rest_to_another(transport: &Arc<dyn Transport>) {
    const BATCHES: u64 = 30;
    const DONE: usize = 10;
    let handled = Handled::default();
    let (begun, mut stuck) = watch::channel(None);
    let before = Arc::clone(&handled);
    let sticks = move |_: TimeUpdated, message: Message| {
        let (handled, begun) = (Arc::clone(&before), begun.clone());
        async move {
            if message.id.producer != id(83, 0).producer {
                return Ok(());
            }
            if handled.borrow().len() == DONE {
                begun.send_replace(Some(message.id.sequence));
                std::future::pending::<()>().await;
            }
            let note = (message.id.sequence, message.attempt());
            handled.send_modify(|handled| handled.push(note));
            Ok::<(), HandlerError>(())
        }
    };
    let first = Running::start(router(transport, "drain").on(sticks).unwrap()).await;
    for sequence in 0..BATCHES {
        let published = minutes(83, sequence..sequence + 1, None);
        transport.publish(&topic(TimeUpdated::TOPIC), published).await.unwrap();
    }
    drop(soon("a handler that is stuck", stuck.wait_for(Option::is_some)).await.unwrap());
    first.stop().await;
    assert_eq!(handled.borrow().len(), DONE);
    let second = Running::start(noting(router(transport, "drain"), 83, &handled, |_| false)).await;
    assert_eq!(of_all(&handled, BATCHES as usize).await, (0..BATCHES).collect::<Vec<_>>());
    let attempts: Vec<_> = handled.borrow().iter().map(|(_, attempt)| *attempt).collect();
    assert!(attempts.iter().all(|attempt| *attempt == 1), "shutdown is no failure: {attempts:?}");
    second.stop().await;
}

//! Several events at a time, of several deliveries, while time stands until it is waited for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use crate::scripted::{Scripted, Settled, batch};
use worldbus_bus::*;
use worldbus_events::Batch;
use worldbus_events::v1::TimeUpdated;

/// What happened, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Begun(u64),
    /// An attempt succeeded.
    Done(u64),
    /// An attempt failed.
    Failed(u64),
    /// A handler was dropped while it waited.
    Dropped(u64),
    /// A delivery was acknowledged, by offset.
    Acked(u64),
}

use Note::{Acked, Begun, Done, Dropped, Failed};

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Note>>>);

impl Notes {
    fn push(&self, note: Note) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<Note> {
        self.0.lock().unwrap().clone()
    }

    fn of(&self, is_wanted: impl Fn(&Note) -> bool) -> Vec<Note> {
        self.all().into_iter().filter(is_wanted).collect()
    }
}

/// Notes what became of a handler that did not return.
struct Running(Notes, u64, bool);

impl Drop for Running {
    fn drop(&mut self) {
        if !self.2 {
            self.0.push(Dropped(self.1));
        }
    }
}

fn swift() -> RetryPolicy {
    RetryPolicy {
        attempts_max: 3,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(2),
    }
}

/// A router whose handler takes as long as `lasts` states, for ever where that is nothing, and then
/// fails if `fails` states so.
fn router(
    scripted: &Arc<Scripted>,
    notes: &Notes,
    lasts: impl Fn(u64) -> Option<Duration> + Send + Sync + 'static,
    fails: impl Fn(u64) -> bool + Send + Sync + 'static,
) -> Router {
    let notes = notes.clone();
    let handler = move |event: TimeUpdated, _: Message| {
        let sequence = event.total_minutes as u64;
        let (lasts, fails, notes) = (lasts(sequence), fails(sequence), notes.clone());
        notes.push(Begun(sequence));
        async move {
            let mut running = Running(notes.clone(), sequence, false);
            match lasts {
                Some(Duration::ZERO) => {}
                Some(lasts) => tokio::time::sleep(lasts).await,
                None => std::future::pending().await,
            }
            running.2 = true;
            notes.push(if fails { Failed(sequence) } else { Done(sequence) });
            if fails { Err(HandlerError::temporary("as asked")) } else { Ok(()) }
        }
    };
    Router::new(&scripted.bus(), "test").unwrap().retry(swift()).on(handler).unwrap()
}

/// Runs until so many deliveries are settled.
async fn settled(scripted: &Arc<Scripted>, router: Router, count: usize) -> Vec<(u64, Settled)> {
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(router.run(shutdown.clone()));
    let settled = scripted.settled(count).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();
    settled
}

fn acked() -> Settled {
    Settled::Acked { dead: Vec::new() }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn events_of_several_deliveries_are_handled_at_a_time() {
    let entities = ["a", "b", "c", "d"];
    let deliveries =
        (0..).zip(entities).map(|(sequence, entity)| batch([(sequence, Some(entity))]));
    let (scripted, notes, begun) = (Scripted::new(deliveries), Notes::default(), Instant::now());
    let router = router(&scripted, &notes, |_| Some(SECOND), |_| false).concurrency(4);
    settled(&scripted, router, 4).await;
    assert_eq!(begun.elapsed().as_secs(), 1);
    assert_eq!(notes.all()[..4], [Begun(0), Begun(1), Begun(2), Begun(3)]);
}

/// The second waits for the first, also while that is retried, and others pass meanwhile.
#[tokio::test(start_paused = true)]
async fn events_of_one_entity_stay_in_order_over_retries_and_deliveries() {
    let deliveries = [batch([(0, Some("a"))]), batch([(1, Some("a")), (2, Some("b"))])];
    let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
    let router = router(&scripted, &notes, |_| Some(SECOND), |sequence| sequence == 0);
    let settled = settled(&scripted, router.concurrency(8), 2).await;
    assert_eq!(settled, [(0, Settled::Acked { dead: vec![0] }), (1, acked())]);
    let first = [Begun(0), Begun(2), Failed(0)];
    assert_eq!(notes.all()[..3], first);
    let of_a = notes.of(|note| !matches!(note, Begun(2) | Done(2)));
    let tried = [Begun(0), Failed(0)].repeat(3);
    assert_eq!(of_a, [&tried[..], &[Begun(1), Done(1)]].concat());
}

#[tokio::test(start_paused = true)]
async fn events_of_a_topic_that_name_no_entity_stay_in_order() {
    let deliveries = (0..4).map(|sequence| batch([(sequence, None)]));
    let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
    let router = router(&scripted, &notes, |n| Some(SECOND * (4 - n as u32)), |_| false);
    settled(&scripted, router.concurrency(4), 4).await;
    let expected = (0..4).flat_map(|sequence| [Begun(sequence), Done(sequence)]);
    assert_eq!(notes.all(), expected.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn where_only_the_beginning_is_in_order_one_entity_is_handled_at_a_time_too() {
    let deliveries = (0..4).map(|sequence| batch([(sequence, Some("a"))]));
    let (scripted, notes, begun) = (Scripted::new(deliveries), Notes::default(), Instant::now());
    let router = router(&scripted, &notes, |n| Some(SECOND * (4 - n as u32)), |_| false);
    settled(&scripted, router.concurrency(4).order(Order::BeginOnly), 4).await;
    assert_eq!(begun.elapsed().as_secs(), 4);
    let expected = (0..4).map(Begun).chain((0..4).rev().map(Done));
    assert_eq!(notes.all(), expected.collect::<Vec<_>>());
}

/// The first of each pair is under way when the second comes.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_under_way_is_not_begun_twice() {
    for order in [Order::PerEntity, Order::BeginOnly] {
        let events = [(0, Some("a")), (1, Some("b"))];
        let deliveries = [batch(events), batch(events), batch([events[1]])];
        let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
        let router = router(&scripted, &notes, |_| Some(SECOND), |sequence| sequence == 0);
        let settled = settled(&scripted, router.concurrency(8).order(order), 3).await;
        let failed = Settled::Acked { dead: vec![0] };
        assert_eq!(settled, [(0, failed.clone()), (1, failed), (2, acked())]);
        let failures = notes.of(|note| *note == Failed(0)).len();
        assert_eq!(failures, 6, "what failed is tried again when it comes again");
        assert_eq!(notes.of(|note| *note == Begun(1)).len(), 1, "what succeeds is not: {order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn leases_are_extended_until_all_events_ended() {
    let deliveries = [batch([(0, Some("a")), (1, Some("b"))]), batch([(2, Some("a"))])];
    let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
    let lasts = |sequence| Some(if sequence == 0 { SECOND * 9 } else { Duration::ZERO });
    let router = router(&scripted, &notes, lasts, |_| false).concurrency(2).lease(SECOND * 6);
    settled(&scripted, router, 2).await;
    let extended = scripted.script.lock().unwrap().extended.clone();
    // Every 2 s, until the first handler ends; the second delivery only waits for it.
    assert_eq!(extended, [0, 1].repeat(4));
}

/// Its remaining events are not begun, and those of other deliveries go on.
#[tokio::test(start_paused = true)]
async fn a_delivery_whose_lease_is_lost_is_dropped_and_the_others_go_on() {
    let lost = batch([(0, Some("a")), (1, Some("a")), (2, Some("c"))]);
    let deliveries = [lost, batch([(3, Some("a")), (4, Some("b"))])];
    let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
    scripted.script.lock().unwrap().lost.insert(0);
    let lasts = |sequence| (sequence != 0 && sequence != 2).then_some(SECOND);
    let router = router(&scripted, &notes, lasts, |_| false).concurrency(8);
    let settled = settled(&scripted, router, 2).await;
    assert_eq!(settled, [(0, Settled::Released), (1, acked())]);
    let dropped = notes.of(|note| matches!(note, Dropped(_)));
    assert_eq!(dropped.len(), 2, "{dropped:?}");
    assert!(!notes.all().contains(&Begun(1)));
    assert!(notes.all().contains(&Done(3)), "its entity is free again");
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_what_ends_in_time_and_hands_back_the_rest() {
    let stuck = batch([(0, Some("a")), (1, Some("b")), (2, Some("a"))]);
    let deliveries = [stuck, batch([(3, Some("c"))])];
    let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
    let lasts = |sequence| (sequence != 0).then_some(SECOND);
    let router = router(&scripted, &notes, lasts, |_| false).concurrency(8);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(router.run(shutdown.clone()));
    tokio::time::sleep(SECOND / 2).await;
    shutdown.cancel();
    let begun = Instant::now();
    running.await.unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(scripted.settled(2).await, [(0, Settled::Released), (1, acked())]);
    assert!(!notes.all().contains(&Begun(2)));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_ahead_is_bounded_in_bytes_and_batches() {
    let one = batch([(1000, Some("00"))]).bytes().len();
    let entities: Vec<String> = (0..100).map(|number| format!("{number:02}")).collect();
    let run = async |bytes: usize, batches: u32| {
        let deliveries =
            (1000..).zip(&entities).map(|(sequence, entity)| batch([(sequence, Some(&**entity))]));
        let (scripted, notes) = (Scripted::new(deliveries), Notes::default());
        let router = router(&scripted, &notes, |_| Some(SECOND), |_| false).concurrency(50);
        settled(&scripted, router.prefetch_bytes(bytes).in_flight(batches), 100).await;
        let script = scripted.script.lock().unwrap();
        (script.bytes_most / one, script.in_flight_max)
    };
    assert_eq!(run(1 << 20, 16).await, (16, 16));
    assert_eq!(run(1 << 20, 100).await, (50, 100));
    // Up to the bound and one batch more.
    let (most, _) = run(10 * one, 100).await;
    assert!((10..=12).contains(&most), "{most}");
    assert_eq!(run(0, 100).await.0, 1, "one is always taken");
}

/// What a generated event does.
#[derive(Debug, Clone)]
struct Plan {
    entity: usize,
    lasts_ms: u64,
    fails: bool,
    /// It is the twin of one of those before it, that many back.
    twin: Option<usize>,
}

const ENTITIES: [Option<&str>; 4] = [None, Some("a"), Some("b"), Some("c")];

fn plans() -> impl Strategy<Value = Vec<Vec<Plan>>> {
    let twin = prop_oneof![5 => Just(None), 1 => (1..10usize).prop_map(Some)];
    let plan = (0..ENTITIES.len(), 0..4u64, proptest::bool::weighted(0.1), twin);
    let plan = plan.prop_map(|(entity, lasts_ms, fails, twin)| Plan {
        entity,
        lasts_ms: lasts_ms * 5,
        fails,
        twin,
    });
    proptest::collection::vec(proptest::collection::vec(plan, 1..8), 1..12)
}

/// The sequences of each delivery, twins with that of their first, and what each sequence does.
/// They rise within a delivery, as in every batch.
fn numbered(plans: &[Vec<Plan>]) -> (Vec<Vec<u64>>, Vec<Plan>) {
    let (mut before, mut of) = (Vec::new(), Vec::new());
    let mut number = |plans: &Vec<Plan>| {
        let mut delivery = Vec::new();
        for plan in plans {
            let twin = plan.twin.and_then(|back| before.get(before.len().checked_sub(back)?));
            delivery.push(twin.copied().unwrap_or(of.len() as u64));
            if twin.is_none() {
                of.push(plan.clone());
            }
        }
        delivery.sort_unstable();
        delivery.dedup();
        before.extend(&delivery);
        delivery
    };
    (plans.iter().map(&mut number).collect(), of)
}

/// Holds what was noted against what is promised.
fn check(sequences: &[Vec<u64>], of: &[Plan], notes: &[Note], at_a_time: usize) {
    // An attempt is under way from its beginning to its end; between attempts its entity waits.
    let (mut under_way, mut holders) = (0, BTreeMap::new());
    let mut orders: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    let (mut failures, mut done, mut dead) = (vec![0; of.len()], vec![0; of.len()], 0);
    for note in notes {
        match *note {
            Begun(sequence) => {
                under_way += 1;
                let entity = of[sequence as usize].entity;
                let holder = *holders.entry(entity).or_insert(sequence);
                assert_eq!(holder, sequence, "two events of one entity at a time");
                assert!(under_way <= at_a_time);
            }
            Done(sequence) => {
                under_way -= 1;
                done[sequence as usize] += 1;
                holders.remove(&of[sequence as usize].entity);
                orders.entry(of[sequence as usize].entity).or_default().push(sequence);
            }
            Failed(sequence) => {
                under_way -= 1;
                failures[sequence as usize] += 1;
                if failures[sequence as usize] % 3 == 0 {
                    holders.remove(&of[sequence as usize].entity);
                    orders.entry(of[sequence as usize].entity).or_default().push(sequence);
                    dead += 1;
                }
            }
            Dropped(sequence) => panic!("{sequence} was dropped"),
            Acked(offset) => {
                for &sequence in &sequences[offset as usize] {
                    // A twin of the next delivery may have begun meanwhile.
                    let is_over = match of[sequence as usize].fails {
                        true => failures[sequence as usize] >= 3,
                        false => done[sequence as usize] == 1,
                    };
                    assert!(is_over, "{offset} was acknowledged before {sequence} ended");
                }
            }
        }
    }
    let arrived = sequences.iter().flatten().copied();
    let counts = |sequence: u64| arrived.clone().filter(|one| *one == sequence).count();
    for (sequence, plan) in (0..).zip(of) {
        let (done, failures) = (done[sequence as usize], failures[sequence as usize]);
        match plan.fails {
            true => assert_eq!((done, failures), (0, counts(sequence) * 3)),
            false => assert_eq!((done, failures), (1, 0), "handled exactly once"),
        }
    }
    for (entity, order) in &orders {
        let mut expected = Vec::new();
        for sequence in arrived.clone().filter(|one| of[*one as usize].entity == *entity) {
            // What succeeded does not come again, what failed does.
            if of[sequence as usize].fails || !expected.contains(&sequence) {
                expected.push(sequence);
            }
        }
        assert_eq!(order, &expected, "the order of an entity");
    }
    let dead_expected = arrived.clone().filter(|one| of[*one as usize].fails).count();
    assert_eq!(dead, dead_expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_event_ends_once_in_the_order_of_its_entity_and_before_its_delivery(
        plans in plans(), at_a_time in 1..7usize, in_flight in 1..6u32,
    ) {
        let (sequences, of) = numbered(&plans);
        let deliveries: Vec<Batch> = sequences
            .iter()
            .map(|all| batch(all.iter().map(|&one| (one, ENTITIES[of[one as usize].entity]))))
            .collect();
        let count = deliveries.len();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let notes = Notes::default();
        runtime.block_on(async {
            let scripted = Scripted::new(deliveries);
            let acks = notes.clone();
            let on_ack = move |offset| acks.push(Acked(offset));
            scripted.script.lock().unwrap().on_ack = Some(Box::new(on_ack));
            let lasting = of.clone();
            let lasts =
                move |one: u64| Some(Duration::from_millis(lasting[one as usize].lasts_ms));
            let failing = of.clone();
            let router = router(&scripted, &notes, lasts, move |one| failing[one as usize].fails);
            let router = router.concurrency(at_a_time).in_flight(in_flight);
            let settled = settled(&scripted, router, count).await;
            for (offset, settled) in settled {
                let mine = sequences[offset as usize].iter().zip(0..);
                let failed = mine.filter(|(one, _)| of[**one as usize].fails);
                let dead = failed.map(|(_, index)| index).collect();
                assert_eq!(settled, Settled::Acked { dead });
            }
        });
        check(&sequences, &of, &notes.all(), at_a_time);
    }
}

//! Instances that share out slots over a state store in SQLite, by clocks that tests move.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use worldbus_bus::ManualClock;
use worldbus_service::Readiness;
use worldbus_service::state::{Conflict, Entry, Kind, Sqlite};
use worldbus_testkit::Dice;

const DEADLINE: Duration = Duration::from_secs(60);
const BEGIN_US: i64 = 1_767_225_600_000_000;
const SECOND_US: i64 = 1_000_000;
const TERM_S: i64 = TERM_MS as i64 / 1000;
const GRACE_S: i64 = GRACE_MS as i64 / 1000;

/// One state store, and one clock for whoever has none of its own.
struct Place {
    store: Arc<Sqlite>,
    wall: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
        Self { store, wall: Arc::new(ManualClock::new(BEGIN_US)), _dir: dir }
    }

    fn slots(&self, holder: &str, count: usize) -> Slots {
        self.slots_over(holder, count, Arc::clone(&self.store) as _, &self.wall)
    }

    fn slots_over(
        &self,
        holder: &str,
        count: usize,
        store: Arc<dyn StateStore>,
        wall: &Arc<ManualClock>,
    ) -> Slots {
        let base = SubscriptionName::new("event-bus").unwrap();
        Slots::new(&base, count, holder, store, Arc::clone(wall) as _).unwrap()
    }

    fn advance_s(&self, seconds: i64) {
        self.wall.set_us(self.wall.now_us() + seconds * SECOND_US);
    }
}

async fn take(slots: &Slots) -> Result<Held, String> {
    slots.claims.take().await.unwrap().map_err(|taken| taken.to_string())
}

async fn taken(slots: &Slots) -> String {
    take(slots).await.map(|held| held.name.to_string()).unwrap_or_else(|taken| taken)
}

#[tokio::test]
async fn each_instance_gets_a_slot_of_its_own_and_the_last_learns_who_has_them() {
    let place = Place::new().await;
    let mut names = Vec::new();
    for holder in ["host-a", "host-b", "host-c"] {
        names.push(taken(&place.slots(holder, 3)).await);
    }
    assert_eq!(names, ["event-bus", "event-bus-2", "event-bus-3"]);
    let refusal = taken(&place.slots("host-d", 3)).await;
    assert_eq!(
        refusal,
        "all 3 slots are taken: event-bus by host-a until 2026-01-01T00:00:30Z, event-bus-2 by \
         host-b until 2026-01-01T00:00:30Z, event-bus-3 by host-c until 2026-01-01T00:00:30Z"
    );
}

#[tokio::test]
async fn slot_of_a_killed_instance_is_taken_over_after_its_end_and_the_grace_and_not_before() {
    let place = Place::new().await;
    let mut killed = take(&place.slots("killed", 1)).await.unwrap();
    let next = place.slots("next", 1);
    place.advance_s(TERM_S + GRACE_S - 1);
    assert!(taken(&next).await.starts_with("all 1 slots are taken"));
    place.advance_s(1);
    assert_eq!(taken(&next).await, "event-bus");
    // It was not dead after all.
    let lost = place.slots("killed", 1).claims.renew(&mut killed).await.unwrap();
    assert_eq!(lost.unwrap_err(), "next has it");
    place.slots("killed", 1).claims.release(killed).await.unwrap();
    assert!(taken(&place.slots("third", 1)).await.contains("by next"), "not given back by another");
}

#[tokio::test]
async fn slot_that_is_given_back_is_free_at_once() {
    let place = Place::new().await;
    let first = place.slots("first", 1);
    let held = take(&first).await.unwrap();
    first.claims.release(held).await.unwrap();
    assert_eq!(taken(&place.slots("next", 1)).await, "event-bus");
}

#[tokio::test]
async fn what_holds_no_claim_is_named_with_what_to_do() {
    let place = Place::new().await;
    place
        .store
        .compare_and_set("event-bus/slots/event-bus", None, b"?".to_vec())
        .await
        .unwrap()
        .unwrap();
    let error = place.slots("a", 2).claims.take().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    assert!(error.to_string().contains("event-bus/slots/event-bus` holds no claim"), "{error}");
}

#[test]
fn base_that_has_no_room_for_a_number_is_refused() {
    let base = SubscriptionName::new(&"x".repeat(64)).unwrap();
    assert!(slot_name(&base, 1).is_ok());
    assert!(slot_name(&base, 2).unwrap_err().to_string().contains("1 to 64"));
}

/// How a store answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Weather {
    Fair,
    /// It does what it is asked and reports that it failed.
    AnswersLost,
    /// It does nothing.
    Away,
    /// It does nothing and does not answer either.
    Silent,
}

#[derive(Debug)]
struct Moody {
    inner: Arc<Sqlite>,
    weather: Mutex<Weather>,
}

impl Moody {
    fn over(place: &Place) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(&place.store), weather: Mutex::new(Weather::Fair) })
    }

    fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    async fn answer<T>(&self, doing: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let weather = *self.weather.lock().unwrap();
        match weather {
            Weather::Fair => doing.await,
            Weather::AnswersLost => {
                doing.await?;
                Err(Error::new(Kind::Io, "no answer"))
            }
            Weather::Away => Err(Error::new(Kind::Busy, "away")),
            Weather::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl StateStore for Moody {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.answer(self.inner.get(key)).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        self.answer(self.inner.compare_and_set(key, expected, value)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        self.answer(self.inner.list(prefix)).await
    }

    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error> {
        self.answer(self.inner.delete(key, expected)).await
    }
}

#[tokio::test]
async fn claim_whose_answer_was_lost_is_the_claimants() {
    let place = Place::new().await;
    let store = Moody::over(&place);
    let slots = place.slots_over("a", 2, Arc::clone(&store) as _, &place.wall);
    store.set(Weather::AnswersLost);
    assert_eq!(slots.claims.take().await.unwrap_err().kind(), Kind::Io);
    store.set(Weather::Fair);
    let mut held = take(&slots).await.unwrap();
    assert_eq!(held.name.as_str(), "event-bus", "the same, and no second one");

    store.set(Weather::AnswersLost);
    place.advance_s(10);
    assert_eq!(slots.claims.renew(&mut held).await.unwrap_err().kind(), Kind::Io);
    store.set(Weather::Fair);
    place.advance_s(1);
    slots.claims.renew(&mut held).await.unwrap().unwrap();
    assert_eq!(held.until_us(), BEGIN_US + (10 + TERM_S) * SECOND_US, "the renewal that happened");

    store.set(Weather::AnswersLost);
    assert_eq!(slots.claims.renew(&mut held).await.unwrap_err().kind(), Kind::Io);
    store.set(Weather::Fair);
    slots.claims.release(held).await.unwrap();
    assert_eq!(taken(&place.slots("b", 1)).await, "event-bus", "given back all the same");
}

/// An instance whose work is to wait for its end.
struct Instance {
    shutdown: CancellationToken,
    readiness: Readiness,
    works: watch::Receiver<Option<Slot>>,
    running: JoinHandle<Result<(), TaskError>>,
}

impl Instance {
    fn run(slots: Slots) -> Self {
        let (shutdown, readiness) = (CancellationToken::new(), Readiness::default());
        let (report, works) = watch::channel(None);
        let (token, condition) = (shutdown.clone(), readiness.condition("slot"));
        let running = tokio::spawn(async move {
            let work = |slot, stop: CancellationToken| {
                let report = report.clone();
                async move {
                    report.send_replace(Some(slot));
                    stop.cancelled().await;
                    report.send_replace(None);
                    Ok::<(), TaskError>(())
                }
            };
            slots.run(token, condition, work).await
        });
        Self { shutdown, readiness, works, running }
    }

    /// Waits until it works with this slot, or with none.
    async fn works_with(&mut self, wanted: Option<&str>) -> Option<Slot> {
        let is_wanted =
            |slot: &Option<Slot>| slot.as_ref().map(|slot| slot.subscription().as_str()) == wanted;
        let waiting = tokio::time::timeout(DEADLINE, self.works.wait_for(is_wanted)).await;
        waiting.unwrap_or_else(|_| panic!("does not work with {wanted:?}")).unwrap().clone()
    }

    /// Waits until the reason why it is not ready has this in it.
    async fn lacks(&self, part: &str) {
        let lacks = async {
            while !self.readiness.missing().get("slot").is_some_and(|why| why.contains(part)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let why = || self.readiness.missing();
        tokio::time::timeout(DEADLINE, lacks).await.unwrap_or_else(|_| panic!("{:?}", why()));
    }

    async fn end(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.running).await.unwrap().unwrap().unwrap();
    }
}

impl Place {
    /// Moves the clock by so much, again and again, until `done`: whoever waits for it gets there
    /// whenever its wait began.
    async fn advance_until(&self, step_ms: i64, mut done: impl FnMut() -> bool) {
        let advancing = async {
            while !done() {
                self.wall.set_us(self.wall.now_us() + step_ms * 1000);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, advancing).await.unwrap();
    }
}

#[tokio::test]
async fn claim_is_renewed_as_long_as_its_instance_lives_and_given_back_at_its_end() {
    let place = Place::new().await;
    let mut first = Instance::run(place.slots("first", 1));
    let slot = first.works_with(Some("event-bus")).await.unwrap();
    let mut next = Instance::run(place.slots("next", 1));
    next.lacks("all 1 slots are taken: event-bus by first").await;
    assert!(first.readiness.is_ready() && !next.readiness.is_ready());
    let end_us = BEGIN_US + 5 * (TERM_S + GRACE_S) * SECOND_US;
    place.advance_until(500, || place.wall.now_us() > end_us).await;
    assert!(slot.is_ours() && next.works.borrow().is_none());
    first.end().await;
    place.advance_until(500, || next.works.borrow().is_some()).await;
    next.works_with(Some("event-bus")).await;
    assert!(next.readiness.is_ready());
    next.end().await;
}

/// Three ways in which renewing fails.
#[tokio::test]
async fn instance_that_cannot_renew_stops_when_its_claim_ends_and_claims_again() {
    for weather in [Weather::Away, Weather::Silent, Weather::AnswersLost] {
        let place = Place::new().await;
        let store = Moody::over(&place);
        let mut first =
            Instance::run(place.slots_over("a", 2, Arc::clone(&store) as _, &place.wall));
        let slot = first.works_with(Some("event-bus")).await.unwrap();
        store.set(weather);
        place.advance_until(500, || first.works.borrow().is_none()).await;
        assert!(!slot.is_ours());
        assert!(!first.readiness.is_ready());
        store.set(Weather::Fair);
        place.advance_until(500, || first.works.borrow().is_some()).await;
        assert!(first.readiness.is_ready());
        first.end().await;
    }
}

#[tokio::test]
async fn instance_that_stood_still_and_was_overtaken_takes_another_slot() {
    let place = Place::new().await;
    let store = Moody::over(&place);
    let mut first = Instance::run(place.slots_over("a", 2, Arc::clone(&store) as _, &place.wall));
    let slot = first.works_with(Some("event-bus")).await.unwrap();
    let mut next = Instance::run(place.slots("next", 1));
    next.lacks("event-bus by a").await;
    store.set(Weather::Silent);
    let theirs = |next: &Instance| next.works.borrow().clone();
    place
        .advance_until(500, || {
            let both = slot.is_ours() && theirs(&next).is_some_and(|slot| slot.is_ours());
            assert!(!both, "two instances have one slot");
            theirs(&next).is_some()
        })
        .await;
    next.works_with(Some("event-bus")).await;
    first.works_with(None).await;
    store.set(Weather::Fair);
    place.advance_until(500, || first.works.borrow().is_some()).await;
    first.works_with(Some("event-bus-2")).await;
    next.end().await;
    first.end().await;
}

/// An instance of the simulation: what it has, and its own clock.
struct Clocked {
    slots: Slots,
    wall: Arc<ManualClock>,
    held: Option<Held>,
}

impl Clocked {
    fn has(&self, name: &str) -> bool {
        let ours = |held: &Held| held.name.as_str() == name && self.wall.now_us() < held.until_us();
        self.held.as_ref().is_some_and(ours)
    }

    /// Does what an instance would now: what has ended is lost, what holds is renewed or given
    /// back.
    async fn act(&mut self, dice: &mut Dice) {
        self.held = match self.held.take() {
            Some(held) if self.wall.now_us() >= held.until_us() => None,
            Some(held) if dice.below(8) == 0 => {
                self.slots.claims.release(held).await.unwrap();
                None
            }
            Some(mut held) => self.slots.claims.renew(&mut held).await.unwrap().ok().map(|()| held),
            None => take(&self.slots).await.ok(),
        };
    }
}

/// Four instances over three slots, each acting at random moments or not for minutes, by clocks
/// that differ by up to `skew_ms`. How often an instance had a slot and how often two had the same.
async fn simulate(seed: u64, skew_ms: u64) -> (u32, u32) {
    let (place, mut dice) = (Place::new().await, Dice(seed));
    let mut instances = Vec::new();
    for number in 0..4 {
        let ahead_us = (dice.below(skew_ms + 1) * 1000).cast_signed();
        let wall = Arc::new(ManualClock::new(BEGIN_US + ahead_us));
        let slots = place.slots_over(&number.to_string(), 3, Arc::clone(&place.store) as _, &wall);
        instances.push(Clocked { slots, wall, held: None });
    }
    let (mut had, mut shared) = (0, 0);
    for _ in 0..150 {
        let by = Duration::from_millis(dice.below(12_000));
        instances.iter().for_each(|instance| instance.wall.advance(by));
        let acting = dice.below(4) as usize;
        instances[acting].act(&mut dice).await;
        for name in ["event-bus", "event-bus-2", "event-bus-3"] {
            let holders = instances.iter().filter(|instance| instance.has(name)).count();
            had += u32::from(holders > 0);
            shared += u32::from(holders > 1);
        }
    }
    (had, shared)
}

#[tokio::test]
async fn no_two_instances_have_one_slot_while_their_clocks_differ_by_less_than_the_grace() {
    for seed in 1..=3 {
        let (had, shared) = simulate(seed, GRACE_MS - 1).await;
        assert!(had > 60, "seed {seed}: slots are had {had} times");
        assert_eq!(shared, 0, "seed {seed}: two instances had one slot");
    }
    // The simulation can fail.
    let mut shared_beyond = 0;
    for seed in 1..=3 {
        shared_beyond += simulate(seed, 6 * GRACE_MS).await.1;
    }
    assert!(shared_beyond > 0);
}

#[tokio::test]
async fn claim_by_a_clock_that_was_a_year_ahead_keeps_no_one_out() {
    let place = Place::new().await;
    let ahead = Arc::new(ManualClock::new(BEGIN_US + 365 * 86_400 * SECOND_US));
    let store = Arc::clone(&place.store) as Arc<dyn StateStore>;
    drop(take(&place.slots_over("killed", 1, store, &ahead)).await.unwrap());
    let next = place.slots("next", 1);
    assert!(taken(&next).await.contains("until 2027-01-01"));
    place.advance_s(TERM_S + GRACE_S - 1);
    assert!(taken(&next).await.starts_with("all 1 slots are taken"));
    place.advance_s(1);
    assert_eq!(taken(&next).await, "event-bus");
}

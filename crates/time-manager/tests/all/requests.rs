//! Requests to command a clock, of schedules and by hand: carried out once, where they are due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::kit::{TOPIC, of_type, run, world};
use worldbus_bus::{Outgoing, SubscriptionName, Topic};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::clock_requested::Command;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_service::StateStore;
use worldbus_service::state::{Conflict, Entry, Error, Kind};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_time_manager::NAME;

const HOUR_US: i64 = 25_000_000;
const GAME_HOUR_US: i64 = 3_600_000_000;
const MINUTE_US: i64 = 60_000_000;
/// Wall time of a step of a test.
const STEP_US: i64 = 500_000;
/// Looks at what an instance shows before a test gives up, ten milliseconds apart.
const LOOK_COUNT_MAX: usize = 3_000;

async fn schedule(instance: &Instance, text: &str, payload: &Value) -> Value {
    let body = json!({
        "schedule": text, "event_type": "time.clock_requested", "payload": payload,
        "actor": "anna", "reason": "the feast",
    });
    let (status, answer) = instance.post("/api/time/schedules", &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["warning"], Value::Null, "{answer}");
    answer
}

/// Publishes a request under an id, as anybody may.
async fn ask(place: &Place, world: &str, sequence: u64, request: &v1::ClockRequested) {
    let payload = request.encode_to_vec();
    let event = Outgoing {
        event_type: v1::ClockRequested::NUMBER,
        id: Some(EventId { producer: ProducerId::from_bits(77), sequence }),
        payload: &payload,
        ..Outgoing::default()
    };
    let topic = Topic::new(v1::ClockRequested::TOPIC).unwrap();
    let publisher = place.bus.publisher("quest-master", world);
    publisher.enqueue_raw(&topic, event).await.unwrap().await.unwrap();
}

fn asked(command: Command) -> v1::ClockRequested {
    v1::ClockRequested { command: Some(command), ..v1::ClockRequested::default() }
}

fn skip_days(days: u32) -> v1::ClockRequested {
    asked(Command::Skip(v1::ClockSkip { days, ..v1::ClockSkip::default() }))
}

/// The commands on a clock, newest first, once there are so many.
async fn commands(instance: &Instance, clock: &str, count: usize) -> Vec<Value> {
    for _ in 0..LOOK_COUNT_MAX {
        let (_, history) = instance.get(&format!("/api/time/history?clock={clock}")).await;
        let commands = history["commands"].as_array().unwrap();
        if commands.len() >= count {
            return commands.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count} commands")
}

fn subscription() -> SubscriptionName {
    SubscriptionName::new(NAME).unwrap()
}

/// Forgets how far the clock was published, and what the subscription got: all of it comes again.
async fn forget(place: &Place) {
    let key = "clock/europe/checkpoint";
    if let Some(entry) = place.state.get(key).await.unwrap() {
        place.state.delete(key, entry.revision).await.unwrap().unwrap();
    }
    place.bus.transport().delete_subscription(&subscription(), true).await.unwrap();
}

fn names(commands: &[Value]) -> Vec<&str> {
    commands.iter().map(|command| command["command"].as_str().unwrap()).collect()
}

async fn until_hour(place: &Place, hour: i64) -> Vec<Seen> {
    place
        .events_until(TOPIC, |all| {
            of_type::<v1::HourChanged>(all).iter().any(|event| event.game_us >= hour * GAME_HOUR_US)
        })
        .await
}

/// Lets the clock go on, bit by bit, each published before the next, as time passes.
async fn go_on(place: &Place, instance: &Instance, us: i64) {
    for _ in 0..us / STEP_US {
        place.advance(STEP_US);
        let mut looks = 0..LOOK_COUNT_MAX;
        while !is_published(place, instance).await {
            let now = current(instance).await;
            assert!(looks.next().is_some(), "not published: {now}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Whether the minute that the clock shows was published, or the jump into it.
async fn is_published(place: &Place, instance: &Instance) -> bool {
    let shown = current(instance).await["total_minutes"].as_i64().unwrap();
    let all = place.events(TOPIC).await;
    let ticks = of_type::<v1::TimeUpdated>(&all).into_iter().map(|tick| tick.total_minutes);
    let jumps = of_type::<v1::Jumped>(&all).into_iter().map(|jump| jump.to_game_us / MINUTE_US);
    ticks.chain(jumps).any(|minute| minute == shown)
}

async fn current(instance: &Instance) -> Value {
    instance.get("/api/time/current").await.1
}

#[tokio::test]
async fn scheduled_stop_stops_the_clock_where_it_is_due_with_who_wants_it() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    schedule(&instance, "at 08:30", &json!({"stop": {}})).await;
    // Two and a half hours; the clock is looked at late, as by a machine that is busy.
    place.advance(5 * HOUR_US / 2 + 900_000);
    let all = place.events_until(TOPIC, |all| !of_type::<v1::Paused>(all).is_empty()).await;
    let [paused] = &of_type::<v1::Paused>(&all)[..] else { panic!("one stop") };
    let late_us = paused.game_us - 5 * GAME_HOUR_US / 2;
    assert!((1..1_000).contains(&late_us), "{late_us} us late");
    assert_eq!((paused.actor.as_str(), paused.reason.as_str()), ("anna", "the feast"));
    place.advance(10 * HOUR_US);
    let now = current(&instance).await;
    assert_eq!(
        (&now["hour"], &now["minute"], &now["running"]),
        (&json!(8), &json!(30), &json!(false))
    );
    let minutes = of_type::<v1::TimeUpdated>(&place.events(TOPIC).await);
    assert_eq!(minutes.last().unwrap().total_minutes, 150, "nothing is published behind the stop");
    instance.stop().await;
}

#[tokio::test]
async fn each_command_of_a_schedule_does_what_the_rest_command_does() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    schedule(&instance, "at 07:00", &json!({"skip": {"hours": 2, "minutes": 30}})).await;
    schedule(&instance, "at 10:00", &json!({"set": {"hour": 22}})).await;
    schedule(&instance, "at 23:00", &json!({"scale": {"real_seconds_per_game_hour": 50}})).await;
    schedule(&instance, "at 23:30", &json!({"stop": {}})).await;
    // 06:00 to 07:00, 09:30 to 10:00, 22:00 to 23:00, and half an hour at half the speed.
    go_on(&place, &instance, 4 * HOUR_US).await;
    let all = place.events_until(TOPIC, |all| !of_type::<v1::Paused>(all).is_empty()).await;
    let jumps = of_type::<v1::Jumped>(&all);
    let jumps: Vec<i64> =
        jumps.iter().map(|jump| (jump.to_game_us - jump.from_game_us) / 60_000_000).collect();
    assert_eq!(jumps, [150, 12 * 60 - 1]);
    assert_eq!(of_type::<v1::ScaleChanged>(&all).len(), 1);
    let taken = commands(&instance, "", 8).await;
    assert_eq!(names(&taken)[..4], ["pause", "scale", "set", "skip"]);
    instance.stop().await;
}

#[tokio::test]
async fn scheduled_command_is_carried_out_once_over_restarts_and_two_instances() {
    let place = Place::new().await;
    let first = run(&place, 2_000).await;
    schedule(&first, "in 3 hours", &json!({"skip": {"days": 1}})).await;
    let second = run(&place, 2_000).await;
    go_on(&place, &first, 7 * HOUR_US / 2).await;
    let once = |all: &[Seen]| !of_type::<v1::Jumped>(all).is_empty();
    place.events_until(TOPIC, once).await;
    first.stop().await;
    second.stop().await;
    // What the checkpoint and the subscription know is gone: the event comes again.
    forget(&place).await;
    let third = run(&place, 2_000).await;
    third.ready().await;
    go_on(&place, &third, 2 * HOUR_US).await;
    let all = until_hour(&place, 24 + 4).await;
    assert_eq!(of_type::<v1::Jumped>(&all).len(), 1, "{:?}", of_type::<v1::Jumped>(&all));
    let asked = of_type::<v1::ClockRequested>(&all);
    assert_eq!(asked.len(), 1);
    let taken = commands(&third, "", 2).await;
    assert_eq!(names(&taken), ["skip", "schedule"]);
    third.stop().await;
}

#[tokio::test]
async fn command_that_was_due_in_a_downtime_is_carried_out_once_when_an_instance_runs_again() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    schedule(&instance, "every 2 hours", &json!({"skip": {"minutes": 20}})).await;
    place.advance(HOUR_US);
    until_hour(&place, 1).await;
    instance.stop().await;
    place.advance(9 * HOUR_US);
    let instance = run(&place, 0).await;
    let all = until_hour(&place, 10).await;
    let jumps = of_type::<v1::Jumped>(&all);
    assert_eq!(jumps.len(), 1, "{jumps:?}");
    assert!(jumps[0].from_game_us >= 10 * GAME_HOUR_US, "{jumps:?}");
    instance.stop().await;
}

#[tokio::test]
async fn nothing_behind_a_scheduled_command_is_published_while_it_cannot_be_written() {
    let mut place = Place::new().await;
    let failing = Arc::new(Failing::new(Arc::clone(&place.state)));
    place.state = Arc::clone(&failing) as _;
    let instance = run(&place, 0).await;
    schedule(&instance, "at 07:00", &json!({"stop": {}})).await;
    go_on(&place, &instance, HOUR_US - STEP_US).await;
    failing.fails.store(true, Ordering::SeqCst);
    for count in 1..=3 {
        place.advance(2 * STEP_US);
        failing.until(count).await;
    }
    let ticks = of_type::<v1::TimeUpdated>(&place.events(TOPIC).await);
    assert_eq!(ticks.last().unwrap().total_minutes, 59);
    failing.fails.store(false, Ordering::SeqCst);
    place.advance(2 * STEP_US);
    let all = place.events_until(TOPIC, |all| !of_type::<v1::Paused>(all).is_empty()).await;
    assert_eq!(of_type::<v1::Paused>(&all).len(), 1);
    assert_eq!(current(&instance).await["running"], false);
    instance.stop().await;
}

/// A state store that takes no clock when it is set to.
#[derive(Debug)]
struct Failing {
    inner: Arc<dyn StateStore>,
    fails: AtomicBool,
    failed: watch::Sender<usize>,
}

impl Failing {
    fn new(inner: Arc<dyn StateStore>) -> Self {
        Self { inner, fails: AtomicBool::new(false), failed: watch::Sender::new(0) }
    }

    /// Waits until so many writes failed.
    async fn until(&self, count: usize) {
        let mut failed = self.failed.subscribe();
        let enough = failed.wait_for(|failed| *failed >= count);
        tokio::time::timeout(Duration::from_secs(60), enough).await.unwrap().unwrap();
    }
}

#[async_trait::async_trait]
impl StateStore for Failing {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.inner.get(key).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        if key == "clock/europe" && self.fails.load(Ordering::SeqCst) {
            self.failed.send_modify(|failed| *failed += 1);
            return Err(Error::new(Kind::Io, "the test wants it"));
        }
        self.inner.compare_and_set(key, expected, value).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        self.inner.list(prefix).await
    }

    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error> {
        self.inner.delete(key, expected).await
    }
}

#[tokio::test]
async fn schedule_that_makes_itself_due_again_moves_the_clock_once_a_second() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    schedule(&instance, "every minute", &json!({"skip": {"seconds": 59}})).await;
    go_on(&place, &instance, 5_000_000).await;
    // A minute takes 417 ms, and a game second 7.
    let jumps = of_type::<v1::Jumped>(&place.events(TOPIC).await).len();
    assert!((3..=5).contains(&jumps), "{jumps} skips in five seconds");
    let taken = commands(&instance, "", jumps).await;
    let left_out =
        |c: &&Value| c["detail"].as_str().unwrap().starts_with("left out: it comes too soon");
    assert!(taken.iter().filter(left_out).count() >= jumps, "{taken:?}");
    instance.stop().await;
}

#[tokio::test]
async fn invalid_commands_are_refused_where_they_are_scheduled() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    for (payload, expected) in [
        (json!({}), "expected one of set, skip, scale, stop, start"),
        (json!({"skip": {}}), "skip.expected a duration"),
        (json!({"skip": {"days": 4_000_000}}), "skip.days"),
        (json!({"skip": {"days": -1}}), "skip"),
        (json!({"set": {"hour": 24}}), "set.hour"),
        (json!({"set": {"hour": 6, "day": 32}}), "set.day"),
        (json!({"scale": {}}), "scale.expected real_seconds_per_game_hour"),
        (json!({"scale": {"real_seconds_per_game_hour": 0}}), "scale.real_seconds_per_game_hour"),
        (json!({"scale": {"phase_speeds": {"night": 1000}}}), "scale.phase_speeds.night"),
        (json!({"stop": {}, "start": {}}), "payload"),
        (json!({"stop": {}, "actor": "x".repeat(65)}), "actor"),
    ] {
        let body = json!({
            "schedule": "in 1 hour", "event_type": "time.clock_requested", "payload": payload,
        });
        let (status, problem) = instance.post("/api/time/schedules", &body.to_string()).await;
        assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("payload")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{expected}: {problem}");
    }
    // The day is one of the month in which it is due, not of this one.
    let in_february = |day| json!({"set": {"hour": 6, "day": day}});
    let body = |day| {
        json!({
            "schedule": "at 2025-02-01", "event_type": "time.clock_requested",
            "payload": in_february(day),
        })
    };
    assert_eq!(instance.post("/api/time/schedules", &body(28).to_string()).await.0, 200);
    assert_eq!(instance.post("/api/time/schedules", &body(31).to_string()).await.0, 422);
    instance.stop().await;
}

#[tokio::test]
async fn request_by_hand_is_carried_out_once_when_it_is_received() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    let signed = v1::ClockRequested {
        actor: "anna".to_owned(),
        reason: "the feast".to_owned(),
        ..skip_days(1)
    };
    ask(&place, "europe", 1, &signed).await;
    let taken = commands(&instance, "", 1).await;
    assert_eq!(
        (&taken[0]["command"], &taken[0]["actor"], &taken[0]["reason"]),
        (&json!("skip"), &json!("anna"), &json!("the feast"))
    );
    instance.stop().await;
    // A subscription that is made again receives it again.
    forget(&place).await;
    let instance = run(&place, 0).await;
    ask(&place, "europe", 2, &asked(Command::Stop(v1::ClockStop {}))).await;
    let taken = commands(&instance, "", 2).await;
    assert_eq!(names(&taken), ["pause", "skip"]);
    assert_eq!(taken[0]["actor"], "quest-master");
    // One that finds nothing to do is over, too: it does not stop a clock that runs again.
    ask(&place, "europe", 3, &asked(Command::Stop(v1::ClockStop {}))).await;
    assert_eq!(names(&commands(&instance, "", 3).await)[0], "request");
    assert_eq!(instance.post("/api/time/start", "").await.0, 200);
    instance.stop().await;
    forget(&place).await;
    let instance = run(&place, 0).await;
    ask(&place, "europe", 4, &skip_days(2)).await;
    let taken = commands(&instance, "", 5).await;
    assert_eq!(names(&taken), ["skip", "resume", "request", "pause", "skip"]);
    assert_eq!(current(&instance).await["running"], true);
    instance.stop().await;
}

#[tokio::test]
async fn request_that_cannot_be_met_is_set_aside_and_the_next_one_is_carried_out() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    let set = |hour| asked(Command::Set(v1::ClockSet { hour, ..v1::ClockSet::default() }));
    ask(&place, "europe", 1, &set(24)).await;
    ask(&place, "europe", 2, &v1::ClockRequested::default()).await;
    ask(&place, "atlantis", 3, &set(22)).await;
    ask(&place, "europe", 4, &set(22)).await;
    let taken = commands(&instance, "", 1).await;
    assert_eq!(names(&taken), ["set"]);
    place.advance(1_000);
    assert_eq!(current(&instance).await["hour"], 22);
    let letters = place.bus.transport().dead_letters(Some(&subscription()), 10).await.unwrap();
    let reasons: Vec<_> = letters.into_iter().rev().map(|letter| letter.event.reason).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(["hour", "expected one of set", "atlantis"]) {
        assert!(reason.contains(expected), "{reasons:?}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn request_of_a_named_clock_commands_that_clock() {
    let place = Place::new().await;
    let dungeon = "[clocks.dungeon]\nreal_seconds_per_game_hour = 25";
    let place = place.with_world(world(dungeon));
    let instance = run(&place, 0).await;
    instance.ready().await;
    ask(&place, "europe:dungeon", 1, &asked(Command::Stop(v1::ClockStop {}))).await;
    assert_eq!(names(&commands(&instance, "dungeon", 1).await), ["pause"]);
    let (_, of_the_world) = instance.get("/api/time/history").await;
    assert_eq!(of_the_world["commands"], json!([]));
    instance.stop().await;
}

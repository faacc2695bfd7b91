//! For this crate's tests: instances, the clock and the weather that they follow, and what their
//! people are going to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::ManualClock;
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_npc_behavior::{NpcBehavior, Settings, TOPIC};
use worldbus_population::{Directives, Planner, Population, Skies};
use worldbus_service::config::defaults;
use worldbus_service::start::Error;
use worldbus_service::{Deps, Part};
use worldbus_simulated::weather::announce;
use worldbus_simulated::{Lead, Service as _, Setup};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_world::{
    Clock, Effective, GameTime, Kind, Override, Overrides, Segment, Timeline, WallTime, Weather,
    WeatherState, World,
};

pub(crate) const MINUTE_US: i64 = 25_000_000 / 60;
pub(crate) const HOUR_US: i64 = 25_000_000;

async fn start(deps: Deps, world: Arc<World>, lead_ms: u64) -> Result<Part, Error> {
    let lead = Lead::new(Duration::from_millis(lead_ms))?;
    let settings: Settings = defaults().unwrap();
    NpcBehavior::check_and_start(Setup { lead, ..Setup::new(deps, world) }, settings).await
}

pub(crate) async fn run(place: &Place, lead_ms: u64) -> Instance {
    place.run(|deps, world| start(deps, world, lead_ms)).await
}

/// An instance whose machine has a wall clock of its own.
pub(crate) async fn run_by(place: &Place, wall: Arc<ManualClock>, lead_ms: u64) -> Instance {
    place.run_by(wall, |deps, world| start(deps, world, lead_ms)).await
}

/// A world that has begun: an instance that received the clock, the weather without overrides, and
/// published what everyone does.
pub(crate) async fn begun() -> (Place, Clock, Instance) {
    let place = Place::new().await;
    let clock = new_clock(&place);
    announce_clock(&place, clock.last()).await;
    announce_weather(&place, &Timeline::default()).await;
    let instance = run(&place, 0).await;
    let everyone = planner(&place.world, &Overrides::default()).people().len();
    place.events_until(TOPIC, |seen| activities(seen).len() >= everyone).await;
    (place, clock, instance)
}

/// A clock of the sample world that begins now, on Friday at 6 o'clock.
pub(crate) fn new_clock(place: &Place) -> Clock {
    Clock::new(place.world.scale, place.now(), GameTime(0))
}

/// Publishes a segment of the clock, as a time-manager would.
pub(crate) async fn announce_clock(place: &Place, segment: &Segment) {
    let event = v1::ClockChanged {
        epoch: segment.epoch,
        anchor_wall_us: segment.anchor_wall.0,
        anchor_game_us: segment.anchor_game.0,
        scale_numerator: segment.num,
        scale_denominator: segment.den,
        paused: segment.paused,
        reason: "set".to_owned(),
        revision: segment.rev,
        anchor_rest: segment.rest,
        ..v1::ClockChanged::default()
    };
    place.bus.publisher("time-manager", "europe").publish(&event).await.unwrap();
}

/// Publishes overrides of the weather, as a weather-manager would.
pub(crate) async fn announce_weather(place: &Place, timeline: &Timeline) {
    let publisher = place.bus.publisher("weather-manager", "europe");
    for part in announce(timeline, 0, place.now()) {
        publisher.publish(&part).await.unwrap();
    }
}

/// A storm over a region from one game hour to another, commanded at a wall time.
pub(crate) fn storm(region: &str, hours: (i64, i64), wall: WallTime) -> Timeline {
    let kind = Kind::SetState { state: WeatherState::Storm, intensity_permille: 800 };
    let [start, end] = [hours.0, hours.1].map(GameTime::from_hours);
    let record = Override::new(vec![region.to_owned()], kind, start, Some(end));
    let mut overrides = Overrides::default();
    overrides.insert(Override { rev: 1, ..record }).unwrap();
    let commands = vec![Effective { rev: 1, wall, undone: None }];
    Timeline { rev: 1, forgotten_rev: 0, commands, overrides }
}

/// What people are going to do under overrides of the weather, computed here.
pub(crate) fn planner(world: &World, overrides: &Overrides) -> Planner {
    let skies = Skies::new(Weather::new(world), overrides.clone());
    Planner::new(Population::read(world).unwrap(), skies, Directives::default())
}

/// What each person did, by person and the game minute at which it began.
pub(crate) type Done = BTreeMap<(String, i64), v1::NpcActivityChanged>;

pub(crate) fn activities(seen: &[Seen]) -> Done {
    let changed = seen.iter().filter(|event| event.event_type == v1::NpcActivityChanged::NUMBER);
    changed
        .map(|event| {
            let payload = v1::NpcActivityChanged::decode(&event.payload[..]).unwrap();
            let minute = GameTime(payload.started_game_us).minutes();
            ((event.entity.clone().unwrap(), minute), payload)
        })
        .collect()
}

/// What each person is going to begin in a stretch of game minutes.
pub(crate) fn planned(planner: &Planner, after: i64, until: i64) -> Done {
    let people = planner.people();
    let mut all = Done::new();
    for person in 0..people.len() {
        for span in planner.spans(person, after, until + 1) {
            if span.from <= after || span.from > until {
                continue;
            }
            let place = |rank: usize| people.place_id(rank);
            let event = v1::NpcActivityChanged {
                activity: span.activity as i32,
                from_place: place(span.from_place),
                place: place(span.place),
                started_game_us: GameTime::from_minutes(span.from).0,
                until_game_us: GameTime::from_minutes(span.until).0,
                cause: span.cause as i32,
                cause_event_id: String::new(),
            };
            all.insert((people.id(person), span.from), event);
        }
    }
    all
}

/// What the topic holds once everyone did all that is planned.
pub(crate) async fn done(place: &Place, wanted: &Done) -> Vec<Seen> {
    let all = |seen: &[Seen]| {
        let done = activities(seen);
        wanted.keys().all(|key| done.contains_key(key))
    };
    place.events_until(TOPIC, all).await
}

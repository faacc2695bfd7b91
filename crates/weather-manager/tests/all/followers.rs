//! Whoever follows the announcements of the clock and of the overrides computes the weather that
//! the weather-manager does, to the bit, with the ids that it gives.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{TOPIC, kept, new_clock, run_by, start, tell};
use worldbus_bus::{ManualClock, WallClock as _};
use worldbus_events::{Event as _, EventId, ProducerId, prost::Message as _, v1};
use worldbus_simulated::weather::WeatherFollower;
use worldbus_testkit::{DEADLINE, Dice, Instance, Place, Seen};
use worldbus_weather_manager::{NAME, Settings};
use worldbus_world::{
    Change, Clock, Conditions, GameTime, Scale, Slots, WallTime, WeatherState, producer_id,
};

const LEAD_MS: u64 = 2_000;
/// Where samples stand in the identity of events.
const SAMPLE_RANK: usize = 29;

async fn run(place: &Place) -> Instance {
    let settings = Settings { samples: true };
    place.run(|deps, world| start(deps, world, LEAD_MS, settings)).await
}

/// Receives what a topic announced, in the order in which it was published.
fn follow(follower: &mut WeatherFollower, seen: &[Seen]) {
    for event in seen {
        match event.event_type {
            v1::ClockChanged::NUMBER => {
                let event = v1::ClockChanged::decode(&event.payload[..]).unwrap();
                follower.clock_changed(&event).unwrap();
            }
            v1::WeatherOverridesAnnounced::NUMBER => {
                let event = v1::WeatherOverridesAnnounced::decode(&event.payload[..]).unwrap();
                follower.overrides_announced(event).unwrap();
            }
            _ => {}
        }
    }
}

fn is_announced(event: &Seen) -> bool {
    event.event_type == v1::WeatherOverridesAnnounced::NUMBER
}

/// A follower that knows what was announced up to a revision of the overrides.
async fn follower_of(place: &Place, rev: u64) -> WeatherFollower {
    let knows = |seen: &[Seen]| {
        let mut follower = WeatherFollower::new(&place.world);
        follow(&mut follower, seen);
        follower.timeline().is_some_and(|timeline| timeline.rev >= rev)
    };
    let seen = place.events_until(TOPIC, knows).await;
    let mut follower = WeatherFollower::new(&place.world);
    follow(&mut follower, &seen);
    follow(&mut follower, &place.events(v1::ClockChanged::TOPIC).await);
    follower
}

fn sample(region_id: &str, game: GameTime, now: &Conditions) -> v1::WeatherSample {
    v1::WeatherSample {
        region_id: region_id.to_owned(),
        state: now.state as i32,
        intensity_permille: u32::from(now.intensity_permille),
        temperature_decicelsius: i32::from(now.temperature_dc),
        dew_point_decicelsius: i32::from(now.dew_point_dc),
        relative_humidity_permille: u32::from(now.humidity_permille),
        wind_speed_dmps: u32::from(now.wind_dmps),
        wind_gust_dmps: u32::from(now.gust_dmps),
        wind_direction_degrees: u32::from(now.wind_direction_deg),
        precipitation_rate_umph: now.precipitation_umph,
        snow_rate_umph: now.snow_umph,
        cloud_cover_permille: u32::from(now.cloud_permille),
        visibility_m: now.visibility_m,
        pressure_dhpa: u32::from(now.pressure_dhpa),
        game_us: game.0,
        forced: now.forced,
    }
}

/// The samples that the clock brought until a wall time, by their ids, as a follower computes them.
fn samples(
    place: &Place,
    follower: &WeatherFollower,
    until: WallTime,
) -> HashMap<EventId, v1::WeatherSample> {
    let clock = follower.clock().unwrap();
    let slots = Slots::new(32, place.world.regions.len());
    let after = clock.segments()[0].anchor_wall.plus_us(-1);
    let mut wanted = HashMap::new();
    for hour in clock.boundaries(after, until, GameTime::HOUR_US) {
        if clock.segments().iter().any(|s| s.epoch == hour.epoch && s.anchor_game == hour.game) {
            continue;
        }
        // What a command does that takes effect at this very instant comes behind it.
        let basis = follower.basis(hour.wall.plus_us(-1)).unwrap();
        let producer = producer_id(&place.world.id, NAME, hour.epoch, basis.rev);
        for (rank, region) in place.world.regions.iter().enumerate() {
            let sequence = slots.sequence(hour.game.seconds(), SAMPLE_RANK, Some(rank));
            let id = EventId { producer: ProducerId::from_bits(producer), sequence };
            let now = follower.weather().conditions(rank, hour.game, &basis.overrides);
            wanted.insert(id, sample(&region.id, hour.game, &now));
        }
    }
    wanted
}

/// What the instance shows of every region now is what the follower computes. The wall stands, so
/// an instance that did not know the clock in time for one answer shows it in a later one. How many
/// regions are forced.
async fn assert_same_now(place: &Place, instance: &Instance, follower: &WeatherFollower) -> usize {
    let mut last = None;
    let same = async {
        loop {
            let (status, answer) = instance.get("/api/weather/current").await;
            assert_eq!(status, 200, "{answer}");
            let shown = answer["regions"].as_array().unwrap();
            assert_eq!(shown.len(), place.world.regions.len());
            last = shown.iter().enumerate().find_map(|(region, shown)| {
                difference(shown, &follower.conditions(region, place.now()).unwrap())
            });
            if last.is_none() {
                return shown.iter().filter(|shown| shown["forced"] == true).count();
            }
        }
    };
    let same = tokio::time::timeout(DEADLINE, same).await;
    same.unwrap_or_else(|_| panic!("{last:?}"))
}

/// The first value that is shown otherwise than it is computed.
fn difference(shown: &Value, now: &Conditions) -> Option<String> {
    let tenths = |value: i64| json!(value as f64 / 10.0);
    let thousandths = |value: i64| json!(value as f64 / 1000.0);
    let computed = [
        ("state", json!(now.state.name())),
        ("forced", json!(now.forced)),
        ("intensity", thousandths(now.intensity_permille.into())),
        ("temperature_c", tenths(now.temperature_dc.into())),
        ("dew_point_c", tenths(now.dew_point_dc.into())),
        ("humidity", thousandths(now.humidity_permille.into())),
        ("wind_speed_mps", tenths(now.wind_dmps.into())),
        ("wind_gust_mps", tenths(now.gust_dmps.into())),
        ("precipitation_mm_per_h", thousandths(now.precipitation_umph.into())),
        ("snow_mm_per_h", thousandths(now.snow_umph.into())),
        ("cloud_cover", thousandths(now.cloud_permille.into())),
        ("visibility_m", json!(now.visibility_m)),
        ("pressure_hpa", tenths(now.pressure_dhpa.into())),
    ];
    let (key, value) = computed.into_iter().find(|(key, value)| shown[*key] != *value)?;
    Some(format!("{key} is {value} by the follower, of {shown}"))
}

/// The revision of the latest command that an instance knows.
async fn latest(instance: &Instance) -> u64 {
    let (_, log) = instance.get("/api/weather/overrides").await;
    log["commands"][0]["revision"].as_u64().unwrap_or(0)
}

/// A command of any kind: its route and body.
fn command(dice: &mut Dice, place: &Place, rev: u64) -> (&'static str, Value) {
    let ids: Vec<&str> = place.world.regions.iter().map(|region| region.id.as_str()).collect();
    let region = dice.pick(&ids);
    let state = dice.pick(&WeatherState::ALL).name();
    let effect = match dice.below(9) {
        0 => return ("clear", json!({ "region": region })),
        1 => return ("clear", json!({ "id": format!("all-{}", 1 + dice.below(rev + 1)) })),
        2 => return ("undo", json!({})),
        3 => {
            let minutes = 1 + dice.below(300);
            let set = json!({"region": region, "state": state, "duration_game_minutes": minutes});
            return ("set", set);
        }
        4 => json!({"kind": "lock"}),
        5 => json!({"kind": "season_shift", "days": 1 + dice.below(366)}),
        6 => json!({"kind": "storm_cell", "radius_km": 100 + dice.below(900), "state": "storm",
            "path": [{"latitude": 51, "longitude": 0}, {"latitude": 47, "longitude": 18}],
            "speed_kmh": dice.below(300)}),
        7 => json!({"kind": "set_state", "state": state, "intensity": 0.25}),
        _ => json!({"kind": "offset", "temperature_c": dice.below(400) as f64 / 10.0 - 20.5,
            "wind_mps": dice.below(20), "rain_factor": dice.below(30) as f64 / 10.0}),
    };
    let regions: Vec<&str> = ids.iter().copied().filter(|_| dice.below(4) == 0).collect();
    let mut body = json!({"effect": effect, "regions": regions,
        "priority": dice.below(5) as i64 - 2, "actor": "anna"});
    if dice.below(2) == 0 {
        body["duration_game_minutes"] = json!(60 + dice.below(600));
        body["fade_in_game_minutes"] = json!(dice.below(30));
        body["fade_out_game_minutes"] = json!(dice.below(30));
        if effect["kind"] == "storm_cell" {
            body["fade_in_game_minutes"] = json!(0);
            body["fade_out_game_minutes"] = json!(0);
        }
    }
    ("overrides", body)
}

/// A change of the clock of any kind, from one lead ahead on.
fn change(dice: &mut Dice, clock: &Clock, place: &Place) -> Change {
    match dice.below(5) {
        0 => Change::Set(GameTime(dice.below(20 * GameTime::DAY_US as u64) as i64)),
        1 => Change::Skip(dice.below(GameTime::DAY_US as u64) as i64),
        2 => Change::Scale("40".parse::<Scale>().unwrap()),
        3 => Change::Scale(place.world.scale),
        _ if clock.last().paused => Change::Start,
        _ => Change::Pause,
    }
}

#[tokio::test]
async fn follower_computes_the_weather_of_the_weather_manager_to_the_bit() {
    let place = Place::new().await;
    let mut clock = new_clock(&place);
    tell(&place, clock.last()).await;
    let first = run(&place).await;
    first.ready().await;
    let mut second = Some(run(&place).await);
    let mut dice = Dice(11);
    let (mut rev, mut forced) = (0, 0);
    for step in 1..400 {
        place.advance(1 + dice.below(8_000_000) as i64);
        tokio::task::yield_now().await;
        if step % 5 == 0 {
            let (verb, body) = command(&mut dice, &place, rev);
            let by = second.as_ref().filter(|_| step % 2 == 0).unwrap_or(&first);
            let (status, answer) =
                by.post(&format!("/api/weather/{verb}"), &body.to_string()).await;
            let nothing =
                ["undo", "clear"].contains(&verb) && [404, 409].contains(&status.as_u16());
            assert!(status == 200 || nothing, "{verb} {body}: {answer}");
            // An instance that refused may not know yet what the other one took.
            rev = rev.max(latest(by).await);
        }
        if step % 40 == 0 {
            let effective = place.now().plus_us(LEAD_MS as i64 * 1000);
            let segment = clock.change(change(&mut dice, &clock, &place), effective);
            clock.insert(segment).unwrap();
            tell(&place, &segment).await;
            kept(&place, segment.epoch).await;
        }
        match (step % 100, second.take()) {
            (30, Some(running)) => running.stop().await,
            (60, None) => second = Some(run(&place).await),
            (_, kept) => second = kept,
        }
        if step % 10 == 7 {
            // It knows what the other one took after a poll.
            let knows = async { while latest(&first).await < rev {} };
            tokio::time::timeout(DEADLINE, knows).await.unwrap();
            let follower = follower_of(&place, rev).await;
            forced += assert_same_now(&place, &first, &follower).await;
        }
    }
    assert!(rev > 40 && forced > 100, "{rev} commands, {forced} times forced");
    let end = place.now();
    place.advance(1_000_000);
    let follower = follower_of(&place, rev).await;
    let wanted = samples(&place, &follower, end);
    let seen = place.events_with(TOPIC, wanted.keys().copied().collect()).await;
    let samples = seen.iter().filter(|event| event.event_type == v1::WeatherSample::NUMBER);
    let mut forced = 0;
    for event in samples.filter(|event| event.timestamp_ms < end.0 / 1000) {
        let shown = v1::WeatherSample::decode(&event.payload[..]).unwrap();
        assert_eq!(Some(&shown), wanted.get(&event.id), "{event:?}");
        forced += usize::from(shown.forced);
    }
    assert!(forced > 100, "{forced} of {}", wanted.len());
    first.stop().await;
    if let Some(second) = second {
        second.stop().await;
    }
}

#[tokio::test]
async fn overrides_are_announced_at_start_and_again_and_again_also_where_there_are_none() {
    let place = Place::new().await;
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place).await;
    instance.ready().await;
    let count = |count: usize| {
        move |seen: &[Seen]| seen.iter().filter(|event| is_announced(event)).count() == count
    };
    place.events_until(TOPIC, count(1)).await;
    place.advance(5_000_000);
    place.events_until(TOPIC, count(2)).await;
    let lock = json!({"effect": {"kind": "lock"}}).to_string();
    assert_eq!(instance.post("/api/weather/overrides", &lock).await.0, 200);
    // At once, before it takes effect.
    place.events_until(TOPIC, count(3)).await;
    instance.stop().await;
    // What an instance of the same time announces is the same.
    let again = run(&place).await;
    again.ready().await;
    place.advance(5_000_000);
    let seen = place.events_until(TOPIC, |seen| count(4)(seen) || count(5)(seen)).await;
    let last = seen.iter().rfind(|event| is_announced(event)).unwrap();
    let last = v1::WeatherOverridesAnnounced::decode(&last.payload[..]).unwrap();
    // The last one alone is enough.
    let mut follower = WeatherFollower::new(&place.world);
    follower.overrides_announced(last).unwrap();
    follow(&mut follower, &place.events(v1::ClockChanged::TOPIC).await);
    assert_eq!(assert_same_now(&place, &again, &follower).await, place.world.regions.len());
    again.stop().await;
}

#[tokio::test]
async fn follower_computes_the_weather_after_a_clock_that_was_ahead() {
    let place = Place::new().await;
    let mut clock = new_clock(&place);
    let ahead = Arc::new(ManualClock::new(place.now().0 + 12 * 24 * 25_000_000));
    let instance = run_by(&place, Arc::clone(&ahead)).await;
    while !instance.readiness.is_ready() {
        tell(&place, clock.last()).await;
        tokio::task::yield_now().await;
    }
    let fog = r#"{"region":"paris","state":"fog","duration_game_minutes":100000}"#;
    assert_eq!(instance.post("/api/weather/set", fog).await.0, 200);
    ahead.advance(Duration::from_millis(1));
    follower_of(&place, 1).await;
    instance.stop().await;
    let resumed = clock.resume(WallTime(ahead.now_us()), place.now());
    clock.insert(resumed).unwrap();
    tell(&place, &resumed).await;
    let instance = run_by(&place, Arc::clone(&place.wall)).await;
    instance.ready().await;
    place.advance(10_000_000);
    let storm = r#"{"region":"vienna","state":"storm","duration_game_minutes":600}"#;
    assert_eq!(instance.post("/api/weather/set", storm).await.0, 200);
    place.advance(1);
    let follower = follower_of(&place, 2).await;
    assert_eq!(assert_same_now(&place, &instance, &follower).await, 2);
    instance.stop().await;
}

//! Each change of the weather exactly once: with two instances, restarts, a clock that is set,
//! and overrides. Compared with the functions of `worldbus-world`.

use std::collections::{HashMap, HashSet};

use crate::kit::{TOPIC, changed_id, kept, new_clock, run, tell};
use worldbus_bus::{SubscriptionName, SubscriptionSpec, Topic};
use worldbus_events::{Event as _, EventId, prost::Message as _, v1};
use worldbus_testkit::{Dice, Place, Seen};
use worldbus_weather_manager::NAME;
use worldbus_world::{Change, Clock, GameTime, Overrides, WallTime, Weather};

/// The changes at whole hours that the clock passed, without overrides.
fn hourly(place: &Place, clock: &Clock, until: WallTime) -> HashSet<EventId> {
    let weather = Weather::new(&place.world);
    let none = Overrides::default();
    let after = clock.segments()[0].anchor_wall.plus_us(-1);
    let mut wanted = HashSet::new();
    for hour in clock.boundaries(after, until, GameTime::HOUR_US) {
        if clock.segments().iter().any(|s| s.anchor_game == hour.game) {
            continue;
        }
        for region in 0..weather.region_count() {
            let old = weather.state(region, hour.game.plus_us(-1), &none);
            if old != weather.state(region, hour.game, &none) {
                wanted.insert(changed_id(hour.epoch, hour.game, region));
            }
        }
    }
    wanted
}

/// Each event once, and each region's states a chain from the first on.
fn assert_chains(seen: &[Seen]) -> HashMap<String, i32> {
    let ids: HashSet<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), seen.len(), "an event came twice");
    let mut states = HashMap::new();
    for event in seen.iter().filter(|event| event.event_type == v1::WeatherChanged::NUMBER) {
        let change = v1::WeatherChanged::decode(&event.payload[..]).unwrap();
        let before = states.insert(change.region_id.clone(), change.new_state);
        assert_eq!(before.unwrap_or_default(), change.old_state, "{change:?}");
        assert_ne!(change.old_state, change.new_state);
    }
    states
}

#[tokio::test]
async fn first_clock_brings_the_weather_of_every_region() {
    let place = Place::new().await;
    let clock = new_clock(&place);
    tell(&place, clock.last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    let wanted = (0..12).map(|region| changed_id(0, GameTime(0), region)).collect();
    let states = assert_chains(&place.events_with(TOPIC, wanted).await);
    let weather = Weather::new(&place.world);
    for (region, entry) in place.world.regions.iter().enumerate() {
        let state = weather.state(region, GameTime(0), &Overrides::default());
        assert_eq!(states[&entry.id], state as i32);
    }
    instance.stop().await;
}

#[tokio::test]
async fn clock_is_received_though_an_instance_took_its_announcement_and_died() {
    let place = Place::new().await;
    let topics = vec![Topic::new(v1::ClockChanged::TOPIC).unwrap()];
    let spec = SubscriptionSpec::new(SubscriptionName::new(NAME).unwrap(), topics);
    let mut dead = place.bus.transport().subscribe(spec).await.unwrap();
    tell(&place, new_clock(&place).last()).await;
    let taken = dead.next().await.unwrap();
    let instance = run(&place, 0).await;
    instance.ready().await;
    assert_eq!(taken.lease.attempt, 1, "its lease ends by a clock that stands");
    instance.stop().await;
}

#[tokio::test]
async fn two_instances_are_seen_as_one_while_the_clock_is_set_and_one_restarts() {
    let place = Place::new().await;
    let mut clock = new_clock(&place);
    tell(&place, clock.last()).await;
    let first = run(&place, 2_000).await;
    first.ready().await;
    let mut second = Some(run(&place, 2_000).await);
    let mut dice = Dice(7);
    for step in 1..300 {
        place.advance(1 + dice.below(10_000_000) as i64);
        tokio::task::yield_now().await;
        if step % 40 == 0 {
            let effective = place.now().plus_us(2_000_000);
            let game = GameTime(dice.below(40 * GameTime::DAY_US as u64) as i64);
            let segment = clock.change(Change::Set(game), effective);
            clock.insert(segment).unwrap();
            tell(&place, &segment).await;
            kept(&place, segment.epoch).await;
        }
        match (step % 100, second.take()) {
            (30, Some(running)) => running.stop().await,
            (60, None) => second = Some(run(&place, 2_000).await),
            (_, kept) => second = kept,
        }
    }
    let end = place.now();
    place.advance(1_000_000);
    assert_chains(&place.events_with(TOPIC, hourly(&place, &clock, end)).await);
    first.stop().await;
    if let Some(second) = second {
        second.stop().await;
    }
}

#[tokio::test]
async fn override_is_published_at_its_start_and_end_and_survives_a_restart() {
    let place = Place::new().await;
    let clock = new_clock(&place);
    tell(&place, clock.last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    place.advance(10 * 60 * 1_000_000);
    let body =
        r#"{"region":"paris","state":"blizzard","intensity":0.9,"duration_game_minutes":90}"#;
    let (status, answer) = instance.post("/api/weather/set", body).await;
    assert_eq!((status.as_u16(), &answer["state"]), (200, &"blizzard".into()), "{answer}");
    place.advance(1);
    let (_, now) = instance.get("/api/weather/current?region=paris").await;
    assert_eq!((&now["state"], &now["forced"]), (&"blizzard".into(), &true.into()));
    instance.stop().await;

    let again = run(&place, 0).await;
    again.ready().await;
    let (_, now) = again.get("/api/weather/current?region=paris").await;
    assert_eq!((&now["state"], &now["intensity"]), (&"blizzard".into(), &0.9.into()));
    let game_hour_us = 25_000_000;
    place.advance(2 * game_hour_us);
    let (_, now) = again.get("/api/weather/current?region=paris").await;
    assert_eq!(now["forced"], false);
    place.advance(24 * game_hour_us);
    let seen = place.events_with(TOPIC, hourly_but(&place, &clock, "paris")).await;
    let states = assert_chains(&seen);
    let (_, now) = again.get("/api/weather/current?region=paris").await;
    let paris: v1::WeatherState = states["paris"].try_into().unwrap();
    let name = now["state"].as_str().unwrap().to_uppercase();
    assert_eq!(paris.as_str_name(), format!("WEATHER_STATE_{name}"));
    let forced = |event: &&Seen| {
        event.event_type == v1::WeatherSevere::NUMBER
            && v1::WeatherSevere::decode(&event.payload[..]).unwrap().forced
    };
    assert_eq!(seen.iter().filter(forced).count(), 1, "a forced spell is announced once");
    again.stop().await;
}

/// The hourly changes before anything was forced: the override changes the identity after.
fn hourly_but(place: &Place, clock: &Clock, region: &str) -> HashSet<EventId> {
    let weather = Weather::new(&place.world);
    let index = place.world.region_index(region).unwrap();
    let none = Overrides::default();
    let producer = worldbus_world::producer_id("europe", worldbus_weather_manager::NAME, 0, 1);
    let producer = worldbus_events::ProducerId::from_bits(producer);
    let after = clock.segments()[0].anchor_wall.plus_us(10 * 60 * 1_000_000 + 25_000_000 * 2);
    let slots = worldbus_world::Slots::new(32, 12);
    let mut wanted = HashSet::new();
    for hour in clock.boundaries(after, place.now(), GameTime::HOUR_US) {
        for of in (0..weather.region_count()).filter(|of| *of != index) {
            let old = weather.state(of, hour.game.plus_us(-1), &none);
            if old != weather.state(of, hour.game, &none) {
                let sequence = slots.sequence(hour.game.seconds(), 0, Some(of));
                wanted.insert(EventId { producer, sequence });
            }
        }
    }
    wanted
}

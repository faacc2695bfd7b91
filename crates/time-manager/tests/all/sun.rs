//! Where a world's phases of the day follow the sun, each region has its own; elsewhere none is
//! named.

use std::collections::BTreeMap;
use std::iter::successors;

use serde_json::json;

use crate::kit::{Record, TOPIC, assert_in_order, isles, of_type, run, run_slowly, run_with_rule};
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_time_manager::CatchUp;
use worldbus_world::{GameTime, Phase, World};

const HOUR_US: i64 = 25_000_000;
const FILE: &str = include_str!("../../../../worlds/isles.toml");

/// The isles with their first region near the pole.
fn polar() -> World {
    World::parse("polar.toml", &FILE.replace("latitude = 42.0", "latitude = 80.0")).unwrap()
}

/// The phases that were published of a region, each from its own sun.
fn phases(all: &[Seen], region: &str) -> Vec<v1::TimeChanged> {
    let of = |event: &v1::TimeChanged| event.region_id.as_deref() == Some(region);
    of_type::<v1::TimeChanged>(all).into_iter().filter(of).collect()
}

async fn until(place: &Place, hour: i64) -> Vec<Seen> {
    place
        .events_until(TOPIC, |all| {
            let hours = of_type::<v1::HourChanged>(all);
            hours.last().is_some_and(|last| last.game_us >= hour * GameTime::HOUR_US)
        })
        .await
}

async fn pass(place: &Place, hours: i64) {
    for _ in 0..hours {
        place.advance(HOUR_US);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_region_has_its_phases_at_its_own_instants() {
    let (world, place) = (isles(), Place::new().await.with_world(isles()));
    let instance = run(&place, 0).await;
    pass(&place, 72).await;
    place.advance(10_000);
    let all = until(&place, 72).await;
    let mut sunrises = Vec::new();
    for region in &world.regions {
        let (latitude, longitude) = (region.latitude, region.longitude);
        let sun = world.sun();
        let next = |game: &GameTime| Some(sun.next_phase(*game, latitude, longitude)?.0);
        let turns = successors(Some(GameTime(0)), next);
        let turns = turns.take_while(|game| game.0 <= 72 * GameTime::HOUR_US);
        let wanted: Vec<_> = turns
            .map(|game| (game.minutes(), sun.phase(game, latitude, longitude) as i32))
            .collect();
        let changes = phases(&all, &region.id);
        let found: Vec<_> =
            changes.iter().map(|change| (change.total_minutes, change.new_phase)).collect();
        assert_eq!(found, wanted, "{}", region.id);
        // At the first minute of the day the sun's upper edge is over the horizon.
        let begun = changes[1..].iter().filter(|change| change.new_phase == Phase::Day as i32);
        let begun: Vec<_> = begun.collect();
        for change in &begun {
            let altitude = change.sun_altitude_centidegrees.unwrap();
            assert!((-84..-50).contains(&altitude), "{change:?}");
        }
        sunrises.push(begun[0].total_minutes);
        let days = of_type::<v1::DayActivated>(&all);
        let ours = days.iter().filter(|day| day.region_id.as_ref() == Some(&region.id)).count();
        let wanted = changes.iter().filter(|change| change.new_phase == Phase::Day as i32).count();
        assert_eq!(ours, wanted, "{}", region.id);
    }
    assert!(sunrises[0] != sunrises[1] && sunrises[1] != sunrises[2], "{sunrises:?}");
    for event in all.iter().filter(|event| event.event_type == v1::TimeChanged::NUMBER) {
        let change = &of_type::<v1::TimeChanged>(std::slice::from_ref(event))[0];
        assert_eq!(event.entity, change.region_id);
        assert_eq!(event.world, "isles");
    }
    assert_in_order(&all);
    // Autumn begins in the south where spring does in the north.
    let season = |region| phases(&all, region).last().unwrap().season;
    assert_ne!(season("haven"), season("southmark"));
    instance.stop().await;
}

#[tokio::test]
async fn hours_and_days_tell_the_light_of_the_first_region() {
    let (world, place) = (isles(), Place::new().await.with_world(isles()));
    let instance = run(&place, 0).await;
    pass(&place, 30).await;
    place.advance(10_000);
    let all = until(&place, 30).await;
    let (calendar, first) = (world.calendar(), &world.regions[0]);
    let day = of_type::<v1::DayChanged>(&all).pop().unwrap();
    let (rise, set) = (day.sunrise_game_us.unwrap(), day.sunset_game_us.unwrap());
    let sun = world.sun();
    let number = calendar.day_number(GameTime(day.game_us));
    let wanted = sun.day(number, first.latitude, first.longitude).unwrap();
    assert_eq!(i64::from(day.day_length_s.unwrap()), (set - rise) / GameTime::SECOND_US);
    assert!(rise < wanted.noon.0 && wanted.noon.0 < set);
    for hour in of_type::<v1::HourChanged>(&all) {
        let light = hour.light_permille.unwrap();
        let game = GameTime(hour.game_us);
        assert_eq!(hour.phase, world.phase(game) as i32);
        match hour.hour {
            0..=3 | 22.. => assert_eq!((light, hour.is_day), (0, false), "{hour:?}"),
            11..=13 => assert_eq!((light, hour.is_day), (1000, true), "{hour:?}"),
            _ => assert!(light <= 1000),
        }
    }
    let ticks = of_type::<v1::TimeUpdated>(&all);
    let phase = |tick: &v1::TimeUpdated| world.phase(GameTime::from_minutes(tick.total_minutes));
    assert!(ticks.iter().all(|tick| tick.phase == phase(tick) as i32));
    instance.stop().await;
}

#[tokio::test]
async fn polar_night_brings_no_day_and_polar_day_no_night() {
    let place = Place::new().await.with_world(polar());
    let instance = run_slowly(&place).await;
    let at = async |month: u32| {
        let body = format!(r#"{{"month":{month},"day":5,"hour":3}}"#);
        assert_eq!(instance.post("/api/time/set", &body).await.0, 200);
        place.advance(10);
        let from = place.events(TOPIC).await.len();
        pass(&place, 72).await;
        let of_month = |day: &v1::DayChanged| day.date.unwrap().month == month;
        let days =
            |all: &[Seen]| of_type::<v1::DayChanged>(all).into_iter().filter(of_month).count();
        let all = place.events_until(TOPIC, |all| days(all) == 4).await;
        all[from..].to_vec()
    };
    let mine = |region: &Option<String>| region.as_deref() == Some("haven");
    let winter = at(12).await;
    assert!(!of_type::<v1::DayActivated>(&winter).iter().any(|day| mine(&day.region_id)));
    assert!(of_type::<v1::DayActivated>(&winter).len() >= 3, "the south has its summer");
    for day in of_type::<v1::DayChanged>(&winter).iter().filter(|day| day.date.unwrap().month == 12)
    {
        let light = (day.sunrise_game_us, day.sunset_game_us, day.day_length_s);
        assert_eq!(light, (None, None, Some(0)));
    }
    let summer = at(6).await;
    assert!(!of_type::<v1::NightActivated>(&summer).iter().any(|night| mine(&night.region_id)));
    let days = of_type::<v1::DayActivated>(&summer);
    assert_eq!(days.iter().filter(|day| mine(&day.region_id)).count(), 1, "at the jump alone");
    for day in of_type::<v1::DayChanged>(&summer).iter().filter(|day| day.date.unwrap().month == 6)
    {
        let light = (day.sunrise_game_us, day.sunset_game_us, day.day_length_s);
        assert_eq!(light, (None, None, Some(86_400)));
    }
    instance.stop().await;
}

/// Two days of the isles as they are published, by id; the last instance is started again at times.
async fn two_days(place: &Place, mut instances: Vec<Instance>, step_us: i64) -> Vec<Seen> {
    let begin = place.now().0;
    let end = begin + 48 * HOUR_US + 10_000;
    let mut steps = 0;
    while place.now().0 < end {
        place.advance(step_us.min(end - place.now().0));
        tokio::task::yield_now().await;
        steps += 1;
        if steps % 7 == 0 {
            // Behind by more than a day it would leave something out.
            until(place, (place.now().0 - begin) / HOUR_US - 8).await;
            instances.pop().unwrap().stop().await;
            instances.push(run(place, 0).await);
        }
    }
    until(place, 48).await;
    // What happens at the last hour besides is published by the time that they have ended.
    for instance in instances {
        instance.stop().await;
    }
    let mut all = place.events(TOPIC).await;
    // The repetitions of the clock come by wall time alone.
    all.retain(|event| event.event_type != v1::ClockChanged::NUMBER);
    all.sort_by_key(|event| event.id);
    all
}

#[tokio::test]
async fn a_stretch_in_pieces_and_over_restarts_and_from_two_instances_publishes_the_same() {
    let whole = Place::new().await.with_world(isles());
    let whole = two_days(&whole, vec![run(&whole, 0).await], 48 * HOUR_US).await;
    let pieces = Place::new().await.with_world(isles());
    let pieces = two_days(&pieces, vec![run(&pieces, 0).await], 2 * HOUR_US + 123_457).await;
    let (twins, record) = Record::place().await;
    let twins = twins.with_world(isles());
    let instances = vec![run(&twins, 0).await, run(&twins, 0).await];
    let twins = two_days(&twins, instances, 3 * HOUR_US + 1).await;
    let content = |all: &[Seen]| -> BTreeMap<_, _> {
        let of = |event: &Seen| (event.event_type, event.entity.clone(), event.payload.clone());
        all.iter().map(|event| (event.id, of(event))).collect()
    };
    assert_eq!(content(&whole).len(), whole.len(), "an event came twice");
    assert!(whole.iter().filter(|event| event.entity.is_some()).count() > 30);
    assert_eq!(content(&whole), content(&pieces));
    assert_eq!(content(&whole), content(&twins));
    let (different, published) = record.counts();
    assert!(published > different, "no twins");
}

#[tokio::test]
async fn after_a_downtime_the_latest_phase_of_each_region_stands_for_the_others() {
    let place = Place::new().await.with_world(isles());
    run_with_rule(&place, CatchUp::Last).await.stop().await;
    let before = place.events(TOPIC).await.len();
    place.advance(20 * 24 * HOUR_US);
    let again = run_with_rule(&place, CatchUp::Last).await;
    let regions = isles().regions;
    let complete = |all: &[Seen]| {
        let missed = all.get(before..).unwrap_or_default();
        regions.iter().all(|region| !phases(missed, &region.id).is_empty())
    };
    let all = place.events_until(TOPIC, complete).await;
    let missed: Vec<_> = all[before..].to_vec();
    for region in &regions {
        let changes = phases(&missed, &region.id);
        assert_eq!(changes.len(), 1, "{}: {changes:?}", region.id);
        let of = |event: &&Seen| {
            event.event_type == v1::TimeChanged::NUMBER && event.entity.as_ref() == Some(&region.id)
        };
        let event = missed.iter().find(of).unwrap();
        let left_out: usize = event.metadata["coalesced"].parse().unwrap();
        assert!((70..90).contains(&left_out), "{left_out}");
    }
    again.stop().await;
}

#[tokio::test]
async fn world_by_the_clock_names_no_region_and_no_sun() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    pass(&place, 24).await;
    place.advance(10_000);
    let all = until(&place, 24).await;
    let changed = of_type::<v1::TimeChanged>(&all);
    let hours: Vec<_> = changed.iter().map(|change| change.hour).collect();
    assert_eq!(hours, [6, 7, 18, 20, 5]);
    for change in changed {
        assert_eq!((change.region_id, change.sun_altitude_centidegrees), (None, None));
    }
    assert!(of_type::<v1::HourChanged>(&all).iter().all(|hour| hour.light_permille.is_none()));
    for day in of_type::<v1::DayChanged>(&all) {
        assert_eq!((day.sunrise_game_us, day.sunset_game_us, day.day_length_s), (None, None, None));
    }
    let named = all.iter().filter_map(|event| event.entity.as_deref());
    assert!(named.clone().all(|entity| entity == "Moon"), "{:?}", named.collect::<Vec<_>>());
    instance.stop().await;
}

#[tokio::test]
async fn sun_of_a_region_is_shown_now_and_on_its_day() {
    let place = Place::new().await.with_world(polar());
    let instance = run(&place, 0).await;
    let set = r#"{"month":12,"day":5,"hour":12}"#;
    assert_eq!(instance.post("/api/time/set", set).await.0, 200);
    place.advance(1);
    let (status, pole) = instance.get("/api/time/sun").await;
    assert_eq!((status.as_u16(), &pole["region"]), (200, &json!("haven")));
    assert_eq!((&pole["day_length_s"], &pole["light_permille"]), (&json!(0), &json!(0)));
    assert!(pole["sunrise"].is_null() && pole["sunset"].is_null(), "{pole}");
    assert!(pole["sun_altitude_centidegrees"].as_i64().unwrap() < -600, "{pole}");
    let (_, now) = instance.get("/api/time/current").await;
    assert_eq!((&now["phase"], &pole["phase"]), (&json!("night"), &json!("night")));
    let (_, south) = instance.get("/api/time/sun?region=southmark").await;
    assert_eq!((&south["phase"], &south["light_permille"]), (&json!("day"), &json!(1000)));
    assert!(south["day_length_s"].as_i64().unwrap() > 13 * 3_600, "{south}");
    let (rise, set) = (south["sunrise"].as_str().unwrap(), south["sunset"].as_str().unwrap());
    assert!(rise.starts_with("0901-12-05T0") && set > rise, "{south}");
    let (status, problem) = instance.get("/api/time/sun?region=atlantis").await;
    assert_eq!((status.as_u16(), &problem["field"]), (404, &json!("region")));
    instance.stop().await;
}

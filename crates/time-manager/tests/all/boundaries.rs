//! Each boundary exactly once: over a simulated week of commands, over restarts, and with two
//! instances. Compared with the enumeration of `worldbus-world`.

use std::collections::HashSet;

use crate::kit::{TOPIC, id, kept_clock, minutes, run};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_testkit::{Dice, Instance, Place, Seen};
use worldbus_world::GameTime;

/// Commands of one run: the clock keeps 64 segments.
const COMMANDS_MAX: u32 = 50;

async fn command(instance: &Instance, dice: &mut Dice, seconds_per_hour: f64) {
    let (path, body) = match dice.below(4) {
        0 => ("set", format!(r#"{{"hour":{},"minute":{}}}"#, dice.below(24), dice.below(60))),
        1 => {
            let scale = seconds_per_hour * dice.pick(&[1.0, 1.5, 0.8, 0.999, 2.0]);
            ("scale", format!(r#"{{"real_seconds_per_game_hour":{scale}}}"#))
        }
        2 => ("stop", String::new()),
        _ => ("start", "{}".to_owned()),
    };
    let (status, answer) = instance.post(&format!("/api/time/{path}"), &body).await;
    assert_eq!(status, 200, "{path} {body}: {answer}");
    if path == "stop" {
        // A world that stands for long proves little.
        assert_eq!(instance.post("/api/time/start", "").await.0, 200);
    }
}

fn assert_each_once(seen: &[Seen]) {
    let ids: HashSet<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), seen.len(), "an event came twice");
}

async fn assert_complete(place: &Place) {
    let (clock, now) = (kept_clock(place).await, place.now());
    // The state store is read again, and what was held back for it comes.
    place.advance(1_000_000);
    assert!(clock.segments()[0].epoch == 0, "the clock forgot segments");
    let passed = minutes(&clock, now);
    let known = minutes(&clock, place.now());
    let after = clock.segments()[0].anchor_wall.plus_us(-1);
    let calendar = place.world.calendar();
    let phases = clock.boundaries(after, now, GameTime::HOUR_US).filter(|hour| {
        let begins = [5, 7, 18, 20].contains(&calendar.at(hour.game).hour);
        begins && clock.segments().iter().all(|s| s.anchor_game != hour.game)
    });
    let phases: HashSet<_> = phases.map(|hour| id(hour.epoch, hour.game.minutes(), 0)).collect();
    let begun = clock.segments().iter().map(|segment| id(segment.epoch, 0, 4));
    let wanted = passed.iter().copied().chain(phases.iter().copied()).chain(begun).collect();
    let seen = place.events_with(TOPIC, wanted).await;
    assert_each_once(&seen);
    for event in seen.iter().filter(|event| event.event_type == v1::TimeUpdated::NUMBER) {
        assert!(known.contains(&event.id), "invented: {event:?}");
        let tick = v1::TimeUpdated::decode(&event.payload[..]).unwrap();
        let date = calendar.at(GameTime::from_minutes(tick.total_minutes));
        assert_eq!((tick.hour, tick.minute), (u32::from(date.hour), u32::from(date.minute)));
    }
}

async fn week(seconds_per_hour: f64, seed: u64) {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = format!(r#"{{"real_seconds_per_game_hour":{seconds_per_hour}}}"#);
    assert_eq!(instance.post("/api/time/scale", &body).await.0, 200);
    let mut dice = Dice(seed);
    let mut commands = 0;
    let end_us = place.now().0 + (seconds_per_hour * 168.0 * 1e6) as i64;
    while place.now().0 < end_us {
        let step_us = (seconds_per_hour * 1e6 * 4.0) as u64;
        place.advance(1 + dice.below(step_us) as i64);
        tokio::task::yield_now().await;
        if dice.below(3) == 0 && commands < COMMANDS_MAX / 2 {
            command(&instance, &mut dice, seconds_per_hour).await;
            commands += 1;
        }
    }
    assert_complete(&place).await;
    instance.stop().await;
}

#[tokio::test]
async fn every_minute_comes_once_over_a_week_at_25_seconds_an_hour() {
    week(25.0, 1).await;
}

#[tokio::test]
async fn every_minute_comes_once_over_a_week_at_60_seconds_an_hour() {
    week(60.0, 2).await;
}

#[tokio::test]
async fn every_minute_comes_once_over_a_week_at_75_seconds_an_hour() {
    week(75.0, 3).await;
}

#[tokio::test]
async fn every_minute_comes_once_over_a_week_at_3600_seconds_an_hour() {
    week(3600.0, 4).await;
}

#[tokio::test]
async fn restart_continues_where_the_world_should_be_and_catches_up() {
    let place = Place::new().await;
    let first = run(&place, 0).await;
    place.advance(25_000_000);
    let clock = kept_clock(&place).await;
    place.events_with(TOPIC, minutes(&clock, place.now())).await;
    first.stop().await;
    place.advance(10 * 25_000_000);
    let again = run(&place, 0).await;
    let (_, now) = again.get("/api/time/current").await;
    assert_eq!((&now["total_minutes"], &now["hour"]), (&660.into(), &17.into()));
    assert_complete(&place).await;
    again.stop().await;
}

#[tokio::test]
async fn long_downtime_is_made_up_for_by_one_game_day() {
    let place = Place::new().await;
    run(&place, 0).await.stop().await;
    place.advance(100 * 25_000_000);
    let again = run(&place, 0).await;
    let clock = kept_clock(&place).await;
    let last =
        clock.boundaries(place.now().plus_us(-24 * 25_000_000), place.now(), GameTime::MINUTE_US);
    let wanted = last.map(|minute| id(minute.epoch, minute.number, 3)).collect();
    let seen = place.events_with(TOPIC, wanted).await;
    let ticks = seen.iter().filter(|event| event.event_type == v1::TimeUpdated::NUMBER).count();
    assert!(ticks <= 1_442, "{ticks}");
    again.stop().await;
}

#[tokio::test]
async fn two_instances_on_one_bus_and_one_state_are_seen_as_one() {
    let place = Place::new().await;
    let (first, mut second) = (run(&place, 2_000).await, Some(run(&place, 2_000).await));
    let mut dice = Dice(5);
    let mut commands = 0;
    for step in 0..600 {
        place.advance(1 + dice.below(5_000_000) as i64);
        tokio::task::yield_now().await;
        if dice.below(8) == 0 && commands < COMMANDS_MAX / 2 {
            let taker = if dice.below(2) == 0 { Some(&first) } else { second.as_ref() };
            command(taker.unwrap_or(&first), &mut dice, 25.0).await;
            commands += 1;
        }
        match (step % 150, second.take()) {
            (50, Some(running)) => running.stop().await,
            (100, None) => second = Some(run(&place, 2_000).await),
            (_, kept) => second = kept,
        }
    }
    assert!(commands > 10);
    assert_complete(&place).await;
    first.stop().await;
    if let Some(second) = second {
        second.stop().await;
    }
}

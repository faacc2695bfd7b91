//! Tasks that are replaced over SNS, SQS and DynamoDB, as a rolling deployment does it: the new one
//! runs before the old one ends, and begins with an empty disk.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::aws::{Log, minute};
use crate::support::{Account, Service, Tail, current, eventually, get, is, post};

/// How long old and new run side by side.
const OVERLAP: Duration = Duration::from_secs(30);
const LEAD: [&str; 2] = ["--lead-ms", "400"];

fn command(url: &str, path: &str, body: &Value) {
    let reply = post(&format!("{url}{path}"), body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn time_manager_that_is_replaced_while_both_run_tells_every_game_minute_once() {
    let account = Account::open("rolling");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let bus = account.event_bus("bus", &[]).ready();
    let task =
        |name: &str| account.start_in(&account.folder.path().join(name), "time-manager", &LEAD);
    let old = task("old").ready();
    command(&old.url, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 10 }));
    let tail = Tail::start(&bus.url, &[]);
    let mut log = Log::default();
    log.follow(&tail, minute(&old) + 10);

    let new = task("new").ready();
    let begun = Instant::now();
    // Both publish the same; what is published is checked meanwhile.
    while begun.elapsed() < OVERLAP {
        log.follow(&tail, minute(&new) + 1);
    }
    // A command by each of them, while both run; later in the year, so that minutes only grow.
    for (time, month) in [(&new, 4), (&old, 7)] {
        command(&time.url, "/api/time/set", &json!({ "month": month, "hour": 5 }));
        let reached = eventually("both know the command", || {
            let times = [&old, &new].map(|time| current(&time.url));
            let known = times.iter().all(|time| time["month"] == month);
            known.then(|| times[0]["total_minutes"].as_i64().unwrap())
        });
        log.follow(&tail, reached + 5);
    }
    old.terminate();
    log.follow(&tail, minute(&new) + 20);
    // Of each epoch no minute is missing, and no event came twice.
    assert!(log.published.len() >= 3 && log.is_gapless(), "{:?}", log.published.keys());
    new.terminate();
    bus.terminate();
}

#[test]
fn tasks_that_are_replaced_keep_the_clock_that_was_set_and_the_weather_that_was_forced() {
    let account = Account::open("again");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let start = |name: &str, generation: u32| {
        let dir = account.folder.path().join(format!("{name}-{generation}"));
        account.start_in(&dir, name, &LEAD)
    };
    let bus = account.event_bus("bus", &[]).ready();
    let pair = |generation| {
        let time = start("time-manager", generation).ready();
        (time, start("weather-manager", generation).ready())
    };
    let (time, weather) = pair(1);
    command(&time.url, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 50 }));
    command(&time.url, "/api/time/set", &json!({ "month": 7, "day": 14, "hour": 17 }));
    let shown = |weather: &Service| {
        let now = format!("{}/api/weather/current?region=vienna", weather.url);
        get(&now).unwrap().json()
    };
    let under_the_new_clock = |weather: &Service| {
        eventually("weather follows the clock", || {
            let shown = shown(weather);
            shown["game_time"].as_str()?.contains("-07-14T17:").then_some(shown)
        })
    };
    under_the_new_clock(&weather);
    let forced = json!({ "region": "vienna", "state": "blizzard" });
    command(&weather.url, "/api/weather/set", &forced);
    eventually("the weather is forced", || (shown(&weather)["state"] == "blizzard").then_some(()));
    let before = current(&time.url);
    time.terminate();
    weather.terminate();

    let (time, weather) = pair(2);
    let after = current(&time.url);
    for kept in ["epoch", "month", "day", "real_seconds_per_game_hour"] {
        assert_eq!(after[kept], before[kept], "{kept} of {after}");
    }
    let minutes = |time: &Value| time["total_minutes"].as_i64().unwrap();
    assert!((minutes(&before)..minutes(&before) + 60).contains(&minutes(&after)), "{after}");
    let weather_after = under_the_new_clock(&weather);
    assert_eq!(weather_after["state"], "blizzard", "{weather_after}");
    // And it is published so.
    let tail = Tail::start(&bus.url, &["--type", "weather.changed"]);
    tail.until(|event| {
        is(event, "weather.changed")
            && event["entity"] == "vienna"
            && event["payload"]["new_state"] == "WEATHER_STATE_BLIZZARD"
    });
    for service in [time, weather, bus] {
        service.terminate();
    }
}

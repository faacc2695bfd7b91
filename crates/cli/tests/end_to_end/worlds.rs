//! A world's clock and weather: in one process, in three, and in several instances of each.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use crate::support::due::{self, Due};
use crate::support::{
    Service, Tail, Town, assert_whole, current, eventually, get, is, minutes, post,
};
use worldbus_world::GameTime;

#[test]
fn one_command_runs_a_world_that_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let up = Service::start("up", &["--data-dir", dir]).ready();
    let tail = Tail::start(&up.url, &[]);
    let mut wanted: HashSet<&str> =
        ["time.updated", "time.clock_changed", "weather.changed"].into();
    tail.until(|event| {
        wanted.remove(event["event_type"].as_str().unwrap());
        wanted.is_empty()
    });
    let time = current(&up.url);
    for field in [
        "world",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "phase",
        "season",
        "time_string",
        "total_minutes",
        "real_seconds_per_game_hour",
        "running",
    ] {
        assert!(!time[field].is_null(), "{field} is not in {time}");
    }
    post(&format!("{}/api/time/set", up.url), &json!({ "hour": 25 })).problem(422, &["0 to 23"]);
    let scale = json!({ "real_seconds_per_game_hour": 0 });
    let refused = post(&format!("{}/api/time/scale", up.url), &scale);
    assert!((400..500).contains(&refused.status), "{refused:?}");
    let weather = json!({ "region": "atlantis", "state": "heavy_rain" });
    post(&format!("{}/api/weather/set", up.url), &weather).problem(404, &["atlantis"]);
    let set = post(&format!("{}/api/time/set", up.url), &json!({ "hour": 22, "minute": 30 }));
    assert_eq!(set.status, 200, "{set:?}");
    assert!(set.json()["effective_at"].is_string());
    let before = current(&up.url)["total_minutes"].as_i64().unwrap();
    up.terminate();

    let up = Service::start("up", &["--data-dir", dir]).ready();
    let after = current(&up.url);
    assert_eq!(after["hour"], 22, "{after}");
    let after = after["total_minutes"].as_i64().unwrap();
    // 2.4 game minutes a second: a restart takes seconds.
    assert!((before..before + 60).contains(&after), "{before}, then {after}");
    let events = up_to_minute(&Tail::start(&up.url, &["--type", "time.updated"]), after + 2);
    let published: HashSet<i64> = events.iter().map(minutes).collect();
    assert!((before + 1..=after).all(|minute| published.contains(&minute)), "{before} to {after}");
    up.terminate();
}

#[test]
fn weather_that_is_forced_right_after_the_clock_was_set_is_under_the_new_clock() {
    let folder = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    for round in 0..50 {
        let (month, hour) = (1 + round % 12, round % 24);
        let set = json!({ "month": month, "day": 1, "hour": hour });
        let time = post(&format!("{}/api/time/set", up.url), &set);
        assert_eq!(time.json()["announced"], true, "{time:?}");
        let shown = match round % 2 {
            0 => {
                let fog = json!({ "region": "vienna", "state": "fog" });
                post(&format!("{}/api/weather/set", up.url), &fog).json()["game_time"].clone()
            }
            _ => {
                let url = format!("{}/api/weather/forecast?region=vienna&hours=1", up.url);
                get(&url).unwrap().json()["forecast"][0]["game_time"].clone()
            }
        };
        let wanted = format!("-{month:02}-01T{hour:02}:");
        assert!(shown.as_str().is_some_and(|time| time.contains(&wanted)), "{shown}, not {wanted}");
    }
    up.terminate();
}

fn up_to_minute(tail: &Tail, minute: i64) -> Vec<Value> {
    tail.until(|event| is(event, "time.updated") && minutes(event) >= minute)
}

#[test]
fn service_without_its_event_bus_waits_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let args = ["--data-dir", dir, "--url", "http://127.0.0.1:1"];
    let time = Service::start("time-manager", &args);
    let ready = eventually("it reports why it is not ready", || {
        let reply = get(&format!("{}/readyz", time.url)).ok()?;
        reply.text.contains("bus").then_some(reply)
    });
    assert_eq!(ready.status, 503);
    assert_eq!(get(&format!("{}/livez", time.url)).unwrap().status, 200);
    time.terminate();
}

#[test]
fn service_of_another_world_than_the_clock_names_both() {
    let town = Town::found();
    let time = town.start("time-manager").ready();
    let dir = tempfile::tempdir().unwrap();
    let isles = concat!(env!("CARGO_MANIFEST_DIR"), "/../../worlds/isles.toml");
    let dir = dir.path().to_str().unwrap();
    let arguments = ["--url", &town.bus.url, "--data-dir", dir, "--world", isles];
    let weather = Service::start("weather-manager", &arguments);
    eventually("the reason names both worlds", || {
        let reply = get(&format!("{}/readyz", weather.url)).unwrap();
        let names = ["\"europe\"", "\"isles\"", "--world"];
        (reply.status == 503 && names.iter().all(|name| reply.text.contains(name))).then_some(())
    });
    weather.terminate();
    time.terminate();
}

#[test]
fn three_processes_make_a_world_and_killing_one_loses_nothing() {
    let town = Town::found();
    let time = town.start("time-manager").ready();
    let weather = town.start("weather-manager").ready();
    let tail = Tail::start(&town.bus.url, &[]);
    let scale = json!({ "real_seconds_per_game_hour": 5 });
    assert_eq!(post(&format!("{}/api/time/scale", time.url), &scale).status, 200);
    // Weather follows the clock that it receives.
    let set = json!({ "hour": 3 });
    assert_eq!(post(&format!("{}/api/time/set", time.url), &set).status, 200);
    let now = format!("{}/api/weather/current?region=brussels", weather.url);
    eventually("weather follows the clock", || {
        let shown = get(&now).unwrap().json()["game_time"].as_str()?.to_owned();
        shown.contains("T03:").then_some(())
    });
    time.kill();
    let time = town.start("time-manager").ready();
    weather.kill();
    let weather = town.start("weather-manager").ready();
    let minute = current(&time.url)["total_minutes"].as_i64().unwrap();
    let events = up_to_minute(&tail, minute + 10);
    assert_whole(&events);
    weather.terminate();
    time.terminate();
    town.bus.terminate();
}

#[test]
fn weather_answers_by_the_clock_that_it_knows_while_the_bus_is_away() {
    let town = Town::found();
    let time = town.start("time-manager").ready();
    let weather = town.start("weather-manager").ready();
    town.bus.kill();
    let url = format!("{}/api/weather/current?region=vienna", weather.url);
    let reply = get(&url).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let fog = json!({ "region": "vienna", "state": "fog" });
    let reply = post(&format!("{}/api/weather/set", weather.url), &fog);
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = post(&format!("{}/api/time/set", time.url), &json!({ "hour": 3 }));
    assert_eq!((reply.status, &reply.json()["announced"]), (200, &json!(false)));
}

/// Each of the two pairs is stopped once, one in order and one by kill -9, and the clock is set
/// while it is away. What came is compared with what the clock's announcements make due.
#[test]
fn two_instances_of_each_service_say_everything_once_while_one_restarts() {
    let town = Town::found();
    let pair = || (town.start("time-manager"), town.start("weather-manager"));
    let ready = |(time, weather): (Service, Service)| (time.ready(), weather.ready());
    let (mut staying, mut leaving) = (ready(pair()), ready(pair()));
    let tail = Tail::start(&town.bus.url, &[]);
    for (round, killed) in [false, true].into_iter().enumerate() {
        let command = |path: &str, body: Value| {
            let reply = post(&format!("{}{path}", staying.0.url), &body);
            assert_eq!(reply.status, 200, "{reply:?}");
        };
        command("/api/time/scale", json!({ "real_seconds_per_game_hour": 2 }));
        command("/api/time/set", json!({ "month": 4, "hour": 3 }));
        let (time, weather) = leaving;
        if killed {
            time.kill();
            weather.kill();
        } else {
            time.terminate();
            weather.terminate();
        }
        command("/api/time/set", json!({ "month": 7 + 4 * round, "hour": 17 }));
        leaving = pair();
        command("/api/time/scale", json!({ "real_seconds_per_game_hour": 1.5 }));
        leaving = ready(leaving);
        std::mem::swap(&mut staying, &mut leaving);
    }
    let last = eventually("the last command is in force", || {
        let time = current(&staying.0.url);
        (time["epoch"] == 8).then(|| time["total_minutes"].as_i64().unwrap() + 120)
    });
    let mut events = tail.until(|event| is(event, "time.updated") && minutes(event) == last);
    let due = Due::by(&events);
    let (minutes_due, until) = due.minutes(last);
    let weather_due = due.weather(until);
    // The weather of that minute may come after it.
    let untold = |events: &[Value]| {
        let published: BTreeSet<_> = changes(events).collect();
        weather_due.difference(&published).count()
    };
    while untold(&events) > 0 {
        events.push(tail.next());
    }
    assert_whole(&events);
    let published = events.iter().filter(|event| is(event, "time.updated")).map(due::minute);
    assert_eq!(published.take(minutes_due.len()).collect::<Vec<_>>(), minutes_due);
    let published =
        changes(&events).filter(|(_, _, began, _)| *began < (last + 1) * GameTime::MINUTE_US);
    assert_eq!(published.collect::<BTreeSet<_>>(), weather_due);
}

fn changes(events: &[Value]) -> impl Iterator<Item = due::Change> {
    events.iter().filter(|event| is(event, "weather.changed")).map(due::change)
}

#[test]
fn forecast_comes_true_for_every_region() {
    let folder = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    let scale = json!({ "real_seconds_per_game_hour": 2 });
    assert_eq!(post(&format!("{}/api/time/scale", up.url), &scale).status, 200);
    let regions = get(&format!("{}/api/weather/regions", up.url)).unwrap().json();
    let regions: Vec<String> = regions["regions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| region["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(regions.len() >= 12);
    let hour_of = |weather: &Value| weather["game_time"].as_str().unwrap()[..13].to_owned();
    let mut forecast: HashMap<(String, String), Value> = HashMap::new();
    for region in &regions {
        let url = format!("{}/api/weather/forecast?region={region}&hours=24", up.url);
        let answer = get(&url).unwrap().json();
        let hours = answer["forecast"].as_array().unwrap();
        assert_eq!(hours.len(), 24);
        for hour in hours {
            forecast.insert((region.clone(), hour_of(hour)), hour["state"].clone());
        }
    }
    let mut hours = HashSet::new();
    eventually("five game hours have passed", || {
        for region in &regions {
            let url = format!("{}/api/weather/current?region={region}", up.url);
            let now = get(&url).unwrap().json();
            let hour = hour_of(&now);
            let expected = &forecast[&(region.clone(), hour.clone())];
            assert_eq!(&now["state"], expected, "{region} at {hour}");
            hours.insert(hour);
        }
        (hours.len() > 5).then_some(())
    });
}

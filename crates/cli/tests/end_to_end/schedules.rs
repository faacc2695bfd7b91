//! `worldbus schedule`: from the command line to a subscriber, over restarts, and what is refused.

use serde_json::{Value, json};

use crate::support::{
    Finished, Service, Tail, Town, current, id, is, minutes, post, run, run_with_input, worldbus,
};
use worldbus_world::GameTime;

fn schedule(time: &Service, arguments: &[&str]) -> Finished {
    let by: &[&str] = if arguments[0] == "list" { &[] } else { &["--actor", "anna"] };
    run(&[&["schedule"], arguments, &["--time-url", &time.url], by].concat())
}

/// What a command that must succeed prints.
fn printed(finished: &Finished) -> Vec<String> {
    assert_eq!(finished.code, 0, "{finished:?}");
    finished.lines()
}

fn game_us(event: &Value) -> i64 {
    event["payload"]["game_us"].as_str().unwrap().parse().unwrap()
}

#[test]
fn scheduled_event_comes_once_to_a_subscriber_over_a_restart_of_the_service() {
    let town = Town::found();
    let time = town.start("time-manager").ready();
    let tail = Tail::start(&town.bus.url, &[]);
    let payload = r#"{"wind_speed_dmps":7}"#;
    let added =
        schedule(&time, &["add", "in 90 minutes", "weather.changed", payload, "--entity", "dock"]);
    let added = printed(&added);
    for part in ["   1  ", "weather.changed of dock", "(in 90 minutes)"] {
        assert!(added[0].contains(part), "`{part}` is not in: {added:?}");
    }
    let other = schedule(&time, &["add", "every 30 minutes", "time.day_activated"]);
    assert!(printed(&other)[0].starts_with("   2  "), "{other:?}");
    assert_eq!(printed(&schedule(&time, &["list"])).len(), 2);
    assert_eq!(printed(&schedule(&time, &["cancel", "2"])), ["cancelled 2"]);
    let begin = current(&time.url)["total_minutes"].as_i64().unwrap();
    time.kill();

    let time = town.start("time-manager").ready();
    let listed = printed(&schedule(&time, &["list"]));
    assert_eq!(listed, added);
    let fast = json!({ "real_seconds_per_game_hour": 3 });
    assert_eq!(post(&format!("{}/api/time/scale", time.url), &fast).status, 200);
    let mut events = tail.until(|event| is(event, "weather.changed"));
    assert_eq!(printed(&schedule(&time, &["list"])), ["no schedules"]);
    time.terminate();
    let time = town.start("time-manager").ready();
    let later = current(&time.url)["total_minutes"].as_i64().unwrap() + 5;
    events.extend(tail.until(|event| is(event, "time.updated") && minutes(event) >= later));
    let ours: Vec<_> = events.iter().filter(|event| is(event, "weather.changed")).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0]["entity"], "dock");
    assert_eq!(ours[0]["payload"]["wind_speed_dmps"], 7);
    let fired: Vec<_> = events.iter().filter(|e| is(e, "time.schedule_fired")).collect();
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(id(fired[0]).producer, id(ours[0]).producer);
    let due = game_us(fired[0]) / GameTime::MINUTE_US;
    assert!((begin + 60..=begin + 91).contains(&due), "{due}, added at {begin}");
    time.terminate();
}

#[test]
fn text_that_is_no_schedule_exits_as_wrong_use_with_a_caret_under_the_fault() {
    let town = Town::found();
    let time = town.start("time-manager").ready();
    let refused = |text: &str, underlined: &str, expected: &str| {
        let finished = schedule(&time, &["add", text, "time.day_activated"]);
        assert_eq!(finished.code, 2, "{finished:?}");
        finished.refused(&[expected, &format!("\n  {text}\n  {underlined}\n")]);
    };
    refused("at teatime", "   ^^^^^^^", "expected a time of day");
    refused("every day at", "            ^", "06:30");
    refused("at 2020-01-01", "   ^^^^^^^^^^", "a time to come");
    let unknown = schedule(&time, &["add", "in 3 hours", "weather.chnged"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    unknown.refused(&["did you mean weather.changed"]);
    let gone = schedule(&time, &["cancel", "7"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    gone.refused(&["schedule \"7\" is not known"]);
    schedule(&time, &["list", "--clock", "moon"]).refused(&["clock", "moon"]);
    assert_eq!(printed(&schedule(&time, &["list"])), ["no schedules"]);
    time.terminate();
}

#[test]
fn schedule_reports_what_to_do_without_a_time_manager_or_its_key() {
    run(&["schedule", "list", "--time-url", "http://127.0.0.1:1"])
        .refused(&["no answer of http://127.0.0.1:1", "set --url to the time-manager's address"]);
    let town = Town::found();
    run(&["schedule", "list", "--time-url", &town.bus.url]).refused(&["is no time-manager"]);
    let time = town.start_with("time-manager", |process| {
        process.env("WORLDBUS_API_KEY", "sesame-sesame-sesame-sesame");
    });
    schedule(&time, &["list"]).refused(&["WORLDBUS_API_KEY"]);
    let mut with_key = worldbus();
    with_key.args(["schedule", "list", "--time-url", &time.url]);
    with_key.env("WORLDBUS_API_KEY", "sesame-sesame-sesame-sesame");
    assert_eq!(printed(&run_with_input(&mut with_key, b"")), ["no schedules"]);
    time.terminate();
}

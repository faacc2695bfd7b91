//! `worldbus time` from the command line to the clock of `worldbus up`, and what is refused.

use serde_json::Value;

use crate::support::{Finished, Service, current, run, run_with_input, worldbus};

fn time(up: &Service, arguments: &[&str]) -> Finished {
    run(&[&["time"], arguments, &["--url", &up.url]].concat())
}

/// What a command that must succeed prints.
fn text(finished: &Finished) -> String {
    assert_eq!(finished.code, 0, "{finished:?}");
    String::from_utf8(finished.stdout.clone()).unwrap()
}

fn json(up: &Service, arguments: &[&str]) -> Value {
    let printed = text(&time(up, &[arguments, &["--format", "json"]].concat()));
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

fn up(dir: &tempfile::TempDir) -> Service {
    Service::start("up", &["--data-dir", dir.path().to_str().unwrap()]).ready()
}

#[test]
fn clock_is_commanded_and_its_history_shows_who_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let paused = text(&time(&up, &["pause", "--actor", "anna", "--reason", "the ball"]));
    assert!(paused.contains("the clock is stopped"), "{paused}");
    let set = text(&time(&up, &["set", "22:30"]));
    assert!(set.contains("T22:30:00 (night)") && set.contains("effective at"), "{set}");
    let date = current(&up.url)["date"].as_str().unwrap().to_owned();
    assert_eq!(json(&up, &["set", &format!("{date}T06:05")])["time_string"], "06:05");
    assert_eq!(json(&up, &["skip", "--hours", "9", "--minutes", "5"])["time_string"], "15:10");
    assert_eq!(json(&up, &["scale", "60"])["real_seconds_per_game_hour"], 60.0);
    text(&time(&up, &["scale", "--phase", "night=2"]));
    text(&time(&up, &["scale", "--even"]));
    assert_eq!(json(&up, &["resume"])["running"], true);
    assert_eq!(current(&up.url)["running"], true);

    let history = json(&up, &["history"]);
    let commands = history["commands"].as_array().unwrap();
    let names: Vec<_> = commands.iter().rev().map(|one| one["command"].as_str().unwrap()).collect();
    assert_eq!(names, ["pause", "set", "set", "skip", "scale", "scale", "scale", "resume"]);
    let first = commands.last().unwrap();
    assert_eq!((&first["actor"], &first["reason"]), (&"anna".into(), &"the ball".into()));
    let shown = text(&time(&up, &["history"]));
    assert!(shown.contains("EFFECTIVE") && shown.contains("the ball"), "{shown}");
    up.terminate();
}

#[test]
fn clock_calendar_and_sun_are_shown_to_people_and_to_programs() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let now = text(&time(&up, &["now"]));
    assert!(now.starts_with("time ") && now.contains("a game hour takes 25"), "{now}");
    assert_eq!(json(&up, &["current"])["world"], current(&up.url)["world"]);
    let clocks = text(&time(&up, &["clocks"]));
    assert!(clocks.contains("(the world's own)") && clocks.contains("yes"), "{clocks}");
    let calendar = text(&time(&up, &["calendar", "2024-03-01T06:00"]));
    assert!(calendar.contains("Friday, 1 March"), "{calendar}");
    assert!(calendar.contains("2024-03-01T06:00:00"), "{calendar}");
    assert!(json(&up, &["calendar", "--rules"])["months"].is_array());
    let sun = text(&time(&up, &["sun", "brussels"]));
    assert!(sun.contains("region      brussels") && sun.contains("sunrise"), "{sun}");
    let scheduled = json(&up, &["schedule", "add", "in 900 minutes", "time.day_activated"]);
    assert_eq!(scheduled["schedule_id"], "1");
    assert_eq!(json(&up, &["schedule", "list"])["schedules"][0], scheduled);
    assert_eq!(text(&time(&up, &["schedule", "cancel", "1"])), "cancelled 1\n");
    up.terminate();
}

#[test]
fn refusal_of_a_clock_states_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let hour = time(&up, &["set", "25"]);
    assert_eq!((hour.code, hour.stdout.len()), (2, 0), "{hour:?}");
    hour.refused(&["hour", "25"]);
    time(&up, &["set", "noon"]).refused(&["22:30"]);
    time(&up, &["now", "--clock", "moon"]).refused(&["moon"]);
    time(&up, &["now", "--actor", "anna"]).refused(&["--actor"]);
    time(&up, &["sun", "atlantis"]).refused(&["atlantis"]);
    time(&up, &["skip"]).refused(&["--hours"]);
    let absent = run(&["time", "now", "--url", "http://127.0.0.1:1"]);
    absent.refused(&["no answer of http://127.0.0.1:1", "set --url to the"]);
    let mut elsewhere = worldbus();
    elsewhere.args(["time", "now"]).env("WORLDBUS_URL", "sns-sqs://us-east-1?prefix=a");
    let elsewhere = run_with_input(&mut elsewhere, b"");
    assert_eq!(elsewhere.code, 2, "{elsewhere:?}");
    elsewhere.refused(&["--url", "sns-sqs", "http://HOST:PORT"]);
    // The service's own setting counts where the bus is elsewhere, the flag counts most.
    let mut own = worldbus();
    own.args(["time", "now"]).env("WORLDBUS_URL", "sns-sqs://us-east-1?prefix=a");
    text(&run_with_input(own.env("WORLDBUS_TIME_URL", &up.url), b""));
    let mut flag = worldbus();
    flag.args(["time", "now", "--url", &up.url]).env("WORLDBUS_TIME_URL", "http://127.0.0.1:1");
    text(&run_with_input(&mut flag, b""));
    up.terminate();
}

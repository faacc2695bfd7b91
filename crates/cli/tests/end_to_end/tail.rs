//! `worldbus tail` as text over a world that runs: each row at its own game time.

use serde_json::{Value, json};

use crate::support::{Service, empty_log, post, run};

/// The first rows of a type, as many as `count`.
fn rows(url: &str, event_type: &str, count: &str) -> Vec<String> {
    let rows = ["tail", "--from", "start", "--type", event_type, "--count", count, "--url", url];
    run(&rows).lines()
}

fn command(up: &Service, path: &str, body: &Value) {
    let reply = post(&format!("{}{path}", up.url), body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn rows_after_a_jump_and_of_midnight_are_at_their_own_minute() {
    let folder = tempfile::tempdir().unwrap();
    let up = Service::start("up", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    // Slow: what follows is within the minute.
    command(&up, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 3600 }));
    command(&up, "/api/time/set", &json!({ "hour": 15, "minute": 20 }));
    let jumped = &rows(&up.url, "time.jumped", "1")[0];
    assert!(jumped.contains("2024-03-01 15:20  time.jumped"), "{jumped}");
    let hour = &rows(&up.url, "time.hour_changed", "2")[1];
    assert!(hour.contains("2024-03-01 15:20  time.hour_changed"), "{hour}");
    let region = json!({ "region": "brussels", "state": "fog" });
    command(&up, "/api/weather/set", &region);
    let set = &rows(&up.url, "weather.override_set", "1")[0];
    assert!(set.contains(" 15:2") && set.contains(" start=") && !set.contains(" end="), "{set}");

    command(&up, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 5 }));
    command(&up, "/api/time/set", &json!({ "hour": 23, "minute": 50 }));
    for summary in rows(&up.url, "weather.daily_summary", "3") {
        assert!(summary.contains(" 00:00  weather.daily_summary"), "{summary}");
        assert!(summary.contains(" start=-24h "), "{summary}");
    }
    // Foreseen on a whole minute, ten before the change and ten behind.
    let begins = ["  weather.transition_started", " start=+0s end=+20m "];
    let started = rows(&up.url, "weather.transition_started", "10");
    let foreseen = started.iter().filter(|row| begins.iter().all(|part| row.contains(part)));
    assert!(foreseen.count() > 5, "{started:#?}");
    up.terminate();
}

#[test]
fn rows_of_several_worlds_say_which_and_one_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = empty_log(&folder.path().join("log"));
    for world in ["europe", "europe:dungeon"] {
        run(&["publish", "weather.changed", "{}", "--world", world, "--url", &url]);
    }
    let tail =
        |more: &[&str]| run(&[&["tail", "--from", "start", "--url", &url], more].concat()).lines();
    let both = tail(&["--count", "2"]);
    assert!(both[1].contains("  europe:dungeon  weather.changed"), "{both:?}");
    let one = tail(&["--world", "europe:dungeon", "--count", "1", "--format", "json"]);
    assert!(one[0].contains("\"world\":\"europe:dungeon\""), "{one:?}");
}

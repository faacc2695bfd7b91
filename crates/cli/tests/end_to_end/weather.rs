//! `worldbus weather` from the command line to the weather of `worldbus up`, and what is refused.

use serde_json::{Value, json};

use crate::support::{Finished, Service, run, run_with_input, worldbus};

const KEY: &str = "sesame-sesame-sesame-sesame";

fn weather(up: &Service, arguments: &[&str]) -> Finished {
    run(&[&["weather"], arguments, &["--url", &up.url]].concat())
}

/// What a command that must succeed prints.
fn text(finished: &Finished) -> String {
    assert_eq!(finished.code, 0, "{finished:?}");
    String::from_utf8(finished.stdout.clone()).unwrap()
}

fn json(up: &Service, arguments: &[&str]) -> Value {
    let printed = text(&weather(up, &[arguments, &["--format", "json"]].concat()));
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

fn up(dir: &tempfile::TempDir) -> Service {
    Service::start("up", &["--data-dir", dir.path().to_str().unwrap()]).ready()
}

#[test]
fn weather_is_forced_locked_cleared_and_undone() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let by = ["--minutes", "90", "--actor", "anna", "--reason", "the boss fight"];
    let set = text(&weather(&up, &[&["set", "paris", "storm"], &by[..]].concat()));
    assert!(set.contains("storm (forced)") && set.contains("effective at"), "{set}");
    assert_eq!(json(&up, &["now", "paris"])["state"], "storm");
    let locked = json(&up, &["lock", "london", "brussels", "--minutes", "60"]);
    let id = locked["command"]["id"].as_str().unwrap().to_owned();
    let shown = text(&weather(&up, &["overrides"]));
    for part in ["set_state", "storm", "anna", "lock", "london brussels"] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    text(&weather(&up, &["clear", "--id", &id]));
    assert_eq!(json(&up, &["overrides"])["overrides"].as_array().unwrap().len(), 1);
    assert_eq!(json(&up, &["undo"])["command"]["verb"], "undo");
    assert_eq!(json(&up, &["overrides"])["overrides"].as_array().unwrap().len(), 2);
    text(&weather(&up, &["clear", "paris"]));
    assert_eq!(json(&up, &["now", "paris"])["forced"], false);
    let commands = json(&up, &["overrides"])["commands"].clone();
    assert_eq!(commands.as_array().unwrap().last().unwrap()["reason"], "the boss fight");
    up.terminate();
}

#[test]
fn overrides_of_every_kind_are_added_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let fade = ["--minutes", "600", "--fade-in-minutes", "60", "--fade-out-minutes", "30"];
    let colder = ["offset", "paris", "--temperature-c", "-8.5", "--rain-factor", "2"];
    let added = json(&up, &[&colder[..], &fade, &["--priority", "-3"]].concat());
    assert!(added["command"]["id"].is_string(), "{added}");
    text(&weather(&up, &["season-shift", "--days", "-90"]));
    let path = ["--path", "48.9,2.3", "--path", "-12.5,-4.4"];
    let cell = ["storm-cell", "--radius-km", "150", "--speed-kmh", "40", "--intensity", "0.9"];
    text(&weather(&up, &[&cell[..], &path].concat()));

    let all = json(&up, &["overrides"])["overrides"].clone();
    let of = |kind: &str| {
        let is_it = |one: &&Value| one["effect"]["kind"] == kind;
        all.as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{kind}: {all:#}"))
    };
    let offset = of("offset");
    assert_eq!(offset["effect"]["temperature_c"], -8.5, "{offset:#}");
    assert_eq!((&offset["priority"], &offset["regions"]), (&(-3).into(), &json!(["paris"])));
    assert_eq!(of("season_shift")["effect"]["days"], -90);
    let storm = &of("storm_cell")["effect"];
    assert_eq!((&storm["state"], &storm["intensity"]), (&"storm".into(), &0.9.into()), "{storm}");
    assert_eq!(storm["path"][1], json!({ "latitude": -12.5, "longitude": -4.4 }), "{storm}");

    assert_eq!(weather(&up, &["offset", "paris"]).code, 2);
    let place = weather(&up, &[&cell[..], &["--path", "north"]].concat());
    assert_eq!(place.code, 2, "{place:?}");
    place.refused(&["LATITUDE,LONGITUDE", "north"]);
    let reach = ["season-shift", "--days", "400"];
    weather(&up, &reach).refused(&["days"]);
    let end = ["lock", "--fade-out-minutes", "30"];
    weather(&up, &end).refused(&["--minutes"]);
    up.terminate();
}

#[test]
fn weather_of_other_times_is_shown_to_people_and_to_programs() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let regions = json(&up, &["regions"])["regions"].as_array().unwrap().len();
    assert_eq!(text(&weather(&up, &["now"])).lines().count(), regions + 1);
    let forecast = text(&weather(&up, &["forecast", "brussels", "--hours", "48"]));
    assert!(forecast.starts_with("GAME TIME") && forecast.lines().count() >= 49, "{forecast}");
    let fallible = json(&up, &["forecast", "brussels", "--kind", "fallible"]);
    assert!(fallible["forecast"][0]["confidence"].is_object(), "{fallible}");
    let at = text(&weather(&up, &["at", "brussels", "2024-03-01T06:00:00"]));
    assert!(at.contains("2024-03-01T06:00:00 (spring)"), "{at}");
    let span = ["--from", "2024-03-01T00:00", "--to", "2024-03-02T00:00"];
    let history =
        weather(&up, &[&["history", "brussels"], &span[..], &["--step-hours", "6"]].concat());
    assert_eq!(text(&history).lines().count(), 5, "{history:?}");
    let figures = text(&weather(&up, &[&["statistics", "brussels"], &span[..]].concat()));
    assert!(figures.contains("instants     24") && figures.contains(" °C"), "{figures}");
    assert!(json(&up, &["alerts"])["alerts"].is_array());
    text(&weather(&up, &["alerts", "brussels"]));
    up.terminate();
}

#[test]
fn refusal_of_the_weather_states_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir);
    let state = weather(&up, &["set", "paris", "drizzzle"]);
    assert_eq!((state.code, state.stdout.len()), (2, 0), "{state:?}");
    state.refused(&["state", "drizzzle"]);
    let region = weather(&up, &["forecast", "bruxels"]);
    assert_eq!(region.code, 1, "{region:?}");
    region.refused(&["bruxels", "brussels"]);
    weather(&up, &["forecast", "brussels", "--hours", "1000"]).refused(&["1 to 168"]);
    weather(&up, &["clear"]).refused(&["REGION"]);
    weather(&up, &["undo"]).refused(&["undo"]);
    up.terminate();

    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let mut locked = worldbus();
    locked.args(["up", "--listen", "127.0.0.1:0", "--data-dir", data]);
    let locked = Service::spawn(locked.env("WORLDBUS_API_KEY", KEY)).ready();
    weather(&locked, &["now"]).refused(&["WORLDBUS_API_KEY"]);
    let mut with_key = worldbus();
    with_key.args(["weather", "now", "--url", &locked.url]);
    text(&run_with_input(with_key.env("WORLDBUS_API_KEY", KEY), b""));
    locked.terminate();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", data]).ready();
    weather(&bus, &["now"]).refused(&["is no weather-manager", "--url"]);
    bus.terminate();
}

//! `worldbus world check`, as a person who makes a world uses it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{run, worldbus};

fn world(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn names_of_a_world_do_not_steer_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hostile.toml");
    let sample = std::fs::read_to_string(world("europe.toml")).unwrap();
    let hostile = sample.replacen("name = \"Europe\"", "name = \"\\u001b]0;x\\u0007\"", 1);
    assert_ne!(hostile, sample);
    std::fs::write(&file, hostile).unwrap();
    let file = file.to_str().unwrap();
    let checked = run(&["world", "check", file, "--years", "1"]);
    let page = checked.lines().join("\n");
    assert!(page.starts_with("\\u{1b}]0;x\\u{7} (europe)"), "{page}");
    let up = ["up", "--world", file, "--data-dir", dir.path().to_str().unwrap()];
    let mut binary = worldbus();
    let up = binary.args(up).args(["--listen", "127.0.0.1:0"]);
    let mut up = up.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(up.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.into_iter().find(|line| line.starts_with("world ")).unwrap();
    up.kill().unwrap();
    up.wait().unwrap();
    assert!(line.contains("\\u{1b}]0;x\\u{7} with 12 regions"), "{line}");
}

#[test]
fn a_sound_world_is_described_with_calendar_days_climate_and_states() {
    let checked = run(&["world", "check", &world("isles.toml"), "--years", "1"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let page = checked.lines().join("\n");
    for part in [
        "The Isles (isles): sound, 3 regions",
        "Calendar: Twin Moons, 12 months, 360 days a year, 24 hours of 60 minutes a day",
        "a day takes 10.0 real minutes, a year 60.0 real hours",
        "30 Thaw 101 Age of Towers, frost",
        "moon      Orrin, every 11.25 days",
        "holiday   Harvest Moon (harvest-moon), first 16 Leaffall 901",
        "axis tilted by 30 degrees; phases of the day are those of the sun",
        "North Cape (north-cape), 66.00 N, climate brussels",
        "the sun does not set",
        "Southmark (southmark), 38.50 S",
        "means of 1 simulated year\n",
        "percent of hours",
    ] {
        assert!(page.contains(part), "`{part}` is not in: {page}");
    }
    assert_eq!(
        checked.stdout,
        run(&["world", "check", &world("isles.toml"), "--years", "1"]).stdout
    );
}

#[test]
fn the_same_is_printed_as_json_of_the_regions_that_are_named() {
    let file = world("europe.toml");
    let arguments = ["world", "check", &file, "--region", "berlin", "--years", "2"];
    let checked = run(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(checked.code, 0, "{checked:?}");
    let outlook: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(outlook["calendar"]["year_days"], serde_json::json!({ "least": 365, "most": 366 }));
    let regions = outlook["regions"].as_array().unwrap();
    assert_eq!((regions.len(), &regions[0]["region"]), (1, &Value::from("berlin")));
    // As an almanac has it for Berlin: 16 h 50 min in June, 7 h 39 min in December.
    let sun = &regions[0]["sun"];
    let hours = |day: &str| sun[day]["hours"].as_f64().unwrap();
    assert!((hours("longest") - 16.83).abs() < 0.1, "{sun}");
    assert!((hours("shortest") - 7.65).abs() < 0.1, "{sun}");
    let months = regions[0]["months"].as_array().unwrap();
    let max = |month: usize| months[month]["max_c"].as_f64().unwrap();
    assert!(months.len() == 12 && max(6) > max(0) + 10.0, "{months:?}");
    let winter = &regions[0]["seasons"][3];
    assert_eq!(winter["season"], "Winter");
    let percent: f64 =
        winter["percent"].as_object().unwrap().values().map(|share| share.as_f64().unwrap()).sum();
    assert!((percent - 100.0).abs() < 0.1, "{winter}");
}

#[test]
fn sun_that_rises_on_the_day_before_is_marked_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    let text = std::fs::read_to_string(world("europe.toml")).unwrap();
    let region = |id: &str, longitude: i32| {
        let place = format!("latitude = -60\nlongitude = {longitude}\nelevation_m = 0\n");
        format!("\n[[regions]]\nid = \"{id}\"\n{place}")
    };
    std::fs::write(&file, text + &region("east", 100) + &region("west", -100)).unwrap();
    let check = |region: &str, format: &str| {
        let (file, years) = (file.to_str().unwrap(), "1");
        let fixed = ["world", "check", file, "--years", years, "--region", region];
        let checked = run(&[&fixed[..], &["--format", format]].concat());
        assert_eq!(checked.code, 0, "{checked:?}");
        checked
    };
    let longest = |region: &str| {
        let lines = check(region, "text").lines();
        lines.into_iter().find(|line| line.contains("longest day")).unwrap()
    };
    let (east, west) = (longest("east"), longest("west"));
    assert!(east.contains("on 21 December: 19:52 the day before to 14:44,"), "{east}");
    assert!(west.contains(" the day after,") && !west.contains('+'), "{west}");
    let outlook: Value = serde_json::from_slice(&check("east", "json").stdout).unwrap();
    assert_eq!(outlook["regions"][0]["sun"]["longest"]["sunrise"], "-19:52");
    let help = String::from_utf8(run(&["world", "check", "--help"]).stdout).unwrap();
    assert!(help.contains("\"-19:52\" is 19:52 of the day before"), "{help}");
}

#[test]
fn a_mistake_in_a_world_is_named_by_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    let check = |from: &str, to: &str| {
        let text = std::fs::read_to_string(world("isles.toml")).unwrap();
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let checked = run(&["world", "check", file.to_str().unwrap()]);
        assert_eq!((checked.code, checked.stdout.len()), (2, 0), "{checked:?}");
        checked
    };
    check("obliquity_deg = 30", "obliquity_deg = nan")
        .refused(&["world.toml:13: sun.obliquity_deg: expected a number of degrees"]);
    check("\"twin-moons\"", "\"two-moons\"").refused(&["calendar: expected one of the calendars"]);
    check("calendar = \"twin-moons\"", "calendar = { name = \"None\", months = [] }")
        .refused(&["world.toml:9: calendar.months: expected 1 to 64 tables"]);
    check("obliquity_deg = 30", "oblquity_deg = 30")
        .refused(&["world.toml:13: sun.oblquity_deg: unknown key; did you mean `obliquity_deg`?"]);
    check("02-30", "02-31").refused(&["world.toml:6: epoch: day: expected a day from 1 to 30"]);
    run(&["world", "check", "nowhere.toml"]).refused(&["cannot read the world file nowhere.toml"]);
    run(&["world", "check", &world("europe.toml"), "--region", "berlim"])
        .refused(&["--region berlim", "did you mean berlin?"]);
}

//! `worldbus climate`, as a person who makes a climate uses it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::formats::documents;
use crate::support::{run, worldbus};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_sampled_year_has_every_hour_once_and_follows_from_its_seed() {
    let sample = |seed: &str| {
        run(&["climate", "sample", "--preset", "brussels", "--years", "1", "--seed", seed])
    };
    let first = sample("7");
    let lines = first.lines();
    assert_eq!(
        lines[0],
        "year,month,day,day_of_year,hour,temp_c,dew_c,rh,wind_ms,gust_ms,precip_mm,cloud,\
         visibility_m,state"
    );
    assert_eq!(lines.len(), 1 + 8760);
    assert!(lines[1].starts_with("2001,1,1,1,0,"), "{}", lines[1]);
    assert!(lines[8760].starts_with("2001,12,31,365,23,"), "{}", lines[8760]);
    assert_eq!(first.stdout, sample("7").stdout);
    assert_ne!(first.stdout, sample("8").stdout);
}

#[test]
fn a_preset_is_checked_against_its_record_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let targets = repository("crates/climate/targets/brussels.toml");
    let plots = folder.path().join("plots");
    let arguments = ["climate", "check", "--preset", "brussels", "--against", text(&targets)];
    let checked = run(&[&arguments[..], &["--plots", text(&plots)]].concat());
    let page = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.code, i32::from(page.contains("misses")), "{page}");
    for part in ["P(wet day | wet day before)", "daily maximum, mean C, Jan", "bands hold"] {
        assert!(page.contains(part), "`{part}` is not in: {page}");
    }
    for plot in ["temperature", "rain", "spells", "states"] {
        let svg = std::fs::read_to_string(plots.join(format!("{plot}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{plot}");
    }
    // A climate that is another one misses bands, and the exit code shows it.
    let tunis = repository("crates/climate/targets/tunis.toml");
    let arguments = ["climate", "check", "--preset", "brussels", "--against", text(&tunis)];
    let short = ["--years", "3", "--format", "json", "--plots", text(&plots)];
    let checked = run(&[&arguments[..], &short].concat());
    assert_eq!(checked.code, 1, "{checked:?}");
    let document = &documents(&checked)[0];
    let checks = document["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["holds"] == false), "{document:#}");
    assert_eq!(document["plots"].as_array().unwrap().len(), 4, "{document:#}");
}

#[test]
fn building_reports_from_the_first_moment_what_it_is_at_and_how_long_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (normals, out) = (folder.path().join("normals.csv"), folder.path().join("out.toml"));
    let months = (1..=12).map(|month| format!("{month},0.4,5,12,4,4,3,80\n"));
    let head = "month,wet_day_share,wet_day_mean_mm,tmax_mean_c,tmin_mean_c,temp_residual_sd_k,\
                wind_mean_ms,rh_mean\n";
    std::fs::write(&normals, head.to_owned() + &months.collect::<String>()).unwrap();
    let mut build = worldbus();
    build.args(["climate", "build", "--normals", text(&normals), "--out", text(&out)]);
    build.args(["--latitude", "50", "--elevation-m", "10"]).stderr(Stdio::piped());
    let mut build = build.spawn().unwrap();
    let lines = BufReader::new(build.stderr.take().unwrap()).lines().map(Result::unwrap);
    let begun: Vec<String> = lines.take(2).collect();
    build.kill().unwrap();
    build.wait().unwrap();
    assert!(begun[0].contains("most of a minute") && begun[1].contains("drawing"), "{begun:?}");
}

#[test]
fn a_record_of_ones_own_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("mine.csv");
    let sampled = run(&["climate", "sample", "--preset", "brussels", "--seed", "3"]);
    std::fs::write(&record, &sampled.stdout).unwrap();
    let checked = run(&[
        "climate",
        "check",
        "--preset",
        "brussels",
        "--against",
        text(&record),
        "--years",
        "5",
        "--plots",
        text(folder.path()),
    ]);
    let page = String::from_utf8_lossy(&checked.stdout).into_owned();
    for part in ["record mine: 365 days, 8760 hours", "rain, share of hours", "bands hold"] {
        assert!(page.contains(part), "`{part}` is not in: {page}");
    }
}

#[test]
fn mistakes_in_a_climate_are_refused_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("days.csv");
    let check = |content: &str| {
        std::fs::write(&path, content).unwrap();
        run(&["climate", "check", "--preset", "brussels", "--against", text(&path)])
    };
    let heading = "year,month,day,tmin_c,tmax_c,precip_mm\n";
    check(&format!("{heading}2001,1,1,3,2,0\n")).refused(&[
        "days.csv:2: tmax_c",
        "from 3 to 65",
        "found 2",
    ]);
    check(&format!("{heading}2001,1,1,3,NaN,0\n")).refused(&["days.csv:2: tmax_c", "found NaN"]);
    check("year,month,day,tmin,tmax_c,precip_mm\n").refused(&["days.csv:1:", "tmin_c", "\"tmin\""]);
    check("").refused(&["days.csv:1:", "expected columns"]);
    let toml = folder.path().join("targets.toml");
    std::fs::write(&toml, "name = 3\n").unwrap();
    let check = |preset: &str, path: &Path| {
        run(&["climate", "check", "--preset", preset, "--against", text(path)])
    };
    check("brussels", &toml).refused(&["targets.toml:1:", "expected a string"]);
    check("nowhere", &path).refused(&["nowhere", "a preset's file", "brussels"]);
    check("brussels", Path::new("/nonexistent.csv")).refused(&["/nonexistent.csv"]);
    let preset = folder.path().join("preset.toml");
    std::fs::write(&preset, "name = \"x\"\n").unwrap();
    check(text(&preset), &path).refused(&["preset.toml:"]);
    let sample =
        |more: &[&str]| run(&[&["climate", "sample", "--preset", "brussels"], more].concat());
    sample(&["--years", "0"]).refused(&["--years", "1..=1000"]);
    sample(&["--seed", "x"]).refused(&["--seed"]);
}

const NORMALS: &str = "month,wet_day_share,wet_day_mean_mm,tmax_mean_c,tmin_mean_c,\
                       temp_residual_sd_k,wind_mean_ms,rh_mean\n";

#[test]
fn a_climate_that_cannot_be_built_is_refused_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("normals.csv"), folder.path().join("out.toml"));
    let build = |kind: &str, content: &str, latitude: &str| {
        std::fs::write(&path, content).unwrap();
        let place = ["--latitude", latitude, "--elevation-m", "94", "--out", text(&out)];
        run(&[&["climate", "build", kind, text(&path)], &place[..]].concat())
    };
    let row = |month: u8, tmin: &str| format!("{month},0.4,5,20,{tmin},3,3,80\n");
    let year =
        |tmin: &str| NORMALS.to_owned() + &(1..=12).map(|m| row(m, tmin)).collect::<String>();
    build("--normals", &year("30"), "59.9").refused(&["normals.csv:2:", "found"]);
    build("--normals", &year("NaN"), "59.9").refused(&["normals.csv:2: tmin_mean_c", "NaN"]);
    build("--normals", &NORMALS.replace("rh_mean", "rh"), "59.9").refused(&[
        "normals.csv:1:",
        "rh_mean",
        "\"rh\"",
    ]);
    let first = NORMALS.to_owned() + &row(1, "10");
    build("--normals", &first, "59.9").refused(&["normals.csv:2: month", "2"]);
    build("--normals", &(first.clone() + &row(1, "10")), "59.9").refused(&["normals.csv:3: month"]);
    build("--normals", &year("10"), "95").refused(&["--latitude", "-90 to 90", "95"]);
    let day = "year,month,day,tmin_c,tmax_c,precip_mm\n2001,1,1,3,5,0\n";
    build("--observations", day, "59.9").refused(&["normals.csv", "days", "found 1"]);
    run(&["climate", "build", "--latitude", "5", "--elevation-m", "1", "--out", "x"])
        .refused(&["--normals"]);
    assert!(!out.exists());
}

#[test]
fn normals_make_a_preset_that_notes_what_it_lacks_and_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let (normals, out) = (folder.path().join("oslo.csv"), folder.path().join("oslo.toml"));
    // Oslo, roughly; nothing is known of wind and humidity.
    let highs = [0, 1, 5, 11, 17, 21, 23, 21, 16, 9, 4, 1];
    let rows = (1..).zip(highs);
    let rows = rows.map(|(month, high)| format!("{month},0.33,6.5,{high},{},3.5,,\n", high - 7));
    std::fs::write(&normals, NORMALS.to_owned() + &rows.collect::<String>()).unwrap();
    let place = ["--latitude", "59.9", "--elevation-m", "94", "--out", text(&out)];
    let build = ["climate", "build", "--format", "json", "--normals", text(&normals)];
    let built = run(&[&build[..], &place].concat());
    assert_eq!(built.code, 0, "{built:?}");
    let document = &documents(&built)[0];
    assert_eq!(document["preset"], text(&out), "{document:#}");
    let notes: Vec<_> =
        document["notes"].as_array().unwrap().iter().filter_map(|note| note.as_str()).collect();
    let is_noted = |figure: &str| notes.iter().any(|note| note.starts_with(figure));
    assert!(is_noted("wind_mean_ms") && is_noted("rh_mean"), "{notes:?}");
    assert!(std::fs::read_to_string(&out).unwrap().contains("name = \"oslo\""));
    let sampled = run(&["climate", "sample", "--preset", text(&out), "--years", "1"]).lines();
    assert_eq!(sampled.len(), 8761);
    let july = sampled.iter().filter(|line| line.starts_with("2001,7,"));
    let july: Vec<f64> =
        july.map(|line| line.split(',').nth(5).unwrap().parse().unwrap()).collect();
    let mean = july.iter().sum::<f64>() / july.len() as f64;
    assert!((mean - 19.5).abs() < 3.0, "a July mean of {mean}");
}

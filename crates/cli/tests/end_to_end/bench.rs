//! `worldbus bench`: it measures an engine in a directory and at an event-bus, and leaves nothing.

use std::process::Stdio;

use serde_json::Value;

use crate::formats::documents;
use crate::support::{Finished, Service, empty_log, eventually, run, signal, worldbus};

fn bench(url: &str, arguments: &[&str]) -> Finished {
    run(&[&["bench", "--url", url], arguments].concat())
}

/// The figures of a run that must succeed.
fn figures(url: &str, arguments: &[&str]) -> Value {
    let finished = bench(url, &[arguments, &["--format", "json"]].concat());
    assert_eq!(finished.code, 0, "{finished:?}");
    serde_json::from_slice(&finished.stdout).unwrap_or_else(|_| panic!("{finished:?}"))
}

/// Asserts that so many events were published, and handled by each subscription.
fn is_whole(figures: &Value, events: u64) {
    assert_eq!(figures["events"], events, "{figures:#}");
    assert_eq!(figures["events_not_handled"], 0, "{figures:#}");
    for side in ["published", "handled"] {
        let side = &figures[side];
        assert_eq!(side["events"], events, "{figures:#}");
        let ms = |key: &str| side[key].as_f64().unwrap();
        assert!(0.0 < ms("p50_ms") && ms("p50_ms") <= ms("p99_ms"), "{figures:#}");
        assert!(ms("p999_ms") <= ms("max_ms") && ms("events_per_s") > 0.0, "{figures:#}");
    }
}

/// The topics and subscriptions of a bus that are the bench's.
fn ours(url: &str) -> Vec<String> {
    let list = |things: &str| run(&[things, "list", "--url", url]).lines();
    let all = [list("topics"), list("subscriptions")].concat();
    all.into_iter().filter(|line| line.starts_with("worldbus-bench-")).collect()
}

#[test]
fn a_missing_folder_gets_a_log_for_the_run_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let url = format!("embedded:{}", log.display());
    let figures = figures(&url, &["--events", "2000"]);
    is_whole(&figures, 2000);
    assert_eq!((&figures["transport"], &figures["deleted"]), (&"embedded".into(), &true.into()));
    assert!(!log.exists());

    let page = bench(&url, &["--events", "10", "--window", "1"]);
    assert!(page.code == 0 && page.stdout.starts_with(url.as_bytes()), "{page:?}");
    let rows: Vec<String> = page.lines();
    assert!(rows.iter().any(|row| row.starts_with("published")), "{rows:?}");
    assert!(rows.iter().any(|row| row.starts_with("handled")), "{rows:?}");

    std::fs::write(dir.path().join("letter"), "dear").unwrap();
    bench(&format!("embedded:{}", dir.path().display()), &[]).refused(&["holds no log"]);
    assert!(dir.path().join("letter").exists());
}

#[test]
fn a_log_that_is_there_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let url = empty_log(dir.path());
    let publish = ["publish", "time.day_activated", "{}", "--url", &url];
    assert_eq!(run(&publish).code, 0);
    is_whole(&figures(&url, &["--events", "500", "--payload-bytes", "200"]), 500);
    // More than one subscription takes, if the engine has room for so many.
    let many = bench(&url, &["--events", "600", "--topics", "300", "--format", "json"]);
    match many.code {
        0 => is_whole(&serde_json::from_slice(&many.stdout).unwrap(), 600),
        _ => many.refused(&["256 topics exist"]),
    }
    assert_eq!(ours(&url), [""; 0]);
    let topics = run(&["topics", "list", "--url", &url]).lines();
    assert_eq!(topics.len(), 2, "{topics:?}");
}

#[test]
fn an_event_bus_is_measured_in_each_shape_of_load_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir.path().to_str().unwrap()]).ready();
    let url = &bus.url;
    let many = figures(url, &["--events", "1000", "--topics", "3", "--subscribers", "2"]);
    is_whole(&many, 1000);
    assert!(many["deliveries_per_s"].as_f64() > many["handled"]["events_per_s"].as_f64());
    is_whole(&figures(url, &["--events", "2500", "--batch-events", "1000", "--window", "2"]), 2500);
    let paced = figures(url, &["--events", "100", "--rate", "200"]);
    is_whole(&paced, 100);
    let rate = paced["published"]["events_per_s"].as_f64().unwrap();
    assert!((100.0..=210.0).contains(&rate), "{paced:#}");
    assert_eq!(ours(url), [""; 0]);

    let alone = figures(url, &["--events", "100", "--subscribers", "0", "--keep"]);
    assert_eq!((&alone["handled"], &alone["deleted"]), (&Value::Null, &false.into()));
    assert_eq!(ours(url).len(), 1);
    bus.terminate();
}

#[test]
fn intervals_come_before_the_result_and_join() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("embedded:{}", dir.path().join("log").display());
    let load = ["--seconds", "2", "--rate", "500", "--every", "0.25"];
    let lines = documents(&bench(&url, &[&load[..], &["--format", "json"]].concat()));
    let (result, intervals) = lines.split_last().unwrap();
    is_whole(result, result["events"].as_u64().unwrap());
    assert!(!intervals.is_empty(), "{result:#}");
    let (mut end, mut events) = (0.0, 0);
    for interval in intervals {
        let number = |key: &str| interval[key].as_f64().unwrap();
        assert!((number("at_s") - number("interval_s") - end).abs() < 1e-6, "{intervals:#?}");
        end = number("at_s");
        events += interval["published"]["events"].as_u64().unwrap();
        assert!(interval["handled"].is_object(), "{interval:#}");
    }
    assert!(0 < events && events <= result["events"].as_u64().unwrap(), "{lines:#?}");

    let page = bench(&url, &load).lines();
    assert!(page[0].contains("published/s") && page[1].contains(" ms"), "{page:#?}");
    assert!(page.iter().any(|line| line.starts_with("published ")), "{page:#?}");
}

#[test]
fn a_signal_ends_it_with_the_figures_so_far_and_nothing_left() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir.path().to_str().unwrap()]).ready();
    let mut command = worldbus();
    command.args(["bench", "--url", &bus.url, "--seconds", "3600", "--rate", "500"]);
    command.args(["--format", "json"]).stdout(Stdio::piped()).stdin(Stdio::null());
    let child = command.spawn().unwrap();
    let topic = |line: &String| line.split_whitespace().nth(4).is_some();
    eventually("it publishes", || ours(&bus.url).iter().any(topic).then_some(()));
    signal(child.id(), "INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let figures: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(figures["interrupted"], true, "{figures:#}");
    is_whole(&figures, figures["events"].as_u64().unwrap());
    assert_eq!(ours(&bus.url), [""; 0]);
    bus.terminate();
}

#[test]
fn what_cannot_be_measured_is_refused_with_what_to_do() {
    bench("embedded:nowhere", &["--rate", "0"]).refused(&["--rate"]);
    bench("embedded:nowhere", &["--every", "0.01"]).refused(&["--every", "0.1"]);
    bench("embedded:nowhere", &["--payload-bytes", "3"]).refused(&["16"]);
    let much = ["--batch-events", "1000", "--events", "10000000000"];
    bench("embedded:nowhere", &much).refused(&["in memory", "--keep"]);
    bench("embedded:nowhere", &["--batch-events", "10", "--seconds", "1"]).refused(&["--seconds"]);
    let nowhere = bench("http://127.0.0.1:1", &["--events", "1"]);
    nowhere.refused(&["127.0.0.1:1"]);
    let account = bench("sns-sqs://us-east-1?prefix=worldbus", &["--events", "1000000"]);
    account.refused(&["AWS bills this run: 1000000 events to 1 queue", "USD", "--yes"]);
    assert!(!std::path::Path::new("nowhere").exists());
}

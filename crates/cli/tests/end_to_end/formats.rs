//! `--format json`: results are JSON on standard output, and failures stay text on standard error.
//!
//! Here are the verbs that need no AWS and no dead letters; the others are with their own tests.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::inventory::subscribe;
use crate::support::{Finished, Service, eventually, run, run_with_input, serving, worldbus};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The documents that a command wrote, one or several.
pub(crate) fn documents(finished: &Finished) -> Vec<Value> {
    let stream = serde_json::Deserializer::from_slice(&finished.stdout).into_iter();
    stream.map(|one| one.unwrap_or_else(|error| panic!("{error}: {finished:?}"))).collect()
}

/// The document of a command that must succeed and write one.
fn document(finished: &Finished) -> Value {
    assert_eq!(finished.code, 0, "{finished:?}");
    let [document] = documents(finished).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    document
}

/// The object of a list whose `key` is `value`.
fn one<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|one| one[key] == value);
    found.unwrap_or_else(|| panic!("no {key} is {value} in {list:#}"))
}

/// Runs a verb at a bus with `--format json`.
fn at(url: &str, arguments: &[&str]) -> Finished {
    run(&[arguments, &["--format", "json", "--url", url]].concat())
}

#[test]
fn verbs_without_a_service_print_json() {
    let json_of = |arguments: &[&str]| run(&[arguments, &["--format", "json"]].concat());
    assert!(document(&json_of(&["cost"]))["ways"].is_array());
    let bills = document(&json_of(&["cost", "--profile", "minimal"]));
    assert!(bills["bills"][0]["usd_per_month"]["least"].is_number(), "{bills:#}");
    let plan = document(&json_of(&["plan", "--events-per-second", "1e8", "--subscribers", "2"]));
    let engines = plan["plans"].as_array().unwrap().iter().map(|plan| &plan["engine"]);
    assert_eq!(engines.collect::<Vec<_>>(), ["embedded", "remote", "sns-sqs"], "{plan:#}");
    let remote = one(&plan["plans"], "engine", "remote");
    assert!(remote["count"].as_u64().unwrap() > 1 && remote["disk"].is_object(), "{remote:#}");
    assert!(remote["usd_per_month"].is_number() && plan["measured"]["commit"].is_string());
    let types = document(&json_of(&["catalog"]));
    assert_eq!(one(&types["event_types"], "name", "weather.changed")["topic"], "weather");
    let services = document(&json_of(&["services"]));
    let weather = one(&services["services"], "name", "weather-manager");
    assert_eq!(weather["topics"], json!(["time", "weather"]), "{weather:#}");
    assert_eq!(one(&services["services"], "name", "event-bus")["publishes_to"], Value::Null);
    let world = format!("{ROOT}/worlds/europe.toml");
    let outlook = document(&json_of(&["world", "check", &world, "--years", "1"]));
    assert!(outlook["regions"][0]["sun"].is_object(), "{outlook:#}");
    let sample = ["climate", "sample", "--preset", "brussels", "--years", "1", "--seed", "7"];
    let hours = documents(&json_of(&sample));
    assert!(hours.len() >= 365 * 24, "{}", hours.len());
    assert!(hours[0]["temp_c"].is_number() && hours[0]["state"].is_string(), "{}", hours[0]);
}

#[test]
fn every_service_prints_where_it_listens_as_json() {
    for verb in serving() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = worldbus();
        command.args([&verb, "--listen", "127.0.0.1:0", "--format", "json", "--data-dir"]);
        command.arg(dir.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut service = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
        service.kill().unwrap();
        service.wait().unwrap();
        let document: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(document["world"]["id"], "europe", "{document}");
        assert_eq!(document["listening"], document["url"], "{document}");
        assert!(document["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{document}");
        assert!(document["service"].is_string(), "{document}");
    }
}

#[test]
fn verbs_of_a_bus_print_json_and_their_failures_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir.path().to_str().unwrap()]).ready();
    let published = document(&at(&bus.url, &["publish", "time.day_activated", "{}"]));
    assert_eq!(published["receipt"], "durable", "{published}");
    lines_of_the_input_are_numbered(&bus.url, published["event_id"].as_str().unwrap());
    subscribe(&bus.url, "studio", "time");

    let topics = document(&at(&bus.url, &["topics", "list"]));
    let time = one(&topics["topics"], "topic", "time");
    assert_eq!((&time["events_total"], time["bytes"].is_u64()), (&json!(2), true), "{topics:#}");
    let studio = eventually("its consumer is gone", || {
        let all = document(&at(&bus.url, &["subscriptions", "list"]));
        let studio = one(&all["subscriptions"], "subscription", "studio");
        (studio["consumers"] == 0).then(|| studio.clone())
    });
    assert_eq!(studio["topics"], json!(["time"]), "{studio:#}");
    assert_eq!(documents(&at(&bus.url, &["dead-letters", "list"])), [] as [Value; 0]);
    let replay = ["dead-letters", "replay", "--all", "--subscription", "studio"];
    let nothing = json!({ "subscription": "studio", "replayed": 0, "missing": [] });
    assert_eq!(document(&at(&bus.url, &replay)), nothing);
    let types = document(&at(&bus.url, &["catalog", "list"]));
    assert!(one(&types["event_types"], "name", "time.updated")["number"].is_u64());
    let health = run(&["health", "--listen", &bus.url["http://".len()..], "--format", "json"]);
    assert_eq!(document(&health)["healthy"], true);

    let delete = ["subscriptions", "delete", "studio", "--yes"];
    assert_eq!(document(&at(&bus.url, &delete)), json!({ "deleted": "studio" }));
    let failed = at(&bus.url, &delete);
    assert_eq!((failed.code, failed.stdout.len()), (1, 0), "{failed:?}");
    assert!(failed.stderr.starts_with("error: "), "{failed:?}");
    bus.terminate();
}

/// One of an id that the bus has, and one that is new; between them what is no event.
fn lines_of_the_input_are_numbered(url: &str, known_id: &str) {
    let line = |id: Value| {
        json!({ "event_type": "time.day_activated", "event_id": id, "payload": {} }).to_string()
    };
    let input = format!("{}\nnothing\n\n{}\n", line(json!(known_id)), line(Value::Null));
    let mut command = worldbus();
    command.args(["publish", "--stdin", "--format", "json", "--url", url]);
    let finished = run_with_input(&mut command, input.as_bytes());
    assert!(finished.stderr.contains("line 2: "), "{finished:?}");
    let receipts = documents(&finished);
    let of = |receipt: &Value| (receipt["line"].clone(), receipt["receipt"].clone());
    let of: Vec<_> = receipts.iter().map(of).collect();
    assert_eq!(of, [(json!(1), json!("duplicate")), (json!(4), json!("durable"))], "{finished:?}");
}

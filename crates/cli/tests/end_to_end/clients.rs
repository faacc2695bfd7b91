//! `publish`, `tail` and `catalog`: what scripts rely on.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use prost_reflect::{DescriptorPool, DynamicMessage, Value as Field};
use serde_json::{Value, json};

use crate::support::{Finished, Service, Tail, empty_log, run, run_with_input, serving, worldbus};

const LINES: usize = 5_000;
/// Every so many lines one is bad.
const BAD_EVERY: usize = 100;

fn embedded(folder: &tempfile::TempDir) -> String {
    empty_log(&folder.path().join("bus"))
}

fn publish_lines(url: &str, lines: &str) -> Finished {
    run_with_input(worldbus().args(["publish", "--stdin", "--url", url]), lines.as_bytes())
}

#[test]
fn thousands_of_lines_are_published_in_order_and_bad_ones_reported_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    let mut lines = String::new();
    for number in 1..=LINES {
        lines += &match number % BAD_EVERY {
            0 => "{\"type\":\"time.updated\",\"payload\":{\"hour\":\"noon\"}}\n".to_owned(),
            _ => format!(
                "{{\"type\":\"time.updated\",\"payload\":{{\"total_minutes\":{number}}}}}\n"
            ),
        };
    }
    let published = publish_lines(&bus.url, &lines);
    assert_eq!(published.code, 1);
    let ids = published.lines();
    assert_eq!(ids.len(), LINES - LINES / BAD_EVERY, "{}", published.stderr);
    for number in (BAD_EVERY..=LINES).step_by(BAD_EVERY) {
        assert!(published.stderr.contains(&format!("line {number}: ")), "{number}");
    }
    let count = ids.len().to_string();
    let args = ["tail", "--url", &bus.url, "--from", "start", "--format", "json"];
    let tail = run(&[&args[..], &["--count", &count]].concat());
    let events: Vec<Value> =
        tail.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(tail.code, 0);
    let shown: Vec<&str> = events.iter().map(|e| e["event_id"].as_str().unwrap()).collect();
    assert_eq!(shown, ids, "the order of ids is the order of events");
    let minute = |e: &Value| e["payload"]["total_minutes"].as_str().unwrap().parse().unwrap();
    let minutes: Vec<usize> = events.iter().map(minute).collect();
    assert!(minutes.is_sorted() && minutes.iter().all(|minute| minute % BAD_EVERY != 0));
}

#[test]
fn filters_and_count_choose_events_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let url = embedded(&folder);
    let mut lines = String::new();
    for number in 0..60 {
        let (entity, name) = if number % 3 == 0 {
            ("ghent", "weather.changed")
        } else {
            ("paris", "weather.severe")
        };
        lines += &format!("{{\"type\":\"{name}\",\"entity\":\"{entity}\",\"payload\":{{}}}}\n");
    }
    let published = publish_lines(&url, &lines);
    assert_eq!(published.code, 0, "{published:?}");
    // Facts of another service, which is reported once a type.
    let warnings: Vec<&str> = published.stderr.lines().collect();
    assert!(warnings.len() == 2 && warnings.iter().all(|line| line.starts_with("warning: ")));
    let ids = published.lines();
    let tail = |more: &[&str]| run(&[&["tail", "--url", &url, "--from", "start"], more].concat());

    let wanted: Vec<&String> = ids.iter().step_by(3).collect();
    let json = tail(&["--entity", "ghent", "--format", "json", "--count", "20"]);
    let shown: Vec<Value> =
        json.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<&str> = shown.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(shown, wanted);

    let text = tail(&["--type", "weather.changed", "--topic", "weather", "--count", "7"]);
    assert_eq!(text.lines().len(), 7);
    assert!(
        text.lines().iter().all(|line| line.contains("weather.changed") && line.contains("ghent"))
    );

    let others = tail(&["--exclude", "weather.changed", "--count", "40"]);
    assert_eq!(others.lines().len(), 40);
    assert!(others.lines().iter().all(|line| line.contains("weather.severe")), "{others:?}");
    let misspelt = tail(&["--exclude", "wether.changed"]);
    misspelt.refused(&["--exclude", "weather.changed"]);

    // Stock protobuf, by reflection: as any language would read it.
    let all = sequences(&tail(&["--format", "protobuf", "--count", "60"]).stdout);
    assert_eq!(all.len(), 60);
    let some = sequences(&tail(&["--format", "protobuf", "--count", "5", "--type", "1"]).stdout);
    assert_eq!(some, all.into_iter().step_by(3).take(5).collect::<Vec<_>>());
}

#[test]
fn tail_of_a_place_has_what_happened_there_and_what_is_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let url = embedded(&folder);
    let abouts = [
        r#""entity":"npc-7","place":"market""#,
        r#""entity":"npc-7","place":"mill""#,
        r#""entity":"market""#,
        r#""entity":"npc-7""#,
    ];
    let line = |about| format!("{{\"type\":\"world_state.updated\",{about},\"payload\":{{}}}}\n");
    let lines: String = abouts.into_iter().map(line).collect();
    let ids = publish_lines(&url, &lines).lines();
    let there = ["--place", "market", "--count", "2"];
    let tail = |more: &[&str]| {
        run(&[&["tail", "--url", &url, "--from", "start"], &there[..], more].concat()).lines()
    };
    let shown: Vec<Value> = tail(&["--format", "json"])
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<&str> = shown.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(shown, [ids[0].as_str(), ids[2].as_str()]);
    let text = tail(&[]);
    assert!(text[0].contains("  npc-7  @market"), "{text:?}");
    assert!(text[1].contains("  market") && !text[1].contains('@'), "{text:?}");
}

#[test]
fn tail_that_has_nothing_to_write_states_that_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", folder.path().to_str().unwrap()]);
    let mut binary = worldbus();
    binary.args(["tail", "--url", &bus.url, "--entity", "nothing"]);
    let mut tail = binary.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut note = String::new();
    BufReader::new(tail.stderr.take().unwrap()).read_line(&mut note).unwrap();
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(note.contains("no event to show yet; waiting for one"), "{note}");
}

#[test]
fn text_shows_game_time_and_leaves_clock_announcements_out_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = embedded(&folder);
    let event = |name: &str, payload: Value| {
        json!({ "type": name, "entity": "ghent", "payload": payload }).to_string()
    };
    let date = json!({ "year": 1203, "month": 2, "day": 9 });
    let hour = event("time.hour_changed", json!({ "date": date, "hour": 6 }));
    let tick = json!({ "hour": 6, "minute": 30, "total_minutes": 390 });
    let tick = event("time.updated", tick);
    let clock = event("time.clock_changed", json!({ "reason": "start" }));
    let mist = json!({ "new_state": "WEATHER_STATE_MIST", "temperature_decicelsius": -12 });
    let mist = event("weather.changed", mist);
    // One after the other: topics have no order among each other.
    let overrides = event("weather.overrides_announced", json!({ "revision": 7, "part_count": 1 }));
    for lines in [[hour, tick].join("\n"), clock, overrides, mist] {
        let published = publish_lines(&url, &lines);
        assert_eq!(published.code, 0, "{published:?}");
    }
    let tail =
        |more: &[&str]| run(&[&["tail", "--url", &url, "--from", "start"], more].concat()).lines();

    // The clock is followed although nothing of it is asked for.
    let line = &tail(&["--type", "weather.changed", "--entity", "ghent", "--count", "1"])[0];
    assert!(line.contains("1203-02-09 06:30  weather.changed"), "{line}");
    assert!(line.contains("ghent  new_state=mist ") && line.contains("=-1.2°C"), "{line}");
    let all = tail(&["--count", "3"]);
    let repeated = ["time.clock_changed", "weather.overrides_announced"];
    let is_repeated = |line: &String| repeated.iter().any(|name| line.contains(name));
    assert!(!all.iter().any(is_repeated), "{all:?}");
    let asked = tail(&["--type", "time.clock_changed", "--count", "1"]);
    assert!(asked[0].contains("time.clock_changed") && asked[0].contains("reason=start"));
    let asked = tail(&["--type", "weather.overrides_announced", "--count", "1"]);
    let named = |text| asked[0].contains(text);
    assert!(named("weather.overrides_announced") && named("ghent  revision=7"), "{asked:?}");
    let json = tail(&["--format", "json", "--count", "5"]);
    assert_eq!(json.iter().filter(|line| is_repeated(line)).count(), 2, "{json:?}");
}

#[test]
fn event_without_a_world_happens_in_that_of_the_event_bus() {
    let folder = tempfile::tempdir().unwrap();
    let isles = concat!(env!("CARGO_MANIFEST_DIR"), "/../../worlds/isles.toml");
    let data = folder.path().to_str().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", data, "--world", isles]).ready();
    let tail = Tail::start(&bus.url, &[]);
    let publish = |more: &[&str]| {
        let args = ["publish", "time.day_activated", "{}", "--url", &bus.url];
        assert_eq!(run(&[&args[..], more].concat()).code, 0);
        tail.next()["world"].clone()
    };
    assert_eq!(publish(&[]), "isles");
    assert_eq!(publish(&["--world", "moon"]), "moon");
}

/// (producer, sequence) of each event of length-delimited EventBatch messages.
fn sequences(mut bytes: &[u8]) -> Vec<(u64, u64)> {
    let pool = DescriptorPool::decode(worldbus_events::DESCRIPTOR_SET).unwrap();
    let descriptor = pool.get_message_by_name("worldbus.events.v1.EventBatch").unwrap();
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = prost::decode_length_delimiter(&mut bytes).unwrap();
        let (message, rest) = bytes.split_at(length);
        let batch = DynamicMessage::decode(descriptor.clone(), message).unwrap();
        bytes = rest;
        let number = |name: &str| batch.get_field_by_name(name).unwrap().as_u64().unwrap();
        let column = |name: &str| -> Vec<u64> {
            let values = batch.get_field_by_name(name).unwrap().into_owned();
            let Field::List(values) = values else { panic!("{name} is a column") };
            let value = |value: &Field| value.as_u64().or(value.as_u32().map(u64::from)).unwrap();
            values.iter().map(value).collect()
        };
        let types = column("event_types");
        assert_eq!(types.len(), column("payload_sizes").len());
        let payloads = batch.get_field_by_name("payloads").unwrap().as_bytes().unwrap().len();
        assert_eq!(column("payload_sizes").iter().sum::<u64>(), payloads as u64);
        let deltas = column("sequence_deltas");
        let mut sequence = number("first_sequence");
        for index in 0..types.len() {
            sequence += deltas.get(index).copied().unwrap_or(u64::from(index > 0));
            found.push((number("producer_id"), sequence));
        }
    }
    found
}

#[test]
fn second_process_sees_what_the_first_publishes_and_ids_are_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    let tail = Tail::start(&bus.url, &[]);
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let about = ["--entity", "x", "--place", "hall"];
        let args = ["publish", "time.day_activated", "{}", "--url", &bus.url];
        let published = run(&[&args[..], &about].concat());
        assert_eq!(published.code, 0, "{}", published.stderr);
        let event = tail.next();
        assert_eq!(event["event_id"], published.lines()[0]);
        assert_eq!((&event["entity"], &event["place"]), (&json!("x"), &json!("hall")));
        assert!(seen.insert(published.lines()[0].clone()));
    }
    bus.terminate();
}

#[test]
fn copying_a_bus_keeps_ids_and_copying_again_adds_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let line = "{\"type\":\"time.updated\",\"payload\":{},\"source\":\"a\",\"world\":\"w\"}\n";
    let ids = publish_lines(&embedded(&from), &line.repeat(10)).lines();
    let show = |url: &str, count: &str| {
        run(&["tail", "--url", url, "--from", "start", "--format", "json", "--count", count]).stdout
    };
    let events = show(&embedded(&from), "10");
    let text = String::from_utf8(events.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(publish_lines(&embedded(&to), &text).lines(), ids);
    }
    publish_lines(&embedded(&to), line);
    let copied = show(&embedded(&to), "11");
    assert!(copied.starts_with(&events), "{}", String::from_utf8_lossy(&copied));
}

#[test]
fn reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let url = embedded(&folder);
    let line = "{\"type\":\"time.updated\",\"payload\":{}}\n";
    assert_eq!(publish_lines(&url, &line.repeat(4_000)).code, 0);
    let mut tail = worldbus();
    tail.args(["tail", "--url", &url, "--from", "start", "--format", "json", "--count", "4000"]);
    let mut child = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn studio_types_are_listed_published_and_shown_by_the_stock_binary() {
    let folder = tempfile::tempdir().unwrap();
    let studio = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/studio/proto");
    worldbus_events_build::Builder::new()
        .out_dir(folder.path())
        .compile(&[format!("{studio}/studio/v1/quest.proto")], &[studio])
        .unwrap();
    let set = folder.path().join("catalogue.binpb");
    let (set, url) = (set.to_str().unwrap(), embedded(&folder));
    let listed = run(&["catalog", "--format", "json", "--catalog", set]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let listed = listed["event_types"].as_array().unwrap().clone();
    let quest = listed.iter().find(|of| of["owner"] == "studio").unwrap();
    let (name, topic) = (quest["name"].as_str().unwrap(), quest["topic"].as_str().unwrap());
    let payload = "{\"quest_id\":\"the-lost-umbrella\"}";

    let unknown = run(&["publish", name, payload, "--url", &url]);
    unknown.refused(&["unknown event type", name]);
    let published = run(&["publish", name, payload, "--url", &url, "--catalog", set]);
    assert_eq!(published.code, 0, "{}", published.stderr);
    let tail = |more: &[&str]| {
        let args = ["tail", "--url", &url, "--from", "start", "--topic", topic, "--count", "1"];
        String::from_utf8(run(&[&args[..], more].concat()).stdout).unwrap()
    };
    let shown = tail(&["--catalog", set]);
    assert!(shown.contains(name) && shown.contains("quest_id=the-lost-umbrella"), "{shown}");
    // Without the catalogue it is shown by number, not hidden.
    let shown = tail(&[]);
    assert!(shown.contains(&quest["number"].to_string()) && shown.contains("base64="), "{shown}");
}

#[test]
fn catalogue_and_configuration_are_printed_for_people_and_tools() {
    let text = run(&["catalog"]);
    assert!(text.lines().iter().any(|line| line.contains("weather.changed")));
    let asyncapi = run(&["catalog", "--format", "asyncapi"]);
    let asyncapi: Value = serde_json::from_slice(&asyncapi.stdout).unwrap();
    assert_eq!(asyncapi["asyncapi"], "3.0.0");
    let mut up = worldbus();
    up.args(["up", "--print-config", "--data-dir", "/srv/x"]).env("WORLDBUS_API_KEY", "swordfish");
    let config = run_with_input(&mut up, b"");
    let page = String::from_utf8(config.stdout).unwrap();
    assert!(page.contains("embedded:/srv/x/bus") && page.contains("flag --data-dir"), "{page}");
    assert!(!page.contains("swordfish"), "{page}");
    let clients = ["tail", "publish"].map(str::to_owned);
    for command in serving().chain(clients) {
        let help = String::from_utf8(run(&[&command, "--help"]).stdout).unwrap();
        assert!(help.contains("Examples:") && help.contains("WORLDBUS_URL"), "{command}");
    }
    assert!(run(&["--version"]).lines()[0].starts_with("worldbus "));
}

//! The chronicle of the whole program: kill -9 of the storyteller at random moments while events
//! come, over one bus that lives; and the verbs, over `worldbus up`.
//!
//! The judge is this process: it knows which events it published, and reads what the storyteller
//! published of them. No entry is lost, none is there twice. What SIGKILL cannot show: that the
//! bytes reached the disk.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{DEADLINE, Service, eventually, get, run};
use worldbus::events::v1::{ClockChanged, HolidayStarted, StoryEntryAdded};
use worldbus::events::{Event as _, EventId};
use worldbus::{Bus, Position, ReadSpec, Topic};

/// Kills, unless `WORLDBUS_TEST_CYCLES` is set.
const CYCLES: usize = 6;
/// Events between two kills.
const EVENTS: usize = 20;

fn cycles() -> usize {
    let cycles = std::env::var("WORLDBUS_TEST_CYCLES").ok().and_then(|text| text.parse().ok());
    cycles.unwrap_or(CYCLES)
}

/// What the storyteller published, up to when every one of these events has an entry: the entries
/// of each event.
async fn published(bus: &Bus, causes: &[String]) -> BTreeMap<String, Vec<EventId>> {
    let topic = Topic::new(StoryEntryAdded::TOPIC).unwrap();
    let spec = ReadSpec::topics([topic], Position::Start, true);
    let mut reader = bus.transport().read(spec).await.unwrap();
    let mut found: BTreeMap<String, Vec<EventId>> = BTreeMap::new();
    while !causes.iter().all(|id| found.contains_key(id)) {
        let stored = reader.next().await.unwrap().unwrap();
        for event in stored.batch.iter().filter(|e| e.event_type == StoryEntryAdded::NUMBER) {
            let entry = event.decode::<StoryEntryAdded>().unwrap();
            found.entry(entry.event_ids[0].clone()).or_default().push(event.id);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_is_lost_or_doubled_by_kill_after_kill_of_the_storyteller() {
    let folder = tempfile::tempdir().unwrap();
    let (bus_dir, dir) = (folder.path().join("bus"), folder.path().join("story"));
    let (bus_dir, dir) = (bus_dir.to_str().unwrap(), dir.to_str().unwrap());
    let event_bus = Service::start("event-bus", &["--data-dir", bus_dir, "--log", "error"]).ready();
    let arguments = ["--url", &event_bus.url, "--data-dir", dir, "--log", "error"];
    let bus = worldbus::connect(&event_bus.url, None).await.unwrap();
    let publisher = bus.publisher("time-manager", "europe");
    let now_us = bus.wall().now_us();
    let clock = ClockChanged {
        epoch: 0,
        anchor_wall_us: now_us,
        scale_numerator: 144,
        scale_denominator: 1,
        ..ClockChanged::default()
    };
    publisher.publish(&clock).await.unwrap();

    let (cycles, mut sent) = (cycles(), Vec::new());
    for cycle in 0..cycles {
        let service = Service::start("storyteller", &arguments);
        for number in 0..EVENTS {
            let name = format!("Feast {cycle}-{number}");
            let event = HolidayStarted { holiday: "f".into(), name, date: None };
            sent.push(publisher.publish(&event).await.unwrap().to_string());
            // At another moment of its work each time.
            if number == (cycle * 7) % EVENTS {
                tokio::time::sleep(Duration::from_millis((cycle as u64 * 37) % 200)).await;
            }
        }
        service.kill();
    }

    let _service = Service::start("storyteller", &arguments);
    let all = published(&bus, &sent);
    let found = tokio::time::timeout(DEADLINE, all).await.expect("entries are missing");
    for (cause, entries) in &found {
        assert_eq!(entries.len(), 1, "{cause} has {entries:?}");
    }
    assert_eq!(found.len(), sent.len());
}

#[test]
fn world_that_is_skipped_ahead_has_a_chronicle_that_can_be_searched_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let up = Service::start("up", &["--data-dir", dir, "--log", "error"]).ready();
    let ask = |arguments: &[&str]| run(&[arguments, &["--url", &up.url]].concat());
    let storm = ["weather", "set", "paris", "storm", "--minutes", "60"];
    assert_eq!(ask(&storm).code, 0);
    eventually("the storm is in the chronicle", || {
        let found = ask(&["chronicle", "search", "paris"]);
        String::from_utf8_lossy(&found.stdout).contains("Paris").then_some(())
    });
    let json = ask(&["chronicle", "search", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(!json["entries"].as_array().unwrap().is_empty());
    assert_eq!(ask(&["chronicle", "digest", "paris"]).code, 0);
    assert_eq!(ask(&["chronicle", "arcs"]).code, 0);
    assert_eq!(ask(&["director", "status"]).code, 0);
    ask(&["chronicle", "search", "--region", "atlantis"]).refused(&["no region", "atlantis"]);
    let out = folder.path().join("book.html");
    let out = out.to_str().unwrap();
    let export = ["chronicle", "export", "--format", "html", "--out", out];
    let exported = ask(&export);
    assert_eq!(exported.code, 0, "{exported:?}");
    let book = std::fs::read_to_string(out).unwrap();
    assert!(book.starts_with("<!DOCTYPE html>") && book.contains("Paris"));
    ask(&export).refused(&["is there already", "--force"]);
    assert_eq!(get(&format!("{}/api/director", up.url)).unwrap().status, 200);
}

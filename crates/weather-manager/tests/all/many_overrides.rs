//! What a command costs behind hundreds of others, and what a look does: printed, not judged, for
//! time is the machine's. As a test it takes a few of each kind; by hand, as many as there may be:
//!
//! `WORLDBUS_TEST_OVERRIDES=800 cargo test --release -p worldbus-weather-manager
//! --test all many_overrides -- --nocapture --test-threads 1`
#![allow(clippy::disallowed_methods, reason = "a measurement reads clocks and files")]

use std::time::Instant;

use crate::kit::{new_clock, run, tell};
use worldbus_bus::{Position, ReadSpec, Reader, Topic};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_testkit::{Instance, Place};
use worldbus_weather_manager::COMMAND_COUNT_MAX;

/// A command is measured with those before it: the median of so many.
const NEIGHBOUR_COUNT: usize = 9;
/// Commands of each kind, if it is not set.
const COMMAND_COUNT: usize = 8;
const MARKS: [usize; 8] = [1, 8, 16, 24, 100, 300, 600, COMMAND_COUNT_MAX];
const REGIONS: [&str; 12] = [
    "brussels",
    "amsterdam",
    "london",
    "paris",
    "cologne",
    "berlin",
    "copenhagen",
    "munich",
    "zurich",
    "prague",
    "vienna",
    "dublin",
];

/// Milliseconds by the wall clock, and on the processors in all threads.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Cost {
    busy_ms: f64,
    wall_ms: f64,
}

struct Watch {
    busy_ns: u64,
    wall: Instant,
}

impl Watch {
    fn start() -> Self {
        Self { busy_ns: busy_ns(), wall: Instant::now() }
    }

    fn stop(&self) -> Cost {
        let busy_ms = busy_ns().saturating_sub(self.busy_ns) as f64 / 1e6;
        Cost { busy_ms, wall_ms: self.wall.elapsed().as_secs_f64() * 1e3 }
    }
}

fn busy_ns() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let busy_ns = |thread: std::fs::DirEntry| {
        // A thread may end meanwhile.
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.filter_map(|thread| busy_ns(thread.unwrap())).sum()
}

fn median(costs: &[Cost]) -> Cost {
    let mut sorted = costs.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
    sorted[sorted.len() / 2]
}

/// Waits until the command of a revision has been published.
async fn published(reader: &mut Box<dyn Reader>, rev: u64) {
    let is_it = |payload: &[u8]| v1::WeatherOverrideSet::decode(payload).unwrap().revision == rev;
    loop {
        let stored = reader.next().await.unwrap().unwrap();
        let mut sets = stored.batch.iter();
        if sets.any(|e| e.event_type == v1::WeatherOverrideSet::NUMBER && is_it(e.payload)) {
            return;
        }
    }
}

async fn look(instance: &Instance) -> Cost {
    let mut costs = Vec::new();
    for _ in 0..NEIGHBOUR_COUNT {
        let watch = Watch::start();
        let (status, answer) = instance.get("/api/weather/current").await;
        assert_eq!(status, 200, "{answer}");
        costs.push(watch.stop());
    }
    median(&costs)
}

/// Sends `count_max` commands and prints what the last ones at each mark cost: from the request to
/// its events on the bus, while a second passes.
async fn measure(name: &str, count_max: usize, request: impl Fn(usize) -> (&'static str, String)) {
    let place = Place::new().await;
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    let follow = ReadSpec::topics([Topic::new("weather").unwrap()], Position::Now, true);
    let mut reader = place.bus.transport().read(follow).await.unwrap();
    println!("{name}");
    let mut costs = Vec::new();
    for count in 1..=count_max.min(command_count()) {
        let (path, body) = request(count);
        let watch = Watch::start();
        let (status, answer) = instance.post(path, &body).await;
        assert_eq!(status, 200, "{answer}");
        place.advance(1_000_000);
        published(&mut reader, count as u64).await;
        costs.push(watch.stop());
        if MARKS.contains(&count) {
            let near = median(&costs[costs.len().saturating_sub(NEIGHBOUR_COUNT)..]);
            let look = look(&instance).await;
            println!(
                "  {count:>4}: command {:8.1} ms busy {:8.1} ms in all, look {:8.2} ms in all",
                near.busy_ms, near.wall_ms, look.wall_ms
            );
        }
    }
    instance.stop().await;
}

fn command_count() -> usize {
    let asked = std::env::var("WORLDBUS_TEST_OVERRIDES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(COMMAND_COUNT).min(COMMAND_COUNT_MAX)
}

fn set(region: &str, state: &str) -> (&'static str, String) {
    ("/api/weather/set", format!(r#"{{"region":"{region}","state":"{state}"}}"#))
}

fn add(regions: &str, effect: &str, more: &str) -> (&'static str, String) {
    let body = format!(r#"{{"regions":[{regions}],"effect":{effect}{more}}}"#);
    ("/api/weather/overrides", body)
}

const WARMER: &str = r#"{"kind":"offset","temperature_c":0.1}"#;

#[tokio::test]
async fn one_region_is_set_again_and_again() {
    measure("set, one region", COMMAND_COUNT_MAX, |_| set("paris", "storm")).await;
}

#[tokio::test]
async fn all_regions_are_set_in_turn() {
    let region = |count: usize| REGIONS[count % REGIONS.len()];
    measure("set, regions in turn", COMMAND_COUNT_MAX, |count| set(region(count), "fog")).await;
}

#[tokio::test]
async fn one_region_is_set_while_another_stays_forced() {
    let region = |count: usize| if count == 1 { "vienna" } else { "paris" };
    measure("set, one stays", COMMAND_COUNT_MAX, |count| set(region(count), "fog")).await;
}

#[tokio::test]
async fn overrides_of_one_region_add_up() {
    measure("add, one region", COMMAND_COUNT_MAX, |_| add("\"paris\"", WARMER, "")).await;
}

#[tokio::test]
async fn overrides_of_all_regions_add_up() {
    measure("add, all regions", COMMAND_COUNT_MAX, |_| add("", WARMER, "")).await;
}

#[tokio::test]
async fn short_overrides_of_one_region_follow_each_other() {
    let more = r#","duration_game_minutes":2"#;
    measure("add, short", COMMAND_COUNT_MAX, |_| add("\"paris\"", WARMER, more)).await;
}

#[tokio::test]
async fn locks_that_fade_in_add_up() {
    let more = r#","fade_in_game_minutes":43200"#;
    let lock = r#"{"kind":"lock"}"#;
    measure("add, fading locks", 24, |_| add("\"paris\"", lock, more)).await;
}

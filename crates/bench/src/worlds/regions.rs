//! Whether the weather of ten thousand regions keeps up with a clock of 3,600 times on one core,
//! by the service's own metrics. Not here: what a region-hour costs (`world`).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::grid::Grid;
use crate::broker::Broker;
use crate::idle::resident_kib;
use crate::report::Row;

const SIDE: usize = 100;
/// The first hours of a world announce everything.
const SETTLE: Duration = Duration::from_secs(20);
const STRETCH: Duration = Duration::from_secs(20);
const STRETCH_COUNT: usize = 15;

/// The metrics at one moment.
struct Reading {
    lag_seconds: f64,
    lag_count: f64,
    /// Events whose lag was at most a second.
    soon: f64,
    events: f64,
    batches: f64,
    processor_seconds: f64,
}

pub(crate) fn rows(worldbus: &Path) -> Result<Vec<Row>> {
    let world = tempfile::NamedTempFile::with_suffix_in(".toml", ".")?;
    std::fs::write(world.path(), europe())?;
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(worldbus).args(["up", "--world"]);
    let broker = Broker::start_by(command.arg(world.path())).context("cannot run worldbus up")?;
    std::thread::sleep(SETTLE);
    let mut readings = vec![Reading::take(&broker)?];
    let mut mebibytes = Vec::new();
    for _ in 0..STRETCH_COUNT {
        std::thread::sleep(STRETCH);
        readings.push(Reading::take(&broker)?);
        mebibytes.push(resident_kib(broker.pid())? / 1024.0);
    }
    let each = |figure: fn(&Reading, &Reading) -> f64| {
        readings.windows(2).map(|pair| figure(&pair[0], &pair[1])).collect()
    };
    let lag = each(|a, b| (b.lag_seconds - a.lag_seconds) / (b.lag_count - a.lag_count) * 1e3);
    let soon = each(|a, b| (b.soon - a.soon) / (b.lag_count - a.lag_count) * 100.0);
    let events = each(|a, b| (b.events - a.events) / STRETCH.as_secs_f64());
    let batch = each(|a, b| (b.events - a.events) / (b.batches - a.batches));
    let busy =
        each(|a, b| (b.processor_seconds - a.processor_seconds) / STRETCH.as_secs_f64() * 100.0);
    Ok(vec![
        Row::new("weather: lag behind its instants, mean", "ms", lag, "does not grow"),
        Row::new("weather: told within a second", "%", soon, "100"),
        Row::new("weather: events", "a second", events, ""),
        Row::new("weather: events in a batch", "", batch, "many"),
        Row::new("all services: of one core", "%", busy, "< 100"),
        Row::new("all services: memory", "MiB", mebibytes, "does not grow"),
    ])
}

/// From Tunisia to Finland.
fn europe() -> String {
    let climate = |latitude| match latitude {
        ..40.0 => "tunis",
        ..50.0 => "brussels",
        _ => "potsdam",
    };
    Grid {
        region_count: SIDE * SIDE,
        column_count: SIDE,
        real_seconds_per_game_hour: 1,
        latitude: 35.0,
        longitude: -10.0,
        climate,
    }
    .world_file()
}

impl Reading {
    fn take(broker: &Broker) -> Result<Self> {
        let url = format!("{}/metrics", broker.url());
        let page = ureq::get(url).call()?.body_mut().read_to_string()?;
        let of = |name: &str| sample(&page, name);
        const LAG: &str = "worldbus_boundary_lag_seconds";
        const TOPIC: &str = "topic=\"weather\"";
        Ok(Self {
            lag_seconds: of(&format!("{LAG}_sum{{{TOPIC}}}"))?,
            lag_count: of(&format!("{LAG}_count{{{TOPIC}}}"))?,
            soon: of(&format!("{LAG}_bucket{{{TOPIC},le=\"1\"}}"))?,
            events: of("worldbus_batch_events_sum{topic=\"weather\"}")?,
            batches: of("worldbus_batch_events_count{topic=\"weather\"}")?,
            processor_seconds: processor_seconds(broker.pid())?,
        })
    }
}

fn sample(page: &str, name: &str) -> Result<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.with_context(|| format!("no {name} in /metrics"))?.trim().parse().context("no number")
}

/// What a process has used of the processors, by the kernel's hundredths of a second.
fn processor_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields[index].parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

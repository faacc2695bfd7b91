//! What `worldbus up` takes while its world of twelve regions goes on, and how fast it starts.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::broker::Broker;
use crate::report::Row;

/// Long enough for the world to be at its steady pace.
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) fn rows(worldbus: &Path, runs: usize) -> Result<Vec<Row>> {
    let (mut mebibytes, mut millis) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let broker = Broker::start(worldbus, "up")?;
        millis.push(broker.start.as_secs_f64() * 1000.0);
        std::thread::sleep(SETTLE);
        mebibytes.push(resident_kib(broker.pid())? / 1024.0);
    }
    Ok(vec![
        Row::new("idle: memory of worldbus up, 12 regions", "MiB", mebibytes, "<= 40"),
        Row::new("idle: start to ready", "ms", millis, "<= 300"),
    ])
}

pub(crate) fn resident_kib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kib.parse()?)
}

//! What the figures depend on: the machine, the commit, and whether anything else ran.

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::repo::output;

/// A page of the disk.
const PAGE_BYTES: usize = 4096;
const SYNC_COUNT: usize = 1000;
/// How long it is watched whether anything else runs.
const WATCH: Duration = Duration::from_secs(3);
/// Part of all cores that others may take.
const BUSY_MAX: f64 = 0.1;

/// How quiet the machine is, and how fast its disk.
pub(super) struct Probe {
    /// Part of all cores that others took.
    busy: f64,
    load: String,
    /// Milliseconds to append a page and sync it.
    sync_p50_ms: f64,
    sync_p99_ms: f64,
}

impl Probe {
    /// Watches for some seconds, then appends to a file in `folder`.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let before = cpu_times()?;
        sleep(WATCH);
        let after = cpu_times()?;
        let (idle, all) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
        let load = fs::read_to_string("/proc/loadavg").context("there is no /proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default().to_owned();
        let times = sync_times(folder)?;
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        Ok(Self {
            busy: 1.0 - idle as f64 / all.max(1) as f64,
            load,
            sync_p50_ms: at(0.5),
            sync_p99_ms: at(0.99),
        })
    }

    /// Why figures of this machine would mean little.
    pub(super) fn reason_against(&self) -> Option<String> {
        let percent = self.busy * 100.0;
        (self.busy > BUSY_MAX).then(|| {
            format!("something else takes {percent:.0} % of this machine's cores, as `top` shows")
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "busy": self.busy,
            "load": self.load,
            "sync_p50_ms": self.sync_p50_ms,
            "sync_p99_ms": self.sync_p99_ms,
        })
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { busy, load, sync_p50_ms, sync_p99_ms } = self;
        write!(
            f,
            "{:.0} % of the cores busy, load {load}; a page appended and synced in \
             {sync_p50_ms:.2} ms (p50), {sync_p99_ms:.2} ms (p99)",
            busy * 100.0
        )
    }
}

/// Idle and all time of all cores, in ticks.
fn cpu_times() -> Result<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").context("there is no /proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
    let idle = ticks.iter().skip(3).take(2).sum();
    // Guest time, at the end, is part of user time.
    Ok((idle, ticks.iter().take(8).sum()))
}

/// Milliseconds of each append and fdatasync, the shortest first.
fn sync_times(folder: &Path) -> Result<Vec<f64>> {
    let path = folder.join("probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(SYNC_COUNT);
    for _ in 0..SYNC_COUNT {
        let begun = Instant::now();
        file.write_all(&[7; PAGE_BYTES])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    fs::remove_file(path)?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Commit, processor, kernel, compiler, day.
pub(super) fn describe(root: &Path) -> Result<Value> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = meminfo.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    let mut git = Command::new("git");
    git.current_dir(root).args(["describe", "--always", "--dirty", "--abbrev=8"]);
    let commit = output(&mut git)?.trim().to_owned();
    Ok(json!({
        "commit": commit,
        "processor": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gib": kib.map(|kib| kib >> 20),
        "system": output(Command::new("uname").arg("-sr"))?.trim(),
        "compiler": output(Command::new("rustc").arg("--version"))?.trim(),
        "day": output(Command::new("date").args(["-u", "+%F"]))?.trim(),
    }))
}

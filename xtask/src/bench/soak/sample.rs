//! A sample of a soak: what the load measured in an interval, and what the event-bus takes, by what
//! Linux and its own metrics show. One flat object of numbers, as [`super::page`] reads it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::bench::numbers::number;
use crate::bench::runner::EventBus;

/// Ticks of processor time a second: the same on all that we build for (`getconf CLK_TCK`).
const TICKS_PER_S: f64 = 100.0;
const MIB: f64 = (1 << 20) as f64;
/// What metrics may have, and how long they may take.
const METRICS_BYTES_MAX: u64 = 4 << 20;
const METRICS_WAIT_MAX: Duration = Duration::from_secs(10);
/// What retention removed, and what of it no subscription had read yet.
pub(super) const REMOVED: [(&str, &str); 2] = [
    ("removed_batches", "worldbus_retention_batches_total"),
    ("removed_unread_batches", "worldbus_retention_unread_batches_total"),
];

/// A number of a sample, and where the load has it.
const OF_LOAD: [(&str, &str); 8] = [
    ("published_per_s", "published.events_per_s"),
    ("ack_p50_ms", "published.p50_ms"),
    ("ack_p99_ms", "published.p99_ms"),
    ("ack_p999_ms", "published.p999_ms"),
    ("handled_per_s", "handled.events_per_s"),
    ("handler_p50_ms", "handled.p50_ms"),
    ("handler_p99_ms", "handled.p99_ms"),
    ("handler_p999_ms", "handled.p999_ms"),
];

/// What an event-bus took until now.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) memory_bytes: f64,
    pub(super) threads: f64,
    pub(super) open_files: f64,
    pub(super) files: f64,
    pub(super) disk_bytes: f64,
    pub(super) processor_s: f64,
    pub(super) written_bytes: f64,
    /// In the order of [`REMOVED`].
    pub(super) removed: [f64; 2],
}

/// Takes samples of an event-bus.
pub(super) struct Sampler {
    process: PathBuf,
    data: PathBuf,
    /// Without a scheme.
    address: String,
    before: Reading,
}

impl Sampler {
    /// From now on.
    pub(super) fn start(bus: &EventBus) -> Result<Self> {
        let mut sampler = Self {
            process: Path::new("/proc").join(bus.pid().to_string()),
            data: bus.data.clone(),
            address: bus.url.trim_start_matches("http://").to_owned(),
            before: Reading::default(),
        };
        sampler.before = sampler.read()?;
        Ok(sampler)
    }

    /// The sample of an interval that is over, as `worldbus bench --every` printed it.
    pub(super) fn take(&mut self, interval: &Value) -> Result<Value> {
        let now = self.read()?;
        let sample = sample(interval, &self.before, &now);
        self.before = now;
        Ok(sample)
    }

    fn read(&self) -> Result<Reading> {
        let text = |name: &str| {
            let path = self.process.join(name);
            fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}: a soak needs Linux", path.display()))
        };
        let (status, stat, io) = (text("status")?, text("stat")?, text("io")?);
        let metrics = metrics(&self.address)?;
        let (files, disk_bytes) = files(&self.data)?;
        Ok(Reading {
            memory_bytes: value(&status, "VmRSS:") * 1024.0,
            threads: value(&status, "Threads:"),
            open_files: fs::read_dir(self.process.join("fd"))?.count() as f64,
            files: files as f64,
            disk_bytes: disk_bytes as f64,
            processor_s: processor_s(&stat),
            written_bytes: value(&io, "write_bytes:"),
            removed: REMOVED.map(|(_, metric)| value(&metrics, metric)),
        })
    }
}

/// All numbers of an interval between two readings.
pub(super) fn sample(interval: &Value, before: &Reading, now: &Reading) -> Value {
    let seconds = number(interval, "interval_s").unwrap_or(1.0);
    let minute = number(interval, "at_s").unwrap_or_default() / 60.0;
    let of_bus = [
        ("memory_mib", now.memory_bytes / MIB),
        ("threads", now.threads),
        ("open_files", now.open_files),
        ("files", now.files),
        ("disk_mib", now.disk_bytes / MIB),
        ("cores", (now.processor_s - before.processor_s) / seconds),
        ("written_mib_per_s", (now.written_bytes - before.written_bytes) / MIB / seconds),
    ];
    let of_load = OF_LOAD.iter().filter_map(|(key, path)| Some((*key, number(interval, path)?)));
    let removed = REMOVED.iter().zip(now.removed).map(|((key, _), value)| (*key, value));
    let all = [("minute", minute)].into_iter().chain(of_load).chain(of_bus).chain(removed);
    // Thousandths are exact enough, and many samples are committed.
    let rounded = all.map(|(key, value)| (key.to_owned(), ((value * 1e3).round() / 1e3).into()));
    Value::Object(rounded.collect::<Map<_, _>>())
}

/// The number behind a name at the start of a line; 0 where it is missing, as a counter is that
/// never counted.
pub(super) fn value(text: &str, name: &str) -> f64 {
    let mut rest = text.lines().filter_map(|line| line.strip_prefix(name));
    let word = rest.find_map(|rest| rest.strip_prefix([' ', '\t'])?.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Processor time in `/proc/PID/stat`, of user and system.
pub(super) fn processor_s(stat: &str) -> f64 {
    // Behind the name of the program, which may have spaces, in parentheses.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_S
}

/// How many files are in a folder, and their bytes.
pub(super) fn files(folder: &Path) -> Result<(u64, u64)> {
    let mut found = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            // One that retention removed meanwhile is no file.
            let Ok(metadata) = entry.metadata() else { continue };
            match metadata.is_dir() {
                true => folders.push(entry.path()),
                false => found = (found.0 + 1, found.1 + metadata.len()),
            }
        }
    }
    Ok(found)
}

/// The metrics of an event-bus.
fn metrics(address: &str) -> Result<String> {
    let failed = || format!("cannot read the metrics of the event-bus at {address}");
    let mut stream = TcpStream::connect(address).with_context(failed)?;
    stream.set_read_timeout(Some(METRICS_WAIT_MAX))?;
    stream.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "it is limited")]
    stream.take(METRICS_BYTES_MAX).read_to_end(&mut answer).with_context(failed)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

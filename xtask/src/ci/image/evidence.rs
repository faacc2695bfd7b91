//! The figures of an image: printed by each run, committed under `docs/evidence/image` by hand.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::commit;
use super::container::{CPUS, MEMORY_MIB};
use super::engine::Bytes;
use super::files::Build;
use super::services::{Service, Start};
use crate::repo::output;

/// What was measured, with the build and the machine.
pub(super) struct Figures {
    build: Build,
    commit: String,
    machine: String,
    bytes: Bytes,
    starts: Vec<Start>,
}

/// Of one service, over all starts.
struct Row {
    name: String,
    live: Duration,
    ready: Duration,
    stop: Duration,
    peak_kib: u64,
}

impl Figures {
    pub(super) fn new(root: &Path, build: Build, bytes: Bytes, starts: Vec<Start>) -> Result<Self> {
        Ok(Self { build, commit: commit(root), machine: machine()?, bytes, starts })
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let mut text = format!(
            "Measured by `{}` ({} build) at commit {} on {}.\n\n\
             Image: {} unpacked, {} as a registry keeps it.\n\n\
             Each service in a container with {CPUS} CPU and {MEMORY_MIB} MiB, median of {}. Times \
             run from the begin of the process,\nthe last from `podman stop` to its return. The \
             weather-manager is ready once it has received the clock, which is published \
             every 5 s.\n\n\
             | service | first answer | ready | stopped | peak memory |\n\
             | --- | --- | --- | --- | --- |\n",
            self.build.command(),
            self.build.name(),
            self.commit,
            self.machine,
            mib(self.bytes.unpacked),
            mib(self.bytes.packed),
            self.starts.len(),
        );
        for row in self.rows() {
            let [live, ready, stop] = [row.live, row.ready, row.stop].map(|t| t.as_millis());
            let (name, peak) = (row.name, mib(row.peak_kib << 10));
            text += &format!("| {name} | {live} ms | {ready} ms | {stop} ms | {peak} |\n");
        }
        text
    }

    /// Writes the table and the same for machines.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let folder = root.join("docs/evidence/image");
        fs::create_dir_all(&folder)?;
        let page =
            format!("# The image\n\n{}\n`figures.json` has the same for machines.\n", self.table());
        fs::write(folder.join("README.md"), page)?;
        let figures = serde_json::to_string_pretty(&self.json())? + "\n";
        fs::write(folder.join("figures.json"), figures).context("cannot write figures.json")
    }

    fn json(&self) -> Value {
        let services = self.rows().into_iter().map(|row| {
            json!({
                "service": row.name,
                "live_ms": row.live.as_millis() as u64,
                "ready_ms": row.ready.as_millis() as u64,
                "stop_ms": row.stop.as_millis() as u64,
                "peak_kib": row.peak_kib,
            })
        });
        json!({
            "command": self.build.command(), "build": self.build.name(),
            "commit": self.commit, "machine": self.machine,
            "cpus": CPUS, "memory_mib": MEMORY_MIB, "runs": self.starts.len(),
            "image_bytes": self.bytes.unpacked, "image_gzip_bytes": self.bytes.packed,
            "services": services.collect::<Vec<_>>(),
        })
    }

    fn rows(&self) -> Vec<Row> {
        let count = self.starts.first().map_or(0, |start| start.services.len());
        (0..count).map(|at| self.row(at)).collect()
    }

    fn row(&self, at: usize) -> Row {
        let all: Vec<&Service> = self.starts.iter().map(|start| &start.services[at]).collect();
        Row {
            name: all[0].name.clone(),
            live: median(all.iter().map(|service| service.live).collect()),
            ready: median(all.iter().map(|service| service.ready).collect()),
            stop: median(all.iter().map(|service| service.stop).collect()),
            peak_kib: median(all.iter().map(|service| service.peak_kib).collect()),
        }
    }
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn machine() -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':')).map_or("unknown", |(_, name)| name);
    let cores = available_parallelism().context("the machine gives no number of cores")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = output(Command::new("rustc").arg("-V"))?;
    let engine = output(Command::new("podman").arg("--version"))?;
    let [model, kernel, rustc, engine] = [model, &kernel, &rustc, &engine].map(str::trim);
    Ok(format!("{model}, {cores} cores, Linux {kernel}, {rustc}, {engine}"))
}

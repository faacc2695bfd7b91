//! Runs one measurement after the other, each in processes of its own, and shows how far it is.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::numbers::number;
use super::peers::Peers;
use crate::repo::{Repo, output};

/// How long an event-bus may take to start.
const READY_MAX: Duration = Duration::from_secs(60);
/// What a run takes besides its load: servers start, connections open, what was made is deleted.
const OVERHEAD_S: f64 = 2.0;

/// All programs that are measured or measure.
pub(super) struct Programs {
    worldbus: PathBuf,
    bench: PathBuf,
    peers: Peers,
    /// Where logs go: on the disk of the working tree.
    pub(super) data: PathBuf,
}

impl Programs {
    /// Those that were built in a folder, and the peers, which are installed first.
    pub(super) fn find(repo: &Repo, built: &Path) -> Result<Self> {
        let (worldbus, bench) = (program(built, "worldbus")?, program(built, "worldbus-bench")?);
        let data = data_folder(repo)?;
        Ok(Self { worldbus, bench, peers: Peers::install(repo)?, data })
    }

    /// What everything calls itself.
    pub(super) fn versions(&self) -> Result<Value> {
        let first = |command: &mut Command| {
            let text = output(command.arg("--version"))?;
            Ok::<_, anyhow::Error>(text.lines().next().unwrap_or_default().to_owned())
        };
        Ok(json!({
            "worldbus": first(&mut Command::new(&self.worldbus))?,
            "redis": first(&mut self.with_libraries(&self.peers.redis))?,
            "nats": first(&mut Command::new(&self.peers.nats))?,
            "python": first(&mut Command::new(&self.peers.python))?,
            "packages": include_str!("../../../crates/bench/src/peers/requirements.txt")
                .lines().filter(|line| line.contains("==")).collect::<Vec<_>>(),
        }))
    }

    fn with_libraries(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if !self.peers.libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", &self.peers.libraries);
        }
        command
    }
}

/// A program that was built in a folder.
pub(super) fn program(built: &Path, name: &str) -> Result<PathBuf> {
    let program = std::path::absolute(built)?.join(name);
    if !program.exists() {
        bail!("{} does not exist: build it first", program.display());
    }
    Ok(program)
}

/// An empty folder for logs, on the disk of the working tree.
pub(super) fn data_folder(repo: &Repo) -> Result<PathBuf> {
    let data = repo.target_dir.join("bench-data");
    if data.exists() {
        fs::remove_dir_all(&data).context("cannot remove what an earlier run left")?;
    }
    fs::create_dir_all(&data)?;
    Ok(data)
}

/// What a load runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Embedded,
    Remote,
    /// By the names of `worldbus-bench peer`: which, and when it syncs.
    Peer(&'static str, &'static str),
}

/// Runs measurements.
pub(super) struct Runner {
    pub(super) programs: Programs,
    begun: Instant,
    /// Seconds that are planned in all, and that are done.
    planned_s: f64,
    done_s: f64,
}

impl Runner {
    /// With so many seconds ahead.
    pub(super) fn new(programs: Programs, planned_s: f64) -> Self {
        Self { programs, begun: Instant::now(), planned_s, done_s: 0.0 }
    }

    /// Seconds that a run of this load is planned to take.
    pub(super) fn planned(seconds: f64) -> f64 {
        seconds + OVERHEAD_S
    }

    /// Runs a load on an engine of its own. What it finds has the form of `worldbus bench`; an
    /// `error` if it fails.
    pub(super) fn load(
        &mut self,
        name: &str,
        engine: Engine,
        load: &[String],
        seconds: f64,
    ) -> Value {
        let found = self.found(engine, load);
        let found = found.unwrap_or_else(|error| failed(&format!("{name}, {engine:?}"), &error));
        self.note(name, engine, &found, seconds);
        found
    }

    fn found(&self, engine: Engine, load: &[String]) -> Result<Value> {
        match engine {
            Engine::Embedded => {
                let log = self.programs.data.join("embedded");
                if log.exists() {
                    fs::remove_dir_all(&log).context("cannot remove what a run left")?;
                }
                // Relative: where this tree lies on the machine is not to be in the figures.
                self.bench("embedded:embedded", load)
            }
            Engine::Remote => {
                let bus = EventBus::start(&self.programs, "event-bus")?;
                let found = self.bench(&bus.url, load);
                bus.remove()?;
                found
            }
            Engine::Peer(peer, sync) => {
                let mut command = self.programs.with_libraries(&self.programs.bench);
                let server = match peer {
                    "redis" => &self.programs.peers.redis,
                    _ => &self.programs.peers.nats,
                };
                command.args(["peer", peer, "--sync", sync, "--server"]).arg(server).args(load);
                command.current_dir(&self.programs.data);
                parsed(&mut command)
            }
        }
    }

    /// The load of `worldbus bench` at a URL.
    pub(super) fn bench(&self, url: &str, load: &[String]) -> Result<Value> {
        let mut command = Command::new(&self.programs.worldbus);
        command.current_dir(&self.programs.data);
        parsed(command.args(["bench", "--format", "json", "--url", url]).args(load))
    }

    /// A subcommand of `worldbus-bench` that prints rows; an `error` if it fails.
    pub(super) fn rows(&mut self, name: &str, seconds: f64) -> Value {
        let mut command = Command::new(&self.programs.bench);
        command.current_dir(&self.programs.data);
        match name {
            "codec" => command.args(["codec", "--python"]).arg(&self.programs.peers.python),
            "aws" => command.args(["aws", "--python"]).arg(&self.programs.peers.aws_python),
            name => command.arg("--worldbus").arg(&self.programs.worldbus).arg(name),
        };
        let found = parsed(&mut command).unwrap_or_else(|error| failed(name, &error));
        self.done(seconds);
        println!("{name} ({})", self.left());
        found
    }

    fn note(&mut self, name: &str, engine: Engine, found: &Value, seconds: f64) {
        self.done(Self::planned(seconds));
        if let Some(error) = found["error"].as_str() {
            println!("FAILED: {error} ({})", self.left());
            return;
        }
        let rate = number(found, "handled.events_per_s").unwrap_or_default();
        let p99 = number(found, "published.p99_ms").unwrap_or_default();
        println!("{name}, {engine:?}: {rate:.0} events/s, ack p99 {p99:.2} ms ({})", self.left());
    }

    /// Notes that so many planned seconds are done.
    pub(super) fn done(&mut self, seconds: f64) {
        self.done_s += seconds;
    }

    /// For people: how long it takes yet, by what it took so far.
    pub(super) fn left(&self) -> String {
        let took = self.begun.elapsed().as_secs_f64();
        let left = took / self.done_s.max(1.0) * (self.planned_s - self.done_s).max(0.0);
        format!("{:.0} min {:.0} s left", (left / 60.0).floor(), left % 60.0)
    }
}

/// What is noted of a run that failed: what others found in half an hour is not to be lost by it.
pub(super) fn failed(name: &str, error: &anyhow::Error) -> Value {
    json!({ "error": format!("{name}: {error:#}") })
}

/// What a command that must succeed prints as JSON.
fn parsed(command: &mut Command) -> Result<Value> {
    let text = output(command.stderr(Stdio::inherit()))?;
    serde_json::from_str(&text).with_context(|| format!("{command:?} printed no JSON: {text:?}"))
}

/// An event-bus on a port of its own; killed when dropped.
pub(super) struct EventBus {
    child: Child,
    pub(super) url: String,
    pub(super) data: PathBuf,
}

impl EventBus {
    /// Starts it on a folder under the data, and waits until it answers.
    pub(super) fn start(programs: &Programs, folder: &str) -> Result<Self> {
        // A large log is to stay.
        Self::start_at(&programs.worldbus, programs.data.join(folder), 1 << 40)
    }

    /// Starts it on a folder, with so many bytes that each topic keeps, and waits until it answers.
    pub(super) fn start_at(worldbus: &Path, data: PathBuf, retention_bytes: u64) -> Result<Self> {
        let mut command = Command::new(worldbus);
        command.args(["event-bus", "--listen", "127.0.0.1:0", "--log", "error", "--data-dir"]);
        command.arg(&data).args(["--retention-bytes", &retention_bytes.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let url = url.with_context(|| format!("{command:?} did not start: {line:?}"))?;
        let bus = Self { child, url, data };
        let begun = Instant::now();
        let mut ask = Command::new(worldbus);
        ask.args(["topics", "list", "--url", &bus.url]);
        while output(&mut ask).is_err() {
            if begun.elapsed() > READY_MAX {
                bail!("the event-bus at {} does not answer", bus.url);
            }
            sleep(Duration::from_millis(10));
        }
        Ok(bus)
    }

    /// Of its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash does, and leaves its log.
    pub(super) fn kill(mut self) {
        self.end();
    }

    /// Ends it and removes its log.
    pub(super) fn remove(mut self) -> Result<()> {
        self.end();
        fs::remove_dir_all(&self.data).context("cannot remove a log of a run")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for EventBus {
    fn drop(&mut self) {
        self.end();
    }
}

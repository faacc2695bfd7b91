//! `cargo xtask bench --soak MINUTES`: a steady load on one event-bus for a long time, with
//! retention at work, to show that memory, files, bytes on disk and latency stay flat.
//!
//! Here is the run. What is measured each interval is in `sample`, what is made of it in `page`.
//! Not a test: it fails only where it cannot measure, and its page has the verdict. Ctrl-C ends all
//! processes; what was measured up to the last sample stays in `target/bench`.

mod page;
mod sample;

use std::fs;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::FOLDER;
use super::machine::{self, Probe};
use super::numbers::{count, number};
use super::options::Options;
use super::runner::{EventBus, data_folder, program};
use crate::repo::{Repo, output};
use sample::Sampler;

/// Events a second of a run for the page.
const RATE: f64 = 200_000.0;
/// A run for the page is no shorter: a quarter of it has to be longer than the retention.
const MINUTES_MIN: f64 = 10.0;
const TOPICS: u64 = 4;
const SUBSCRIBERS: u64 = 2;
/// Events in flight: far more than a steady load needs, so that a stall is caught up.
const WINDOW: u64 = 4000;
const EVERY_S: f64 = 5.0;
/// Seconds of the load that retention keeps: few, so that it works from the start on.
const KEPT_S: f64 = 20.0;
/// What an event takes in a batch, about.
const EVENT_BYTES: f64 = 16.0;
/// The least that a log takes as its retention.
const RETENTION_BYTES_MIN: u64 = 4 << 20;

const FIGURES: &str = "soak.json";

/// Runs it, and writes page, plots and figures: to `docs` if it is long and fast enough, otherwise
/// to `target/bench`. There is also what was measured so far, for one that is broken off.
pub(super) fn command(options: &Options, minutes: f64, repo: &Repo) -> Result<()> {
    if options.render {
        let text = fs::read_to_string(repo.root.join(FOLDER).join(FIGURES))?;
        return write(&repo.root, &serde_json::from_str(&text)?);
    }
    let built = match &options.built {
        Some(folder) => folder.clone(),
        None => super::build(repo, &["worldbus-cli"])?,
    };
    let worldbus = program(&built, "worldbus")?;
    let data = data_folder(repo)?;
    let before = super::probed(options, &data)?;
    let mut figures = planned(options, minutes);
    figures["machine"] = machine::describe(&repo.root)?;
    figures["worldbus"] = output(Command::new(&worldbus).arg("--version"))?.trim().into();
    figures["before"] = before.json();
    let so_far = repo.target_dir.join("bench");
    let bus = EventBus::start_at(&worldbus, data.join("soak"), retention_bytes(options))?;
    let ended = load(&worldbus, &bus, &mut figures, &so_far);
    let removed = bus.remove();
    ended.with_context(|| format!("what was measured so far is in {}", so_far.display()))?;
    removed?;
    let after = Probe::take(&data)?;
    println!("after: {after}");
    figures["after"] = after.json();
    let root = if is_partial(&figures) { &so_far } else { &repo.root };
    write(root, &figures)?;
    print!("{}", page::text(&figures));
    println!("written: {}", root.join(FOLDER).join(page::FILE).display());
    if root == &repo.root {
        println!("{}", links());
    }
    Ok(())
}

/// The load that is to run, as its figures have it.
fn planned(options: &Options, minutes: f64) -> Value {
    json!({
        "command": options.text,
        "seeds": "none: events are numbered, and only producer ids are random",
        "minutes": minutes,
        "rate": rate(options),
        "topics": TOPICS,
        "subscribers": SUBSCRIBERS,
        "window": WINDOW,
        "every_s": EVERY_S,
        "retention_bytes": retention_bytes(options),
        "samples": [],
    })
}

fn rate(options: &Options) -> f64 {
    options.rate.unwrap_or(RATE)
}

/// Whether a run is no evidence.
fn is_partial(figures: &Value) -> bool {
    let of = |key: &str| number(figures, key).unwrap_or_default();
    let interrupted = figures["result"]["interrupted"] == true;
    of("rate") < RATE || of("minutes") < MINUTES_MIN || interrupted
}

/// What retention is to keep of each topic.
fn retention_bytes(options: &Options) -> u64 {
    let bytes = rate(options) * EVENT_BYTES * KEPT_S / TOPICS as f64;
    (bytes as u64).max(RETENTION_BYTES_MIN)
}

/// The load; killed when dropped.
struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the load to its end, with a sample whenever an interval of it is over, and notes its
/// result. All samples so far are in `so_far` at any time.
fn load(worldbus: &Path, bus: &EventBus, figures: &mut Value, so_far: &Path) -> Result<()> {
    let mut command = Command::new(worldbus);
    command.args(["bench", "--format", "json", "--url", &bus.url]);
    let seconds = figures["minutes"].as_f64().unwrap_or_default() * 60.0;
    for (option, value) in [
        ("--rate", figures["rate"].to_string()),
        ("--seconds", seconds.to_string()),
        ("--every", EVERY_S.to_string()),
        ("--topics", TOPICS.to_string()),
        ("--subscribers", SUBSCRIBERS.to_string()),
        ("--window", WINDOW.to_string()),
    ] {
        command.args([option, &value]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut load = Load(child);
    let mut sampler = Sampler::start(bus)?;
    let out = load.0.stdout.take().context("the load has no standard output")?;
    for line in BufReader::new(out).lines() {
        let line: Value = serde_json::from_str(&line?).context("the load printed no JSON")?;
        if line.get("interval_s").is_none() {
            figures["result"] = line;
        } else {
            let sample = sampler.take(&line)?;
            progress(&sample, seconds / 60.0);
            figures["samples"].as_array_mut().context("no samples")?.push(sample);
        }
        write(so_far, figures)?;
    }
    let status = load.0.wait()?;
    println!();
    // One that is not all handled fails as well, and has a result.
    if figures["result"].is_null() {
        bail!("the load ended early ({status}): see what it printed above");
    }
    Ok(())
}

/// Shows how far it is, in one line of a terminal.
fn progress(sample: &Value, minutes: f64) {
    let of = |key: &str| number(sample, key).unwrap_or_default();
    let line = format!(
        "{:.1} of {minutes} min: {} events/s, handler p99 {:.2} ms, {:.0} MiB of memory, \
         {:.0} MiB in {} files",
        of("minute"),
        count(of("handled_per_s")),
        of("handler_p99_ms"),
        of("memory_mib"),
        of("disk_mib"),
        of("files"),
    );
    match io::stdout().is_terminal() {
        true => print!("\r{line}\x1b[K"),
        false => println!("{line}"),
    }
    let _ = io::stdout().flush();
}

/// Writes figures, plots and page to `docs` in a folder.
fn write(root: &Path, figures: &Value) -> Result<()> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut files = vec![(FIGURES.to_owned(), format!("{figures:#}\n"))];
    files.extend(page::plots(figures));
    files.push((page::FILE.to_owned(), page::text(figures)));
    for (name, text) in files {
        // Whole or as it was: Ctrl-C may come at any time.
        let new = folder.join(format!("{name}.new"));
        fs::write(&new, text).with_context(|| new.display().to_string())?;
        fs::rename(&new, folder.join(name))?;
    }
    Ok(())
}

/// What has to name the page.
fn links() -> String {
    let file = page::FILE;
    let folder = FOLDER.trim_start_matches("docs/evidence/");
    format!(
        "with the first that is committed, add to SUMMARY.md and evidence/README.md:\n\
         \x20 - [The same for a long time](evidence/{folder}/{file})\n\
         | [Soak]({folder}/{file}) | memory, files, disk and latency over a long run |"
    )
}

#[cfg(test)]
mod tests;

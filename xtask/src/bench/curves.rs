//! The curves: how throughput and latency follow the window, payload size, topics, subscribers and
//! the size of the log. What they are drawn as is in `curves_page`.

use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use super::options::Options;
use super::runner::{Engine, EventBus, Runner, failed};

/// A load that is run with one option after the other.
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// What is along the axis.
    pub(super) axis: &'static str,
    option: &'static str,
    points: &'static [u64],
    quick: &'static [u64],
    pub(super) why: &'static str,
}

/// The curve that is to rise; the others are to fall late.
pub(super) const RISES: &str = "window";

pub(super) const CURVES: [Curve; 4] = [
    Curve {
        name: RISES,
        axis: "events in flight",
        option: "--window",
        points: &[1, 10, 100, 1000, 4000, 16_000],
        quick: &[1, 100, 1000],
        why: "A commit (one write, one sync) takes about the same for one event as for thousands, \
              and all events that wait at the time share it. So events a second grow with the \
              window while the disk is waited for, and bend where a core is busy instead. Beyond \
              the knee every event that is added only waits: p50 is about the window divided by \
              events a second, or less where handlers get events before all of a commit are \
              answered.",
    },
    Curve {
        name: "payload",
        axis: "bytes of a payload",
        option: "--payload-bytes",
        points: &[16, 64, 256, 1024, 4096, 16_384, 65_536],
        quick: &[16, 1024],
        why: "What an event takes (call, identity, handler) does not depend on its size, and while \
              that is most of it bytes are free. Beyond the knee it is bytes a second that stay \
              the same: copies, checksums and the disk.",
    },
    Curve {
        name: "topics",
        axis: "topics",
        option: "--topics",
        points: &[1, 10, 100, 250, 1000],
        quick: &[1, 10],
        why: "A batch holds events of one topic. The window of 1,000 is shared out, so with 100 \
              topics a batch has ten events, and what a batch takes (a call, an entry in the \
              commit, a delivery, an ack) is shared by ten and not by a thousand. The sync is \
              still one for all topics. A consumer that falls behind what is in memory goes on \
              from the disk, and looks up where each batch is: with 1,000 topics a batch is an \
              event, and it may not catch up with what comes.",
    },
    Curve {
        name: "subscribers",
        axis: "subscriptions",
        option: "--subscribers",
        points: &[1, 8, 32],
        quick: &[1, 4],
        why: "Every subscription gets every event, so each adds the work of one consumer: \
              deliveries a second grow until all cores are busy, and events a second then fall by \
              the number of subscriptions. Publishers wait for the disk, not for subscribers.",
    },
];

/// The log's curve is another: one log that grows.
pub(super) const LOG: &str = "log size";
pub(super) const LOG_AXIS: &str = "MiB in the log";
pub(super) const LOG_WHY: &str = "\
What is published goes behind the end, and what is consumed comes from memory: neither looks at \
what is old. A start after kill -9 reads the index and what is behind it, which is bounded, and \
not the log. A knee would mean that something reads all of it, or that the index no longer fits in \
memory.";

/// Bytes of an event that fills the log, and of a batch about a thousand times that.
const FILL_PAYLOAD_BYTES: u64 = 1000;
/// MiB that one fill adds at the most: batches are made in memory first.
const FILL_MIB_MAX: u64 = 512;
/// What fills a MiB a second at the least.
const FILL_MIB_PER_S: f64 = 50.0;

fn engines() -> [(&'static str, Engine); 2] {
    [("one process", Engine::Embedded), ("two processes", Engine::Remote)]
}

/// Of a point: half of a row's, as there are many.
fn seconds(options: &Options) -> f64 {
    options.seconds() / 2.0
}

fn points(curve: &Curve, options: &Options) -> &'static [u64] {
    if options.quick { curve.quick } else { curve.points }
}

/// MiB at which a log is measured.
fn log_sizes(options: &Options) -> Vec<u64> {
    if options.quick {
        return vec![0, 64];
    }
    let larger =
        (1..).map(|power| 1024 << (power - 1)).take_while(|mib| *mib <= options.log_gib << 10);
    let mut sizes: Vec<u64> = [0, 64, 256].into_iter().chain(larger).collect();
    // The end that was asked for, be it no power of two.
    if sizes.last() != Some(&(options.log_gib << 10)) && options.log_gib > 0 {
        sizes.push(options.log_gib << 10);
    }
    sizes
}

fn named(name: &str) -> String {
    format!("curve {name}")
}

/// Seconds that all of them are planned to take.
pub(super) fn planned_s(options: &Options) -> f64 {
    let wanted = CURVES.iter().filter(|curve| options.wants(&named(curve.name)));
    let points: usize = wanted.map(|curve| points(curve, options).len()).sum();
    let curves = (points * engines().len()) as f64 * Runner::planned(seconds(options));
    if !options.wants(&named(LOG)) {
        return curves;
    }
    let sizes = log_sizes(options);
    let mib = sizes.last().copied().unwrap_or_default() as f64;
    curves + sizes.len() as f64 * Runner::planned(seconds(options)) + mib / FILL_MIB_PER_S
}

/// Runs all points of all curves.
pub(super) fn measure(runner: &mut Runner, options: &Options) -> Value {
    let mut found = Vec::new();
    for curve in CURVES.iter().filter(|curve| options.wants(&named(curve.name))) {
        let mut series = engines().map(|(name, _)| json!({ "name": name, "points": [] }));
        for &x in points(curve, options) {
            for (series, (_, engine)) in series.iter_mut().zip(engines()) {
                let mut load = vec![curve.option.to_owned(), x.to_string()];
                load.extend(["--seconds".to_owned(), seconds(options).to_string()]);
                let name = format!("{} {x}", named(curve.name));
                let run = runner.load(&name, engine, &load, seconds(options));
                push(series, json!({ "x": x, "run": run }));
            }
        }
        found.push(json!({ "name": curve.name, "series": series }));
    }
    if options.wants(&named(LOG)) {
        let mut series = json!({ "name": "two processes", "points": [] });
        if let Err(error) = measure_log(runner, options, &mut series) {
            println!("FAILED: {}: {error:#}", named(LOG));
            push(&mut series, failed(&named(LOG), &error));
        }
        found.push(json!({ "name": LOG, "series": [series] }));
    }
    found.into()
}

fn push(series: &mut Value, point: Value) {
    if let Some(points) = series["points"].as_array_mut() {
        points.push(point);
    }
}

/// One log that grows: at each size the stream of the first row, and a start after a kill.
fn measure_log(runner: &mut Runner, options: &Options, series: &mut Value) -> Result<()> {
    let mut bus = EventBus::start(&runner.programs, "growing")?;
    let mut mib = 0;
    for size in log_sizes(options) {
        while mib < size {
            let more = (size - mib).min(FILL_MIB_MAX);
            let events = (more << 20) / FILL_PAYLOAD_BYTES;
            let load = format!(
                "--keep --subscribers 0 --topics 4 --window 8 --batch-events 1000 \
                 --payload-bytes {FILL_PAYLOAD_BYTES} --events {events}"
            );
            runner.bench(&bus.url, &words(&load))?;
            mib += more;
            runner.done(more as f64 / FILL_MIB_PER_S);
            println!("the log has {mib} MiB ({})", runner.left());
        }
        let load = words(&format!("--seconds {}", seconds(options)));
        let mut run = runner.bench(&bus.url, &load)?;
        bus.kill();
        let begun = Instant::now();
        bus = EventBus::start(&runner.programs, "growing")?;
        run["restart_ms"] = json!(begun.elapsed().as_secs_f64() * 1000.0);
        runner.done(Runner::planned(seconds(options)));
        println!("{} {size} MiB ({})", named(LOG), runner.left());
        push(series, json!({ "x": size, "run": run }));
    }
    bus.remove()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

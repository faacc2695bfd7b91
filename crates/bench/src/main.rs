//! Measures what Worldbus promises: codec, publish to handler, latency, memory, start-up.
//!
//! Prints a table and writes it with commit and machine to `docs/evidence/`. Never a gate:
//! this machine is noisy, so only ratios within one run mean much.
//! Run it on a machine that does nothing else:
//! `cargo build --profile dist --workspace && target/dist/worldbus-bench`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads clocks and files")]

mod attacks;
mod aws;
mod broker;
mod codec;
mod disk;
mod idle;
mod latency;
mod peers;
mod report;
mod stream;
mod worlds;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Parser, Subcommand};

use report::{Page, Row};

const FIRST_FIGURES: Page = Page {
    title: "First figures",
    command: "cargo build --profile dist --workspace && target/dist/worldbus-bench",
    conditions: "Dist build; broker, publisher and consumer share the machine. Compare only \
                 within this page: even quiet\nrepeats differ by up to two.",
};

const WORLD: Page = Page {
    title: "The world on one core",
    command: "cargo build --profile dist -p worldbus-bench && target/dist/worldbus-bench --world",
    conditions: "Dist build for any x86-64; one thread. A region-hour is the published \
                 conditions of a whole game hour:\nstate, intensity and all quantised numbers.",
};

const REGIONS: Page = Page {
    title: "Ten thousand regions at 3,600 times",
    command: "cargo build --profile dist --workspace && target/dist/worldbus-bench --regions",
    conditions: "`worldbus up` (clock, weather, bus with its log) bound to one core; a game hour \
                 passes each second. The runs of a row\nare stretches of twenty seconds, one after \
                 the other: a service that does not keep up has lags that grow.\nA lag is from the \
                 instant at which an event is due to the moment at which it is durable.",
};

const ATTACKS: Page = Page {
    title: "What one caller can take",
    command: "cargo build --profile dist --workspace && ulimit -n 20000 && \
              target/dist/worldbus-bench --attacks",
    conditions: "`worldbus event-bus`, dist build, a fresh process and log for each attack; \
                 attacker and bus share the machine.\nMemory is the peak of what is resident \
                 less what it was before. `/livez` is asked each 50 ms on a new connection;\none \
                 that fails counts as 10 s.",
};

const AWS: Page = Page {
    title: "Over SNS and SQS",
    command: "pip install -r emulators/requirements.txt && \
              cargo build --profile dist --workspace && \
              target/dist/worldbus-bench --aws python3",
    conditions: "One subscription, us-east-1 as an emulator plays it; emulator, counting proxy, \
                 publisher and consumer\nshare the machine. Batches at 80,000 events a second \
                 with a linger of 50 ms, and at the\n2.4 of one world's clock, where each event \
                 is a request unless it lingers; boto3 as fast as it goes.\nRequests and units are \
                 those of publishing, receiving and deleting. Events a second are\nthe \
                 emulator's more than ours.",
};

/// Measures Worldbus and writes the figures down.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The dist build of the worldbus binary, which is run as the other process.
    #[arg(long, default_value = "target/dist/worldbus")]
    worldbus: PathBuf,
    /// Where the figures go, as figures.json and README.md.
    #[arg(long, default_value = "docs/evidence/first-figures")]
    out: PathBuf,
    /// Events of each throughput run.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Runs of each throughput and latency figure; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Only rows whose name holds this text.
    #[arg(long)]
    only: Option<String>,
    /// Computes weather and clock instead, and writes docs/evidence/world.
    #[arg(long)]
    world: bool,
    /// Runs a world of ten thousand regions on one core instead, and writes docs/evidence/regions.
    #[arg(long)]
    regions: bool,
    /// Attacks an event-bus by sockets and calls instead, and writes docs/evidence/attacks.
    #[arg(long)]
    attacks: bool,
    /// Counts requests over emulated SNS and SQS instead, by the emulator and the boto3 that this
    /// python3 has (emulators/requirements.txt), and writes docs/evidence/sns-sqs.
    #[arg(long, value_name = "PYTHON")]
    aws: Option<PathBuf>,
    /// The load of a run of --aws; that runs itself with it.
    #[arg(long, hide = true)]
    aws_load: Option<String>,
    /// Events a second of that load.
    #[arg(long, hide = true, default_value_t = 80_000.0)]
    aws_pace: f64,
    /// Its linger.
    #[arg(long, hide = true, default_value_t = 50)]
    aws_linger_ms: u32,
}

/// Single measurements, which `cargo xtask bench` puts side by side; each prints JSON.
#[derive(Debug, Subcommand)]
enum Command {
    /// The load of `worldbus bench` on a peer.
    Peer(peers::PeerArguments),
    /// Our codec and others, Python's by this interpreter.
    Codec {
        /// With orjson and protobuf, if they are to be measured.
        #[arg(long, default_value = "python3")]
        python: PathBuf,
    },
    /// Memory and start of the program.
    Idle,
    /// Requests and events a second over emulated SNS and SQS, next to boto3.
    Aws {
        /// With what emulators/requirements.txt lists.
        #[arg(long, default_value = "python3")]
        python: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(command) = arguments.command {
        return match command {
            Command::Peer(arguments) => runtime.block_on(peers::run(arguments)),
            Command::Codec { python } => report::print_json(&codec::rows(&python)),
            Command::Idle => report::print_json(&idle::rows(&arguments.worldbus, arguments.runs)?),
            Command::Aws { python } => report::print_json(&runtime.block_on(aws::rows(&python))?),
        };
    }
    if let Some(encoding) = &arguments.aws_load {
        let Arguments { events, aws_pace: pace, aws_linger_ms: linger_ms, .. } = arguments;
        return runtime.block_on(aws::load(aws::Load { encoding, events, pace, linger_ms }));
    }
    if arguments.world {
        let rows = worlds::world::rows();
        report::print(&rows);
        return report::write(&WORLD, Path::new("docs/evidence/world"), &rows);
    }
    if arguments.regions {
        let rows = worlds::regions::rows(&arguments.worldbus)?;
        report::print(&rows);
        return report::write(&REGIONS, Path::new("docs/evidence/regions"), &rows);
    }
    if arguments.attacks {
        let rows = attacks::rows(&arguments.worldbus, wanted, &runtime)?;
        report::print(&rows);
        if arguments.only.is_some() {
            return Ok(());
        }
        return report::write(&ATTACKS, Path::new("docs/evidence/attacks"), &rows);
    }
    if let Some(python) = &arguments.aws {
        let rows = runtime.block_on(aws::rows(python))?;
        report::print(&rows);
        return report::write(&AWS, Path::new("docs/evidence/sns-sqs"), &rows);
    }
    let mut rows: Vec<Row> = Vec::new();
    if wanted("codec") {
        rows.extend(codec::rows(Path::new("python3")));
    }
    if wanted("embedded") {
        rows.push(runtime.block_on(stream::embedded(arguments.events, arguments.runs))?);
    }
    if wanted("remote") {
        let measured = stream::remote(&arguments.worldbus, arguments.events, arguments.runs);
        rows.push(runtime.block_on(measured)?);
    }
    if wanted("latency") {
        rows.extend(runtime.block_on(latency::rows(&arguments.worldbus, arguments.runs))?);
    }
    if wanted("idle") {
        rows.extend(idle::rows(&arguments.worldbus, arguments.runs)?);
    }
    report::print(&rows);
    if arguments.only.is_none() {
        report::write(&FIRST_FIGURES, &arguments.out, &rows)?;
    }
    Ok(())
}

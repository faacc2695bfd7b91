//! Measures what Worldbus promises: codec, publish to handler, latency, memory, start-up.
//!
//! Prints a table and writes it with commit and machine to `docs/evidence/`. Never a gate:
//! this machine is noisy, so only ratios within one run mean much.
//! Run it on a machine that does nothing else:
//! `cargo build --release --workspace && target/release/worldbus-bench`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads clocks and files")]

mod broker;
mod codec;
mod disk;
mod idle;
mod latency;
mod report;
mod stream;

use anyhow::Result;
use clap::Parser;
use report::Row;
use std::path::PathBuf;

/// Measures Worldbus and writes the figures down.
#[derive(Debug, Parser)]
struct Arguments {
    /// The release build of the worldbus binary, which is run as the other process.
    #[arg(long, default_value = "target/release/worldbus")]
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
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rows: Vec<Row> = Vec::new();
    if wanted("codec") {
        rows.extend(codec::rows());
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
        report::write(&arguments.out, &rows)?;
    }
    Ok(())
}

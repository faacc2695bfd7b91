//! `worldbus log`: looks at an embedded log, or a spool, that no process has open, and makes one
//! start again that is damaged, with all that is before the damage.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::output;
use crate::output::failure::FAILED;
use crate::output::format::Format;
use worldbus_transport_embedded::{Check, check, repair};

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Read a log that no process has open, and name what is wrong; exit code 1 if anything is
    #[command(after_help = CHECK)]
    Check(LogArguments),
    /// Give up what cannot be read, and all behind it, so that the log starts
    #[command(after_help = REPAIR)]
    Repair(RepairArguments),
}

/// Which log.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// The directory of the log: `bus` in the data directory, or that of a spool
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Which log to repair.
#[derive(Debug, Args)]
pub(crate) struct RepairArguments {
    #[command(flatten)]
    log: LogArguments,
    /// Do it; without this flag it is only shown what would be lost
    #[arg(long)]
    yes: bool,
}

const CHECK: &str = "\
Examples:
  worldbus log check worldbus-data/bus
  worldbus log check worldbus-data/bus --format json

It changes nothing. A group that was not written whole, as after a power loss, is no damage: it was
never acknowledged, and the next start takes it away.";

const REPAIR: &str = "\
Examples:
  worldbus log repair worldbus-data/bus                     what would be lost
  worldbus log repair worldbus-data/bus --yes

Prefer a copy of the directory from before the damage, if there is one. What a repair puts away
stays next to the log in files lost-….";

/// Runs the command: success if nothing is wrong, or it was repaired.
pub(crate) fn run(command: &LogCommand) -> Result<ExitCode> {
    let (log, found, is_repaired) = match command {
        LogCommand::Check(log) => (log, check(&log.dir)?, false),
        LogCommand::Repair(RepairArguments { log, yes: true }) => (log, repair(&log.dir)?, true),
        LogCommand::Repair(RepairArguments { log, yes: false }) => (log, check(&log.dir)?, false),
    };
    let document = json!({
        "segments": found.segments,
        "commits": found.commits,
        "batches": found.batches,
        "torn_bytes": found.torn_bytes,
        "damage": found.damage,
        "commits_behind": found.commits_behind,
        "batches_behind": found.batches_behind,
        "index": found.index,
        "repaired": is_repaired,
    });
    output::page(&log.format.page(&document, || text(&found, is_repaired)))?;
    let is_whole = found.damage.is_none() && found.index.is_none();
    Ok(if is_whole || is_repaired { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn text(found: &Check, is_repaired: bool) -> String {
    let Check { segments, commits, batches, torn_bytes, commits_behind, batches_behind, .. } =
        found;
    let mut text = format!("{commits} commits with {batches} batches in {segments} segments\n");
    if *torn_bytes > 0 {
        let _ =
            writeln!(text, "behind them {torn_bytes} bytes of a group that was not acknowledged");
    }
    if let Some(what) = &found.damage {
        let lost = if is_repaired { "lost" } else { "a repair gives up" };
        let behind = format!("{commits_behind} commits with {batches_behind} batches behind it");
        let _ = writeln!(text, "damaged: {what}\n{lost}: that record, and {behind}");
    }
    if let Some(what) = &found.index {
        let put = if is_repaired { "was put away" } else { "a repair puts it away" };
        let _ = writeln!(text, "log.db does not fit: {what}; {put}, and the next start makes it");
    }
    if found.damage.is_none() && found.index.is_none() {
        text.push_str("nothing is wrong\n");
    }
    text
}

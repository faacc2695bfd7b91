//! `worldbus man`: a man page for each verb.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Command};

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ManArguments {
    /// The folder to write the pages to; it is made if it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

const HELP: &str = "\
Examples:
  worldbus man /usr/local/share/man/man1
  worldbus man ./man && man ./man/worldbus-tail.1";

/// Writes the pages.
pub(crate) fn run(arguments: &ManArguments, command: Command) -> Result<ExitCode> {
    let dir = &arguments.dir;
    let cannot = || format!("cannot write to {}", dir.display());
    std::fs::create_dir_all(dir).with_context(cannot)?;
    clap_mangen::generate_to(command, dir).with_context(cannot)?;
    Ok(ExitCode::SUCCESS)
}

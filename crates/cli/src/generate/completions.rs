//! `worldbus completions`: what a shell completes, as a script for it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::{Shell, generate};

/// For which shell.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const HELP: &str = "\
Examples:
  worldbus completions bash > /etc/bash_completion.d/worldbus
  worldbus completions zsh > ~/.zfunc/_worldbus
  worldbus completions fish > ~/.config/fish/completions/worldbus.fish";

/// Prints the script.
pub(crate) fn run(arguments: &CompletionsArguments, mut command: Command) -> Result<ExitCode> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, name, &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

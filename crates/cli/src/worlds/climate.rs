//! `worldbus climate`: makes a climate preset, prints years of its weather, and compares it with a
//! record. Files and the command line are here; the computations are in `worldbus-climate`.

mod arguments;
mod build;
mod check;
mod sample;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::output::failure::WrongUse;
use worldbus_service::file;
use worldbus_world::preset::{NAMES, Preset};

pub(crate) use arguments::ClimateCommand;

/// Bytes of a file: a century of hourly rows has about 70 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Runs the command. `check` is 1 if a band is missed.
pub(crate) fn run(command: &ClimateCommand) -> Result<ExitCode> {
    match command {
        ClimateCommand::Build(arguments) => build::run(arguments),
        ClimateCommand::Sample(arguments) => sample::run(arguments),
        ClimateCommand::Check(arguments) => check::run(arguments),
    }
}

/// A preset by the path of its file, or by the name of one that is built in.
fn preset(name: &str) -> Result<Preset> {
    let path = Path::new(name);
    if !path.exists() {
        let names = NAMES.join(", ");
        let message =
            || format!("{name}: expected a preset's file, or a built-in climate: {names}");
        return Preset::built_in(name).ok_or_else(|| WrongUse(message()).into());
    }
    Ok(Preset::parse(name, &text(path)?)?)
}

/// The text of a file.
fn text(path: &Path) -> Result<String> {
    let text = file::read_text(path, FILE_BYTES_MAX);
    text.map_err(|error| WrongUse(format!("{}: {error}", path.display())).into())
}

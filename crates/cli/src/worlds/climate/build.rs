//! `worldbus climate build`: a preset from normals or from observations. It takes most of a minute,
//! so it reports on standard error what it is at.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::arguments::BuildArguments;
use crate::output;
use crate::output::failure::{WrongUse, complain};
use worldbus_climate::build::{Builder, Built, YEAR_COUNT};
use worldbus_climate::normals::Normals;
use worldbus_climate::targets::Place;
use worldbus_climate::{csv, preset_file};
use worldbus_world::preset::Preset;

pub(super) fn run(arguments: &BuildArguments) -> Result<ExitCode> {
    let built = built(arguments);
    end_progress();
    let (built, out) = (built?, &arguments.out);
    let text = preset_file::to_text(&built.preset);
    // Nothing is written that a world would refuse.
    Preset::parse(&out.display().to_string(), &text)
        .context("no valid preset follows from these figures; nothing was written")?;
    std::fs::write(out, text).with_context(|| format!("{}", out.display()))?;
    let path = out.display().to_string();
    let document = json!({ "preset": path, "notes": built.notes });
    let text = || {
        let notes = built.notes.iter().map(|note| format!("note: {note}\n"));
        notes.chain([format!("{path}\n")]).collect()
    };
    output::page(&arguments.format.page(&document, text))?;
    Ok(ExitCode::SUCCESS)
}

fn built(arguments: &BuildArguments) -> Result<Built> {
    let base = arguments.base.as_deref().map(super::preset).transpose()?;
    if let Some(path) = &arguments.normals {
        let (file, text) = (path.display().to_string(), super::text(path)?);
        let normals = Normals::parse(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
        let place = place(arguments, &file);
        return Ok(builder().of_normals(&normals, place, base.as_ref()));
    }
    // The command line has one or the other.
    let path = arguments.observations.as_deref().unwrap_or(Path::new(""));
    let (file, text) = (path.display().to_string(), super::text(path)?);
    let record = csv::observations(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
    let built = builder().of_record(&record, place(arguments, &file), base.as_ref());
    Ok(built.map_err(|error| WrongUse(format!("{file}: {error}")))?)
}

fn builder() -> Builder {
    complain("building a preset: this takes most of a minute");
    Builder::with_progress(YEAR_COUNT, show)
}

/// One line that is written over on a terminal, a line each elsewhere.
fn show(step: &str) {
    let mut to = io::stderr().lock();
    // That no one reads it is no reason to stop.
    let _ = match overwrites() {
        true => write!(to, "\r\x1b[2K{step} ..."),
        false => writeln!(to, "{step}"),
    };
    let _ = to.flush();
}

fn end_progress() {
    if overwrites() {
        let _ = write!(io::stderr().lock(), "\r\x1b[2K");
    }
}

fn overwrites() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn place(arguments: &BuildArguments, file: &str) -> Place {
    let stem = arguments.out.file_stem().unwrap_or_default().to_string_lossy();
    Place {
        name: arguments.name.clone().unwrap_or_else(|| stem.into_owned()),
        source: arguments.source.clone().unwrap_or_else(|| format!("{file}.")),
        latitude: arguments.latitude,
        elevation_m: arguments.elevation_m,
    }
}

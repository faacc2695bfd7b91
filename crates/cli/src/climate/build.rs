//! `worldbus climate build`: a preset from normals or from observations.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use worldbus_climate::build::{Builder, Built};
use worldbus_climate::normals::Normals;
use worldbus_climate::targets::Place;
use worldbus_climate::{csv, preset_file};

use super::arguments::BuildArguments;
use crate::failure::WrongUse;

pub(super) fn run(arguments: &BuildArguments) -> Result<ExitCode> {
    let built = built(arguments)?;
    let out = &arguments.out;
    std::fs::write(out, preset_file::to_text(&built.preset))
        .with_context(|| format!("{}", out.display()))?;
    let mut to = io::stdout().lock();
    for note in &built.notes {
        writeln!(to, "note: {note}")?;
    }
    writeln!(to, "{}", out.display())?;
    Ok(ExitCode::SUCCESS)
}

fn built(arguments: &BuildArguments) -> Result<Built> {
    let base = arguments.base.as_deref().map(super::preset).transpose()?;
    if let Some(path) = &arguments.normals {
        let (file, text) = (path.display().to_string(), super::text(path)?);
        let normals = Normals::parse(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
        let place = place(arguments, &file);
        return Ok(Builder::default().of_normals(&normals, place, base.as_ref()));
    }
    // The command line has one or the other.
    let path = arguments.observations.as_deref().unwrap_or(Path::new(""));
    let (file, text) = (path.display().to_string(), super::text(path)?);
    let record = csv::observations(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
    let built = Builder::default().of_record(&record, place(arguments, &file), base.as_ref());
    Ok(built.map_err(|error| WrongUse(format!("{file}: {error}")))?)
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

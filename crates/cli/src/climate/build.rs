//! `worldbus climate build`: a preset of observations or of twelve normals.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use worldbus_climate::build::{Builder, Built};
use worldbus_climate::normals::Normals;
use worldbus_climate::targets::Place;
use worldbus_climate::{csv, preset_file};
use worldbus_world::preset::Preset;

use super::arguments::BuildArguments;
use crate::failure::WrongUse;

pub(super) fn run(arguments: &BuildArguments) -> Result<ExitCode> {
    let base = arguments.base.as_deref().map(super::preset).transpose()?;
    let built = match (&arguments.normals, &arguments.observations) {
        (Some(path), _) => of_normals(arguments, path, base.as_ref())?,
        (None, Some(path)) => of_observations(arguments, path, base.as_ref())?,
        (None, None) => {
            return Err(WrongUse("expected --normals or --observations".to_owned()).into());
        }
    };
    let out = &arguments.out;
    std::fs::write(out, preset_file::to_text(&built.preset))
        .with_context(|| format!("{}", out.display()))?;
    let mut lines = io::stdout().lock();
    for note in &built.notes {
        writeln!(lines, "{note}")?;
    }
    writeln!(lines, "{}", out.display())?;
    Ok(ExitCode::SUCCESS)
}

fn of_normals(arguments: &BuildArguments, path: &Path, base: Option<&Preset>) -> Result<Built> {
    let (file, text) = (path.display().to_string(), super::text(path)?);
    let normals = Normals::parse(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
    Ok(Builder::default().of_normals(&normals, place(arguments, &file), base))
}

fn of_observations(
    arguments: &BuildArguments,
    path: &Path,
    base: Option<&Preset>,
) -> Result<Built> {
    let (file, text) = (path.display().to_string(), super::text(path)?);
    let record = csv::observations(&file, &text).map_err(|error| WrongUse(error.to_string()))?;
    let built = Builder::default().of_record(&record, place(arguments, &file), base);
    Ok(built.map_err(|error| WrongUse(format!("{file}: {error}")))?)
}

fn place(arguments: &BuildArguments, file: &str) -> Place {
    let stem = arguments.out.file_stem().unwrap_or_default();
    Place {
        name: stem.to_string_lossy().into_owned(),
        source: arguments.source.clone().unwrap_or_else(|| format!("{file}.")),
        latitude: arguments.latitude,
        elevation_m: arguments.elevation_m,
    }
}

//! `worldbus climate check`: a preset compared with a record, as a table and as plots.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::arguments::{CheckArguments, CheckBands};
use crate::output;
use crate::output::failure::{FAILED, WrongUse};
use worldbus_bus::counted;
use worldbus_climate::bands::{Bands, Check, compare};
use worldbus_climate::observations::Record;
use worldbus_climate::sample::{Sampled, Sampler};
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::{Place, Targets};
use worldbus_climate::{csv, invariants, plots};
use worldbus_world::preset::Preset;

pub(super) fn run(arguments: &CheckArguments) -> Result<ExitCode> {
    let preset = super::preset(&arguments.preset)?;
    let targets = targets(&arguments.against, &preset)?;
    let sampler = Sampler::new(&preset, arguments.seed)
        .map_err(|error| WrongUse(format!("{}: {error}", arguments.preset)))?;
    let bands = match arguments.bands {
        CheckBands::Observations => Bands::Observations,
        CheckBands::Normals => Bands::Normals,
    };
    let (record, broken) = simulate(&sampler, &preset, arguments.years);
    let model = Figures::of(&record, targets.years);
    let checks = compare(&targets, &model, bands);
    let drawn = plots::plots(&preset.name, &targets, &model, &checks);
    let plots = write_plots(&arguments.plots, drawn)?;
    let document = json!({
        "preset": preset.name,
        "record": targets.name,
        "years": arguments.years,
        "checks": checks.iter().map(document).collect::<Vec<_>>(),
        "broken": broken,
        "plots": plots,
    });
    let text = || {
        let broken = broken.iter().cloned();
        let lines = broken.chain(plots.iter().cloned()).map(|line| line + "\n");
        [page(arguments, &preset, &targets, &checks)].into_iter().chain(lines).collect()
    };
    output::page(&arguments.format.page(&document, text))?;
    let failed = broken.is_some() || checks.iter().any(|check| !check.holds());
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The figures of a file of targets, or of a record.
fn targets(path: &Path, preset: &Preset) -> Result<Targets> {
    let (name, text) = (path.display().to_string(), super::text(path)?);
    if path.extension().is_none_or(|extension| extension != "csv") {
        return Ok(Targets::parse(&name, &text).map_err(|error| WrongUse(error.to_string()))?);
    }
    let record = csv::observations(&name, &text).map_err(|error| WrongUse(error.to_string()))?;
    if record.days.is_empty() {
        return Err(WrongUse(format!("{name}: expected whole days, found none")).into());
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let Preset { latitude, elevation_m, .. } = *preset;
    Ok(Targets::of(&record, Place { name: stem, source: name, latitude, elevation_m }))
}

/// The simulated years, and the first hour that breaks a rule, if one does.
fn simulate(sampler: &Sampler, preset: &Preset, years: u32) -> (Record, Option<String>) {
    let (mut hours, mut broken) = (Vec::new(), None);
    for Sampled { hour, conditions, .. } in sampler.hours(0, years) {
        hours.push(hour);
        if let (None, Some(rule)) = (&broken, invariants::broken(&conditions, preset)) {
            let (year, month, day, hour) = (hour.year, hour.month, hour.day, hour.hour);
            broken = Some(format!("broken at {year}-{month:02}-{day:02} {hour:02} h: {rule}"));
        }
    }
    (Record::of_hours(hours), broken)
}

fn page(
    arguments: &CheckArguments,
    preset: &Preset,
    targets: &Targets,
    checks: &[Check],
) -> String {
    let CheckArguments { years, seed, .. } = arguments;
    let years = counted(*years, "simulated year", "simulated years");
    let mut page = format!(
        "preset {}: {years}, seed {seed}\nrecord {}: {} days, {} hours; {}\n\n",
        preset.name, targets.name, targets.days, targets.hours, targets.source
    );
    let width = checks.iter().map(|check| check.title().chars().count()).max().unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{:width$}  {:>9}  {:>9}  {:>20}", "", "record", "model", "may be");
    for check in checks.iter().filter(|check| check.range.is_some()) {
        page.push_str(&line(check, width));
    }
    let _ = writeln!(page, "\n{:width$}", "not judged");
    for check in checks.iter().filter(|check| check.range.is_none()) {
        page.push_str(&line(check, width));
    }
    let judged = checks.iter().filter(|check| check.range.is_some()).count();
    let missed = checks.iter().filter(|check| !check.holds()).count();
    let _ = writeln!(page, "\n{} of {judged} bands hold", judged - missed);
    page
}

fn document(check: &Check) -> Value {
    // JSON has no infinity: a band that is open on a side has no number there.
    let side = |side: f64| side.is_finite().then_some(side);
    json!({
        "figure": check.figure,
        "month": check.month,
        "title": check.title(),
        "record": check.observed,
        "model": check.model,
        "least": check.range.and_then(|range| side(range.0)),
        "most": check.range.and_then(|range| side(range.1)),
        "judged": check.range.is_some(),
        "holds": check.holds(),
    })
}

fn line(check: &Check, width: usize) -> String {
    let range = check.range.map_or(String::new(), range);
    let verdict = if check.holds() { "" } else { "  misses" };
    let (title, observed, model) = (check.title(), number(check.observed), number(check.model));
    let line = format!("{title:width$}  {observed:>9}  {model:>9}  {range:>20}{verdict}");
    line.trim_end().to_owned() + "\n"
}

fn range((low, high): (f64, f64)) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{} to {}", number(low), number(high)),
        (true, false) => format!("{} or more", number(low)),
        _ => format!("{} or less", number(high)),
    }
}

/// Enough digits to tell what matters.
fn number(value: f64) -> String {
    match value.abs() {
        small if small != 0.0 && small < 0.01 => format!("{value:.5}"),
        middle if middle < 10.0 => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

/// Writes the plots; their paths.
fn write_plots(folder: &Path, plots: Vec<(&'static str, String)>) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    let write = |(name, svg): (&str, String)| {
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, svg).with_context(|| format!("{}", path.display()))?;
        Ok(path.display().to_string())
    };
    plots.into_iter().map(write).collect()
}

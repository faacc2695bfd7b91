//! Judges presets of a folder on draws of the weather: `judge TARGETS PRESETS SEEDS NAME...`, the
//! seeds apart by commas. Prints the bands that are missed and on which draws.
//! Not here: what a preset is held to in CI (`tests/presets.rs`).
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::sample::Sampler;
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::Targets;
use worldbus_world::preset::Preset;

const YEAR_COUNT: u32 = 30;

type Anything = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [targets, presets, seeds, names @ ..] = &arguments[..] else {
        eprintln!("expected TARGETS PRESETS SEEDS [NAME...]");
        return ExitCode::FAILURE;
    };
    let seeds: Vec<u64> = seeds.split(',').filter_map(|seed| seed.parse().ok()).collect();
    for name in names {
        if let Err(error) = judge(name, Path::new(targets), Path::new(presets), &seeds) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn judge(name: &str, targets: &Path, presets: &Path, seeds: &[u64]) -> Result<(), Anything> {
    let read = |folder: &Path| std::fs::read_to_string(folder.join(format!("{name}.toml")));
    let (set, bands) = match name.strip_prefix("normals-") {
        Some(set) => (set, Bands::Normals),
        None => (name, Bands::Observations),
    };
    let path = targets.join(format!("{set}.toml"));
    let targets = Targets::parse(set, &std::fs::read_to_string(path)?)?;
    let preset = Preset::parse(name, &read(presets)?).map_err(|error| format!("{error:?}"))?;
    let mut missed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut held = Vec::new();
    let mut count = 0;
    for seed in seeds {
        let record = Sampler::new(&preset, *seed)?.record(YEAR_COUNT);
        let checks = compare(&targets, &Figures::of(&record, targets.years), bands);
        count = checks.iter().filter(|check| check.range.is_some()).count();
        held.push(count - checks.iter().filter(|check| !check.holds()).count());
        for check in checks.iter().filter(|check| !check.holds()) {
            let (low, high) = check.range.unwrap_or_default();
            let title = format!("{} [{low:.3} {:.3} {high:.3}]", check.title(), check.observed);
            missed.entry(title).or_default().push(format!("{:.3}@{seed}", check.model));
        }
    }
    println!("{name}: {held:?} of {count}");
    missed.iter().for_each(|(title, found)| {
        println!("   {}/{} {title}: {}", found.len(), seeds.len(), found.join(" "))
    });
    Ok(())
}

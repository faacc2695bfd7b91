//! Judges every committed preset that has targets, and writes `docs/evidence/climate`:
//!
//! ```text
//! cargo run --release -p worldbus-climate --example evidence
//! ```
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use worldbus_climate::bands::{Bands, Check, compare};
use worldbus_climate::plots;
use worldbus_climate::sample::Sampler;
use worldbus_climate::spatial::{TOLERANCE, WET_DAY_PHI, wet_day_phi};
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::Targets;
use worldbus_world::preset::Preset;

const SEED: u64 = 4711;
const YEAR_COUNT: u32 = 30;

type Anything = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match write_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write_all() -> Result<(), Anything> {
    let folder = root().join("docs/evidence/climate");
    std::fs::create_dir_all(&folder)?;
    let mut page = head()?;
    let mut sections = String::new();
    let mut sets: Vec<PathBuf> = std::fs::read_dir(root().join("crates/climate/targets"))?
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    sets.sort();
    for path in sets {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let targets = Targets::parse(&path.to_string_lossy(), &std::fs::read_to_string(&path)?)?;
        let Some(preset) = preset(&name)? else {
            let _ = writeln!(page, "| {name} | {} | none yet | | |", targets.source);
            continue;
        };
        let model = Figures::of(&Sampler::new(&preset, SEED)?.record(YEAR_COUNT), targets.years);
        let checks = compare(&targets, &model, Bands::Observations);
        for (plot, svg) in plots::plots(&preset.name, &targets, &model, &checks) {
            std::fs::write(folder.join(format!("{name}-{plot}.svg")), svg)?;
        }
        summary(&mut page, &name, &targets, &preset, &checks);
        sections.push_str(&section(&name, &checks));
    }
    page.push_str(&spatial()?);
    std::fs::write(folder.join("README.md"), page + &sections)?;
    Ok(())
}

fn head() -> Result<String, Anything> {
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output()?.stdout;
    let commit = String::from_utf8(commit)?;
    Ok(format!(
        "# Climates against records\n\n\
         {YEAR_COUNT} simulated years of each preset, seed {SEED}, beside the record that it was \
         built from. Made by\n`cargo run --release -p worldbus-climate --example evidence` at \
         commit {}; the figures are the same on every machine.\n\
         What is judged and how is in `crates/climate/src/bands.rs`; `docs/how-to/climate.md` \
         explains it. A tolerance is the\nlarger of the band and twice the record's own standard \
         error. Presets are fitted to this draw among others;\nhow they fare on draws that they \
         were not fitted to stands there too.\n\n\
         | set | record | preset | bands that hold | plots |\n| --- | --- | --- | --- | --- |\n",
        commit.trim()
    ))
}

fn preset(name: &str) -> Result<Option<Preset>, Anything> {
    let places = ["crates/world/presets", "crates/climate/presets"];
    let path = places.map(|place| root().join(format!("{place}/{name}.toml")));
    let Some(path) = path.iter().find(|path| path.exists()) else { return Ok(None) };
    Ok(Some(Preset::parse(name, &std::fs::read_to_string(path)?)?))
}

fn summary(page: &mut String, name: &str, targets: &Targets, preset: &Preset, checks: &[Check]) {
    let judged = checks.iter().filter(|check| check.range.is_some()).count();
    let missed = checks.iter().filter(|check| !check.holds()).count();
    let plots = ["temperature", "rain", "spells", "states"];
    let links: Vec<String> = plots.iter().map(|p| format!("[{p}]({name}-{p}.svg)")).collect();
    let (source, held, links) = (&targets.source, judged - missed, links.join(" "));
    // Writing to a String cannot fail.
    let _ =
        writeln!(page, "| {name} | {source} | {} | {held} of {judged} | {links} |", preset.name);
}

fn section(name: &str, checks: &[Check]) -> String {
    let mut text = format!(
        "\n## {name}\n\n| figure | record | model | may be | |\n| --- | --- | --- | --- | --- |\n"
    );
    for check in checks.iter().filter(|check| check.range.is_some()) {
        let (low, high) = check.range.unwrap_or_default();
        let verdict = if check.holds() { "" } else { "**misses**" };
        let Check { model, observed, .. } = check;
        let _ = writeln!(
            text,
            "| {} | {observed:.3} | {model:.3} | {low:.3} to {high:.3} | {verdict} |",
            check.title()
        );
    }
    text
}

fn spatial() -> Result<String, Anything> {
    let Some(preset) = preset("brussels")? else { return Ok(String::new()) };
    let found = wet_day_phi(&preset, &WET_DAY_PHI.map(|(km, _)| km), SEED, YEAR_COUNT)?;
    let mut text = String::from(
        "\n## How far wet days reach\n\nCorrelation (phi) of wet days at two places, preset \
         brussels.\n\n| km | observed | model | may be | |\n| --- | --- | --- | --- | --- |\n",
    );
    for ((km, wanted), phi) in WET_DAY_PHI.into_iter().zip(found) {
        let verdict = if (phi - wanted).abs() <= TOLERANCE { "" } else { "**misses**" };
        let _ = writeln!(
            text,
            "| {km} | {wanted:.3} | {phi:.3} | {:.3} to {:.3} | {verdict} |",
            wanted - TOLERANCE,
            wanted + TOLERANCE
        );
    }
    Ok(text)
}

//! Makes presets of the twelve normals alone of committed targets, for the test that judges them:
//! `build_normals TARGETS OUT NAME...`. The name of each is `normals-` and the set's. What normals
//! do not say is lent by the nearest built-in climate that was built from no set that is held out.
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::path::Path;
use std::process::ExitCode;

use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::build::Builder;
use worldbus_climate::normals::Normals;
use worldbus_climate::preset_file;
use worldbus_climate::sample::Sampler;
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::{Place, Targets};

/// The sets of `tests/normals.rs`: their presets must lend nothing to one another.
const HELD_OUT: [&str; 6] = ["tunis", "norfolk", "suffolk", "lincolnshire", "newark", "laguardia"];
const CHECK_YEARS: u32 = 30;
const CHECK_SEED: u64 = 4711;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [targets, out, names @ ..] = &arguments[..] else {
        eprintln!("expected TARGETS OUT NAME...");
        return ExitCode::FAILURE;
    };
    let builder = Builder::default();
    for name in names {
        if let Err(error) = make(&builder, name, Path::new(targets), Path::new(out)) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn make(builder: &Builder, name: &str, targets: &Path, out: &Path) -> Result<(), String> {
    let path = targets.join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let targets =
        Targets::parse(&path.display().to_string(), &text).map_err(|error| error.to_string())?;
    let place = Place {
        name: format!("normals-{name}"),
        source: format!("Monthly normals of {name}: {}.", targets.source),
        latitude: targets.latitude,
        elevation_m: targets.elevation_m,
    };
    let normals = Normals::of_targets(&targets);
    let base = builder.nearest(&normals, targets.latitude, &HELD_OUT);
    let built = builder.of_normals(&normals, place, Some(&base));
    let text = preset_file::to_text(&built.preset);
    std::fs::write(out.join(format!("normals-{name}.toml")), text).map_err(|e| e.to_string())?;
    println!("== {name}");
    built.notes.iter().for_each(|note| println!("   {note}"));
    let record = Sampler::new(&built.preset, CHECK_SEED)?.record(CHECK_YEARS);
    let checks = compare(&targets, &Figures::of(&record, targets.years), Bands::Normals);
    for check in checks.iter().filter(|check| check.range.is_some()) {
        let mark = if check.holds() { "ok" } else { "NO" };
        println!("   {mark} {check}");
    }
    Ok(())
}

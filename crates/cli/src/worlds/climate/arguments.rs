//! The command line of `worldbus climate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::output::format::Format;
use worldbus_climate::sample::YEAR_COUNT_MAX;

/// What to do with a climate.
#[derive(Debug, Subcommand)]
pub(crate) enum ClimateCommand {
    /// Make a preset from twelve monthly normals, or from observations
    #[command(after_help = BUILD)]
    Build(BuildArguments),
    /// Print simulated weather of a preset, a row an hour
    #[command(after_help = SAMPLE)]
    Sample(SampleArguments),
    /// Compare a preset with a record, band by band, and plot both; exit code 1 if a band is missed
    #[command(after_help = CHECK)]
    Check(CheckArguments),
}

/// What a preset is made of.
#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// Twelve monthly normals in CSV; an empty cell is unknown
    #[arg(
        long,
        value_name = "FILE.csv",
        required_unless_present = "observations",
        conflicts_with = "observations"
    )]
    pub(super) normals: Option<PathBuf>,
    /// Daily or hourly observations in CSV; an empty cell is unknown
    #[arg(long, value_name = "FILE.csv")]
    pub(super) observations: Option<PathBuf>,
    /// Degrees north of the place, -90 to 90
    #[arg(long, value_name = "DEG", allow_negative_numbers = true, value_parser = latitude)]
    pub(super) latitude: f64,
    /// Metres above the sea of the place
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = elevation_m)]
    pub(super) elevation_m: f64,
    /// The preset's file
    #[arg(long, value_name = "PRESET.toml")]
    pub(super) out: PathBuf,
    /// The preset's name; by default that of its file
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// What lends that which is not known: a preset's file, or the name of a built-in climate; by
    /// default the built-in climate that is nearest
    #[arg(long, value_name = "FILE")]
    pub(super) base: Option<String>,
    /// Where the figures come from, for whoever reads the preset; by default the file's name
    #[arg(long, value_name = "TEXT")]
    pub(super) source: Option<String>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

fn latitude(text: &str) -> Result<f64, String> {
    number(text, "degrees", -90.0, 90.0)
}

fn elevation_m(text: &str) -> Result<f64, String> {
    number(text, "metres", -500.0, 9000.0)
}

fn number(text: &str, unit: &str, min: f64, max: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("expected {unit} from {min} to {max}"))
}

/// What to simulate.
#[derive(Debug, Args)]
pub(crate) struct SampleArguments {
    /// A preset's file, or the name of a built-in climate
    #[arg(long, value_name = "FILE")]
    pub(super) preset: String,
    /// Years to print, from 2001 on
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(YEAR_COUNT_MAX)))]
    pub(super) years: u32,
    /// What the chance follows from; the same seed gives the same rows
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(super) seed: u64,
    /// How to write rows
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: SampleFormat,
}

/// How `sample` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum SampleFormat {
    /// A heading, and a line an hour
    #[default]
    Csv,
    /// A JSON object an hour, on a line
    Json,
}

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// A preset's file, or the name of a built-in climate
    #[arg(long, value_name = "FILE")]
    pub(super) preset: String,
    /// The record: its figures (.toml), or its daily or hourly observations (.csv)
    #[arg(long, value_name = "TARGETS")]
    pub(super) against: PathBuf,
    /// Simulated years; the bands are meant for 30
    #[arg(long, value_name = "NUMBER", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(YEAR_COUNT_MAX)))]
    pub(super) years: u32,
    /// What the chance follows from
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(super) seed: u64,
    /// Which bands to hold the preset to
    #[arg(long, value_enum, default_value_t)]
    pub(super) bands: CheckBands,
    /// The folder that the plots are written to
    #[arg(long, value_name = "DIR", default_value = "climate-plots")]
    pub(super) plots: PathBuf,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// Which bands `check` holds a preset to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum CheckBands {
    /// Those of a preset that was built from observations
    #[default]
    Observations,
    /// The wider ones of a preset that was built from normals
    Normals,
}

const BUILD: &str = "\
Examples:
  worldbus climate build --normals oslo.csv --latitude 59.9 --elevation-m 94 --out oslo.toml
  worldbus climate build --observations gauge.csv --latitude -31.4 --elevation-m 390 \\
    --out cordoba.toml

Simulates decades and moves the preset's figures until they are like those given; takes a
minute.

Normals have twelve rows and these columns, of which all but month may be empty:
  month,wet_day_share,wet_day_mean_mm,tmax_mean_c,tmin_mean_c,temp_residual_sd_k,wind_mean_ms,\
rh_mean
wet_day_share is that of days with at least 1 mm, rh_mean is 0 to 100. What is empty is filled from
the nearest built-in climate, with a note.

Observations are daily (year,month,day,tmin_c,tmax_c,precip_mm) or hourly (year,month,day,hour,
temp_c,dew_c,rh,wind_ms,gust_ms,precip_mm,cloud,visibility_m,state), in order of time.
docs/how-to/climate.md teaches the rest. A world file names a preset by its path.";

const SAMPLE: &str = "\
Examples:
  worldbus climate sample --preset brussels --years 30 > brussels.csv
  worldbus climate sample --preset oslo.toml --years 1 --seed 7 | head

Columns: year, month, day, day_of_year, hour, temp_c, dew_c, rh (0 to 100), wind_ms, gust_ms,
precip_mm (in that hour), cloud (0 to 1), visibility_m, state. The place is the preset's own.";

const CHECK: &str = "\
Examples:
  worldbus climate check --preset oslo.toml --against oslo-observed.csv
  worldbus climate check --preset brussels --against crates/climate/targets/brussels.toml

Prints each figure of the record next to that of simulated years and where it may lie: within its
band, or twice the record's own standard error if that is larger. Then writes temperature.svg,
rain.svg, spells.svg and states.svg to look at.";

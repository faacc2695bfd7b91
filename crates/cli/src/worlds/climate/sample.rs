//! `worldbus climate sample`: simulated hours as CSV.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Result;

use super::arguments::{SampleArguments, SampleFormat};
use crate::output::failure::WrongUse;
use worldbus_climate::csv;
use worldbus_climate::sample::Sampler;

pub(super) fn run(arguments: &SampleArguments) -> Result<ExitCode> {
    let preset = super::preset(&arguments.preset)?;
    let sampler = Sampler::new(&preset, arguments.seed)
        .map_err(|error| WrongUse(format!("{}: {error}", arguments.preset)))?;
    match arguments.format {
        SampleFormat::Csv => csv(&sampler, arguments.years)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn csv(sampler: &Sampler, years: u32) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{}", csv::sample_heading())?;
    for sampled in sampler.hours(0, years) {
        out.write_all(csv::sample_line(&sampled.hour, sampled.day_of_year).as_bytes())?;
    }
    out.flush()
}

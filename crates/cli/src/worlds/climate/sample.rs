//! `worldbus climate sample`: simulated hours as CSV or as JSON.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Number, Value};

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
        SampleFormat::Json => json(&sampler, arguments.years)?,
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

/// The columns of the table as keys; a number where it is one, null where it is not known.
fn json(sampler: &Sampler, years: u32) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let heading = csv::sample_heading();
    let keys: Vec<&str> = heading.trim().split(',').collect();
    for sampled in sampler.hours(0, years) {
        let line = csv::sample_line(&sampled.hour, sampled.day_of_year);
        writeln!(out, "{}", object(&keys, line.trim()))?;
    }
    out.flush()
}

fn object(keys: &[&str], line: &str) -> Value {
    let value = |cell: &str| match (cell.is_empty(), cell.parse::<Number>()) {
        (true, _) => Value::Null,
        (false, Ok(number)) => Value::Number(number),
        (false, Err(_)) => Value::String(cell.to_owned()),
    };
    let cells = keys.iter().zip(line.split(','));
    Value::Object(cells.map(|(key, cell)| ((*key).to_owned(), value(cell))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_is_an_object_with_numbers_words_and_nulls() {
        let object = object(&["year", "temp_c", "gust_ms", "state"], "2001,-1.5,,rain");
        let expected =
            serde_json::json!({ "year": 2001, "temp_c": -1.5, "gust_ms": null, "state": "rain" });
        assert_eq!(object, expected);
    }
}

//! The figures of an observed record as a small file that can be committed, in place of the record.
//! Not here: how the figures are found (`statistics`), reading the file.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::observations::Record;
use crate::statistics::{Figures, Series};

/// What a preset is compared with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The set's name.
    pub name: String,
    /// Where the record comes from, and its licence.
    pub source: String,
    /// Degrees north of the place.
    pub latitude: f64,
    /// Metres above the sea.
    pub elevation_m: f64,
    /// Years that the record covers; the model is measured over spans as long.
    pub years: i32,
    /// Days of the record.
    pub days: usize,
    /// Hours of the record, 0 if it is daily.
    pub hours: usize,
    /// The figures, each with its standard error.
    pub figures: Figures,
}

/// What a record does not say of itself.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The set's name.
    pub name: String,
    /// Where the record comes from, and its licence.
    pub source: String,
    /// Degrees north.
    pub latitude: f64,
    /// Metres above the sea.
    pub elevation_m: f64,
}

/// A mistake in a file of targets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct TargetsError {
    /// The file's name as given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What was expected and what was found.
    pub message: String,
}

impl Targets {
    /// The targets that a record sets.
    pub fn of(record: &Record, place: Place) -> Self {
        Self {
            name: place.name,
            source: place.source,
            latitude: place.latitude,
            elevation_m: place.elevation_m,
            years: record.year_count(),
            days: record.days.len(),
            hours: record.hours.len(),
            figures: Figures::with_errors(record),
        }
    }

    /// Parses a file of targets; `file` is its name, for errors.
    ///
    /// # Errors
    /// No TOML, a key unknown or missing, a figure that has neither one number nor twelve.
    pub fn parse(file: &str, text: &str) -> Result<Self, TargetsError> {
        let error = |at: usize, message: String| {
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            TargetsError { file: file.to_owned(), line, message }
        };
        let targets: Self = toml::from_str(text).map_err(|fault| {
            error(fault.span().map_or(0, |span| span.start), fault.message().to_owned())
        })?;
        for (name, series) in &targets.figures.0 {
            if let Some(fault) = fault_of(series) {
                let at = text.find(&format!("\n{name} =")).map_or(0, |at| at + 1);
                return Err(error(at, format!("figures.{name}: {fault}")));
            }
        }
        if targets.years < 1 {
            let at = text.find("years").unwrap_or(0);
            return Err(error(at, format!("years: expected 1 or more, found {}", targets.years)));
        }
        Ok(targets)
    }

    /// The text of the file, a figure a line.
    pub fn to_text(&self) -> String {
        let mut out =
            String::from("# Made of observations by `worldbus climate targets`; do not edit.\n");
        let Self { name, source, latitude, elevation_m, years, days, hours, figures } = self;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "name = {name:?}\nsource = {source:?}\nlatitude = {latitude}");
        let _ = writeln!(out, "elevation_m = {elevation_m}\nyears = {years}\ndays = {days}");
        let _ = writeln!(out, "hours = {hours}\n\n[figures]");
        for (name, Series { value, error }) in &figures.0 {
            let (value, error) = (numbers(value), numbers(error));
            let _ = writeln!(out, "{name} = {{ value = [{value}], error = [{error}] }}");
        }
        out
    }
}

fn fault_of(series: &Series) -> Option<String> {
    let (values, errors) = (series.value.len(), series.error.len());
    if values != 1 && values != 12 {
        return Some(format!("expected a value or twelve, found {values}"));
    }
    if errors != 0 && errors != values {
        return Some(format!("expected {values} errors, found {errors}"));
    }
    let is_wrong = |number: &&f64| number.is_infinite();
    let wrong = series.value.iter().chain(&series.error).find(is_wrong);
    let negative = series.error.iter().find(|error| **error < 0.0);
    wrong.or(negative).map(|number| format!("expected a finite number, found {number}"))
}

/// Four significant digits.
fn numbers(values: &[f64]) -> String {
    let text = |value: &f64| {
        if value.is_nan() {
            return "nan".to_owned();
        }
        let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(*value);
        if rounded.fract() == 0.0 { format!("{rounded:.1}") } else { rounded.to_string() }
    };
    values.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

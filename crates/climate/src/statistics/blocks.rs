//! Standard errors by leaving out a block at a time (the jackknife): years where a record has
//! enough of them, else spans of ten days. It needs no formula for each figure, and since a block
//! is longer than weather remembers, what repeats from day to day is not taken for information.

use super::{Figures, Series};
use crate::observations::{Record, serial};

/// Years that a record must have to be cut into years.
const YEAR_COUNT_MIN: i32 = 8;
const BLOCK_DAYS: i64 = 10;

pub(super) fn with_errors(record: &Record) -> Figures {
    let years = record.year_count();
    let mut figures = Figures::of(record, years);
    let Some(first) = record.days.first() else { return figures };
    let start = serial(first.year, 1, 1);
    let by_year = years >= YEAR_COUNT_MIN;
    let block = |year: i32, month: u8, day: u8| {
        let day = (serial(year, month, day) - start) / BLOCK_DAYS;
        if by_year { i64::from(year - first.year) } else { day }
    };
    let last = record.days.last().map_or(0, |day| block(day.year, day.month, day.day));
    let without = |left_out: i64| {
        let days = record.days.iter().filter(|d| block(d.year, d.month, d.day) != left_out);
        let hours = record.hours.iter().filter(|h| block(h.year, h.month, h.day) != left_out);
        let (days, hours) = (days.copied().collect(), hours.copied().collect());
        Figures::of(&Record { days, hours, months_apart: record.months_apart }, years)
    };
    let parts: Vec<Figures> = (0..=last).map(without).collect();
    for (name, series) in &mut figures.0 {
        series.error = errors(name, series, &parts);
        if !by_year && series.error.len() > 1 {
            pool(&mut series.error);
        }
    }
    figures
}

/// The spread of the figure over the records that lack a block, scaled to that of the whole. A
/// block of days that are all in other months changes nothing and does not count.
fn errors(name: &str, whole: &Series, parts: &[Figures]) -> Vec<f64> {
    let error = |index: usize| {
        let of_part = |part: &Figures| part.0.get(name)?.value.get(index).copied();
        let values: Vec<f64> = parts.iter().filter_map(of_part).filter(|v| !v.is_nan()).collect();
        let touched = values.iter().filter(|v| **v != whole.value[index]).count().max(2) as f64;
        let middle = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|v| (v - middle) * (v - middle)).sum();
        ((touched - 1.0) / touched * squares).sqrt()
    };
    (0..whole.value.len()).map(error).collect()
}

/// A month of a single year has three blocks, too few to tell its own error: all months get the
/// root of the mean square.
fn pool(errors: &mut [f64]) {
    let known = errors.iter().filter(|error| !error.is_nan());
    let squares: Vec<f64> = known.map(|error| error * error).collect();
    let pooled = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    errors.fill(pooled);
}

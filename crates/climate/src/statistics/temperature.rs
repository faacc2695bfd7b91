//! Figures of daily temperatures, and the season that is taken off before chance is measured.

use std::f64::consts::TAU;

use super::Figures;
use super::numbers::{autocorrelation, deviation, mean};
use crate::observations::{Day, Record, serial};

/// The season is a mean and three waves: a year, half a year, a third of a year.
const WAVE_COUNT: usize = 3;
const TERM_COUNT: usize = 1 + 2 * WAVE_COUNT;
type Terms = [f64; TERM_COUNT];

pub(super) fn figures(record: &Record, window_years: i32, out: &mut Figures) {
    let days = &record.days;
    if days.is_empty() {
        return;
    }
    let by_month = |of: fn(&Day) -> f64| {
        let of_month = |month| days.iter().filter(move |day| day.month == month).map(of);
        (1..=12).map(|month| mean(of_month(month)).unwrap_or(f64::NAN)).collect()
    };
    out.put_all("tmax_month", by_month(|day| day.tmax_c));
    out.put_all("tmin_month", by_month(|day| day.tmin_c));
    let rest = anomalies(days, window_years, |day| (day.tmin_c + day.tmax_c) / 2.0);
    let at: Vec<i64> = days.iter().map(|d| record.serial(d.year, d.month, d.day)).collect();
    out.put("temp_residual_sd", deviation(&rest));
    let of_month = |month: u8| {
        let rest = days.iter().zip(&rest).filter(|(day, _)| day.month == month);
        deviation(&rest.map(|(_, rest)| *rest).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    out.put_all("temp_residual_sd_month", (1..=12).map(of_month).collect());
    out.put("temp_lag1", autocorrelation(&at, &rest, 1));
    out.put("temp_lag2", autocorrelation(&at, &rest, 2));
    let ranges: Vec<f64> = days.iter().map(|day| day.tmax_c - day.tmin_c).collect();
    out.put("diurnal_range", mean(ranges.iter().copied()));
    out.put("diurnal_range_wet_minus_dry", wet_minus_dry(days, &ranges));
    let highs = anomalies(days, window_years, |day| day.tmax_c);
    out.put("tmax_wet_minus_dry", wet_minus_dry(days, &highs));
}

fn wet_minus_dry(days: &[Day], values: &[f64]) -> Option<f64> {
    let of = |wanted: bool| {
        let pairs = days.iter().zip(values);
        let wet = |day: &Day| Some(day.precip_mm? >= super::WET_DAY_MM);
        mean(pairs.filter(|(day, _)| wet(day) == Some(wanted)).map(|(_, value)| *value))
    };
    Some(of(true)? - of(false)?)
}

/// Values of days less their season.
fn anomalies(days: &[Day], window_years: i32, of: impl Fn(&Day) -> f64) -> Vec<f64> {
    let first = days[0].year;
    let window = |day: &Day| (day.year - first) / window_years.max(1);
    let windows = days.chunk_by(|a, b| window(a) == window(b));
    windows.flat_map(|days| of_window(days, &of)).collect()
}

fn of_window(days: &[Day], of: &impl Fn(&Day) -> f64) -> Vec<f64> {
    let terms: Vec<Terms> = days.iter().map(|d| season(d.year, d.month, d.day)).collect();
    let values: Vec<f64> = days.iter().map(of).collect();
    let fit = least_squares(&terms, &values);
    terms.iter().zip(values).map(|(terms, value)| value - dot(terms, &fit)).collect()
}

/// The waves of the year on a day.
pub(super) fn season(year: i32, month: u8, day: u8) -> Terms {
    let part = (serial(year, month, day) - serial(year, 1, 1)) as f64 / 365.25;
    std::array::from_fn(|term| {
        let angle = TAU * part * term.div_ceil(2) as f64;
        if term % 2 == 0 { angle.cos() } else { angle.sin() }
    })
}

pub(super) fn dot(terms: &Terms, fit: &Terms) -> f64 {
    terms.iter().zip(fit).map(|(term, factor)| term * factor).sum()
}

/// The factors that bring the terms nearest to the values, by the normal equations. A term that
/// the rows cannot tell from the others gets 0.
pub(super) fn least_squares(rows: &[Terms], values: &[f64]) -> Terms {
    let mut matrix = [[0.0; TERM_COUNT + 1]; TERM_COUNT];
    for (row, value) in rows.iter().zip(values) {
        for (i, equation) in matrix.iter_mut().enumerate() {
            for (j, term) in row.iter().enumerate() {
                equation[j] += row[i] * term;
            }
            equation[TERM_COUNT] += row[i] * value;
        }
    }
    for i in 0..TERM_COUNT {
        let pivot = matrix[i][i];
        if pivot.abs() < 1e-9 {
            matrix[i] = [0.0; TERM_COUNT + 1];
            continue;
        }
        matrix[i] = matrix[i].map(|cell| cell / pivot);
        let equation = matrix[i];
        for (j, other) in matrix.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            debug_assert_ne!(i, j);
            let factor = other[i];
            for (cell, own) in other.iter_mut().zip(equation) {
                *cell -= factor * own;
            }
        }
    }
    std::array::from_fn(|i| matrix[i][TERM_COUNT])
}

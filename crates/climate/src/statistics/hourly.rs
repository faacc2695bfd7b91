//! Figures of hours: how temperature, wind and rain persist within days.

use super::numbers::{autocorrelation, mean, quantile, share, sorted, transition};
use super::temperature::{dot, least_squares, season};
use super::{Figures, WET_DAY_MM, WET_HOUR_MM};
use crate::observations::{Hour, Record};

const HOURS_PER_DAY: usize = 24;

pub(super) fn figures(record: &Record, window_years: i32, out: &mut Figures) {
    if record.hours.is_empty() {
        return;
    }
    temperature(record, window_years, out);
    wind(record, out);
    rain(record, out);
}

/// The number of an hour; those of hours that follow each other differ by one.
pub(super) fn at(record: &Record, hour: &Hour) -> i64 {
    24 * record.serial(hour.year, hour.month, hour.day) + i64::from(hour.hour)
}

fn temperature(record: &Record, window_years: i32, out: &mut Figures) {
    let hours: Vec<(&Hour, f64)> =
        record.hours.iter().filter_map(|hour| Some((hour, hour.temp_c?))).collect();
    let Some((first, _)) = hours.first() else { return };
    let window = |hour: &Hour| (hour.year - first.year) / window_years.max(1);
    let windows = hours.chunk_by(|a, b| window(a.0) == window(b.0));
    let rest: Vec<f64> = windows.flat_map(anomalies).collect();
    let at: Vec<i64> = hours.iter().map(|(hour, _)| at(record, hour)).collect();
    for lag in [1, 6, 24, 48] {
        out.put(&format!("temp_hour_lag{lag}"), autocorrelation(&at, &rest, lag));
    }
}

/// Temperatures less their season and the usual course of a day of that month.
fn anomalies(hours: &[(&Hour, f64)]) -> Vec<f64> {
    let terms: Vec<_> = hours.iter().map(|(h, _)| season(h.year, h.month, h.day)).collect();
    let values: Vec<f64> = hours.iter().map(|(_, value)| *value).collect();
    let fit = least_squares(&terms, &values);
    let rest: Vec<f64> = terms.iter().zip(values).map(|(t, value)| value - dot(t, &fit)).collect();
    let mut course = [[(0.0, 0.0); HOURS_PER_DAY]; 12];
    for ((hour, _), rest) in hours.iter().zip(&rest) {
        let cell = &mut course[usize::from(hour.month) - 1][usize::from(hour.hour)];
        *cell = (cell.0 + rest, cell.1 + 1.0);
    }
    // Only the shape of the day: the month's own mean is chance, and stays.
    let course = course.map(|month| {
        let day = month.map(|(sum, count)| if count > 0.0 { sum / count } else { 0.0 });
        let middle = day.iter().sum::<f64>() / HOURS_PER_DAY as f64;
        day.map(|hour| hour - middle)
    });
    let usual = |hour: &Hour| course[usize::from(hour.month) - 1][usize::from(hour.hour)];
    hours.iter().zip(rest).map(|((hour, _), rest)| rest - usual(hour)).collect()
}

fn wind(record: &Record, out: &mut Figures) {
    let hours = record.hours.iter().filter_map(|hour| Some((at(record, hour), hour.wind_ms?)));
    let (at, wind): (Vec<i64>, Vec<f64>) = hours.unzip();
    let Some(middle) = mean(wind.iter().copied()) else { return };
    out.put("wind_mean", Some(middle));
    let rest: Vec<f64> = wind.iter().map(|wind| wind - middle).collect();
    out.put("wind_hour_lag1", autocorrelation(&at, &rest, 1));
    out.put("wind_p95", quantile(&sorted(wind), 0.95));
}

fn rain(record: &Record, out: &mut Figures) {
    let hours = record.hours.iter();
    let wet: Vec<(i64, bool)> =
        hours.filter_map(|hour| Some((at(record, hour), hour.precip_mm? >= WET_HOUR_MM))).collect();
    out.put("wet_hour_share", share(wet.iter().map(|(_, wet)| *wet)));
    out.put("wet_hour_given_wet", transition(&wet, true));
    let days = wet_day_hours(record);
    out.put("wet_hours_per_wet_day", mean(days));
}

fn wet_day_hours(record: &Record) -> impl Iterator<Item = f64> {
    let same_day = |a: &Hour, b: &Hour| (a.year, a.month, a.day) == (b.year, b.month, b.day);
    let rain = |day: &[Hour]| day.iter().filter_map(|hour| hour.precip_mm).collect::<Vec<f64>>();
    let days = record.hours.chunk_by(same_day).map(rain);
    let wet = days.filter(|day| day.iter().sum::<f64>() >= WET_DAY_MM);
    wet.map(|day| day.iter().filter(|mm| **mm >= WET_HOUR_MM).count() as f64)
}

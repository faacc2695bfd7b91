//! The figures that describe a record: those that the pass bands judge, and some that only people
//! look at. Each is a [`Series`] under its name; [`NAMES`] states what it means.
//! Not here: how far two records may differ (`bands`).

mod blocks;
mod hourly;
mod numbers;
mod rain;
mod states;
mod temperature;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::observations::Record;
use worldbus_world::WeatherState;

/// Water of a wet day, mm.
pub const WET_DAY_MM: f64 = 1.0;
/// Water of a wet hour, mm.
pub const WET_HOUR_MM: f64 = 0.1;

/// Days of the figures `wet_spell_longer` and `dry_spell_longer`, which have twelve values for them
/// instead of the months.
pub const SPELL_DAYS: [u16; 12] = [1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50, 100];

/// A figure: one number for the year, or twelve, a month each. What a record cannot tell is NaN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The numbers.
    pub value: Vec<f64>,
    /// The standard error of each; empty where it was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<f64>,
}

/// Figures by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures(pub BTreeMap<String, Series>);

/// What the figures mean, but for `state_share_NAME`, the share of hours in a state, and
/// `state_run_NAME`, how many hours it lasts on average.
pub const NAMES: [(&str, &str); 42] = [
    ("tmax_month", "daily maximum, mean C"),
    ("tmin_month", "daily minimum, mean C"),
    ("diurnal_range", "daily range, mean K"),
    ("diurnal_range_wet_minus_dry", "daily range, wet days less dry days, K"),
    ("tmax_wet_minus_dry", "daily maximum less its season, wet less dry days, K"),
    ("temp_residual_sd", "daily mean less its season, sd K"),
    ("temp_residual_sd_month", "daily mean less its season, sd K"),
    ("temp_lag1", "daily mean less its season, correlation over 1 day"),
    ("temp_lag2", "daily mean less its season, correlation over 2 days"),
    ("temp_hour_lag1", "hourly temperature less its usual, correlation over 1 h"),
    ("temp_hour_lag6", "hourly temperature less its usual, correlation over 6 h"),
    ("temp_hour_lag24", "hourly temperature less its usual, correlation over 24 h"),
    ("temp_hour_lag48", "hourly temperature less its usual, correlation over 48 h"),
    ("wet_day_share_year", "share of wet days"),
    ("wet_day_share", "share of wet days"),
    ("wet_given_wet", "P(wet day | wet day before)"),
    ("wet_given_dry", "P(wet day | dry day before)"),
    ("wet_given_wet_month", "P(wet day | wet day before), months' mean square difference, root"),
    ("wet_spell_mean", "wet spell, mean days"),
    ("wet_spell_sd", "wet spell, sd of days"),
    ("wet_spell_p90", "wet spell, 90th percentile, days"),
    ("wet_spell_p99", "wet spell, 99th percentile, days"),
    ("dry_spell_mean", "dry spell, mean days"),
    ("dry_spell_sd", "dry spell, sd of days"),
    ("dry_spell_p90", "dry spell, 90th percentile, days"),
    ("dry_spell_p99", "dry spell, 99th percentile, days"),
    ("wet_spell_longer", "wet spell, share of those longer than"),
    ("dry_spell_longer", "dry spell, share of those longer than"),
    ("wet_day_mm_mean", "water of a wet day, mean mm"),
    ("wet_day_mm_month", "water of a wet day, mean mm"),
    ("wet_day_mm_sd", "water of a wet day, sd mm"),
    ("wet_day_mm_p95", "water of a wet day, 95th percentile, mm"),
    ("wet_hour_share", "share of wet hours"),
    ("wet_hour_given_wet", "P(wet hour | wet hour before), by amount"),
    ("wet_state_given_wet", "P(wet hour | wet hour before), by state"),
    ("wet_hours_per_wet_day", "wet hours of a wet day"),
    ("wind_mean", "wind, mean m/s"),
    ("wind_mean_month", "wind, mean m/s"),
    ("wind_p95", "wind, 95th percentile, m/s"),
    ("wind_hour_lag1", "wind, correlation over 1 h"),
    ("rh_mean_month", "relative humidity, mean %"),
    ("fog_dawn_over_afternoon", "fog, share at 5 to 8 h over share at 13 to 17 h"),
];

impl Figures {
    /// The figures of a record. What is taken off as season is found for each `window_years`
    /// years of it apart: one year has a season of its own, and a long record must be measured
    /// as a short one was if the two are to be compared.
    pub fn of(record: &Record, window_years: i32) -> Self {
        let mut figures = Self::default();
        rain::figures(record, &mut figures);
        temperature::figures(record, window_years, &mut figures);
        hourly::figures(record, window_years, &mut figures);
        states::figures(record, &mut figures);
        figures
    }

    /// The figures of an observed record as a whole, with their standard errors.
    pub fn with_errors(record: &Record) -> Self {
        blocks::with_errors(record)
    }

    /// A figure of the whole year, if the record shows it.
    pub fn year(&self, name: &str) -> Option<f64> {
        let value = *self.0.get(name)?.value.first()?;
        (!value.is_nan()).then_some(value)
    }

    /// A figure of each month; NaN where the record could not tell.
    pub fn months(&self, name: &str) -> Option<[f64; 12]> {
        self.0.get(name)?.value.as_slice().try_into().ok()
    }

    fn put(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.put_all(name, vec![value]);
        }
    }

    /// A quantile, with the error of its rank: leaving out blocks shows little of the error of
    /// one value among few.
    fn put_quantile(&mut self, name: &str, sorted: &[f64], part: f64) {
        let Some(value) = numbers::quantile(sorted, part) else { return };
        let ranks = (part * (1.0 - part) / sorted.len() as f64).sqrt();
        let at = |part: f64| numbers::quantile(sorted, part.clamp(0.0, 1.0)).unwrap_or(value);
        let error = vec![(at(part + ranks) - at(part - ranks)) / 2.0];
        self.0.insert(name.to_owned(), Series { value: vec![value], error });
    }

    fn put_all(&mut self, name: &str, value: Vec<f64>) {
        self.0.insert(name.to_owned(), Series { value, error: Vec::new() });
    }
}

/// The name of the figure of a state's share.
pub fn share_of(state: WeatherState) -> String {
    format!("state_share_{}", state.name())
}

/// The name of the figure of a state's mean run.
pub fn run_of(state: WeatherState) -> String {
    format!("state_run_{}", state.name())
}

#[cfg(test)]
mod tests;

//! The pass bands: how far a figure of thirty simulated years may be from that of a record. A
//! tolerance is the larger of the band and twice the record's own standard error.
//! Not here: the figures (`statistics`); hard rules that no hour may break (`invariants`).

use std::fmt;

use crate::statistics::{Figures, NAMES, SPELL_DAYS};
use crate::targets::Targets;

/// Which bands a preset has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bands {
    /// Those of a preset that was built from observations.
    Observations,
    /// The wider ones of a preset that was built from twelve normals: they do not say how weather
    /// persists, so that comes from a prior.
    Normals,
}

/// How far a figure may be from the record's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Band {
    /// By this much.
    Within(f64),
    /// By this part of it.
    Part(f64),
    /// The root of the mean square of the months' differences, by this much.
    MonthsWithin(f64),
    /// At least this much, or what the record has.
    AtLeast(f64),
    /// On the same side of nothing.
    SameSign,
    /// By a factor: 1.5, or 3 if the record's is at most a hundredth.
    Factor,
}

const OBSERVATIONS: &[(&str, Band)] = &[
    ("wet_day_share", Band::Within(0.03)),
    ("wet_given_wet", Band::Within(0.04)),
    ("wet_given_dry", Band::Within(0.04)),
    ("wet_given_wet_month", Band::MonthsWithin(0.07)),
    ("wet_spell_mean", Band::Part(0.08)),
    ("dry_spell_mean", Band::Part(0.08)),
    ("dry_spell_p90", Band::Part(0.15)),
    ("dry_spell_p99", Band::Part(0.25)),
    ("wet_day_mm_mean", Band::Part(0.10)),
    ("wet_day_mm_sd", Band::Part(0.20)),
    ("wet_day_mm_p95", Band::Part(0.15)),
    ("tmax_month", Band::Within(0.5)),
    ("tmin_month", Band::Within(0.5)),
    ("temp_residual_sd", Band::Part(0.12)),
    ("temp_lag1", Band::Within(0.06)),
    ("diurnal_range", Band::Within(0.7)),
    ("diurnal_range_wet_minus_dry", Band::SameSign),
    ("temp_hour_lag1", Band::Within(0.03)),
    ("temp_hour_lag6", Band::Within(0.05)),
    ("temp_hour_lag24", Band::Within(0.08)),
    ("temp_hour_lag48", Band::Within(0.10)),
    ("wind_mean", Band::Part(0.05)),
    ("wind_p95", Band::Part(0.10)),
    ("wind_hour_lag1", Band::Within(0.06)),
    ("wet_hour_given_wet", Band::Within(0.06)),
    ("wet_state_given_wet", Band::Within(0.06)),
    ("wet_hours_per_wet_day", Band::Within(1.0)),
    ("fog_dawn_over_afternoon", Band::AtLeast(2.0)),
];

const NORMALS: &[(&str, Band)] = &[
    ("wet_given_wet", Band::Within(0.08)),
    ("wet_given_dry", Band::Within(0.08)),
    ("wet_spell_mean", Band::Part(0.20)),
    ("dry_spell_mean", Band::Part(0.20)),
    ("dry_spell_p90", Band::Part(0.20)),
    ("dry_spell_p99", Band::Part(0.35)),
    ("wet_day_mm_sd", Band::Part(0.25)),
    ("wet_day_mm_p95", Band::Part(0.20)),
    ("temp_residual_sd", Band::Part(0.12)),
    ("temp_lag1", Band::Within(0.10)),
];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long a state lasts, if it is built from observations.
const RUN: Band = Band::Part(0.25);
/// A state is rare up to this share of hours.
const RARE_SHARE_MAX: f64 = 0.01;

/// A figure of the model next to that of the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The figure's name.
    pub figure: String,
    /// The month, 1 to 12, if it is a monthly one; for the lengths of spells, their place in
    /// [`SPELL_DAYS`].
    pub month: Option<u8>,
    /// The model's. For the months as a whole, the root of their mean square difference.
    pub model: f64,
    /// The record's.
    pub observed: f64,
    /// Where the model's may lie; none if the figure is not judged, only shown.
    pub range: Option<(f64, f64)>,
}

impl Check {
    /// Whether the model's figure is where it may be.
    pub fn holds(&self) -> bool {
        self.range.is_none_or(|(low, high)| (low..=high).contains(&self.model))
    }

    /// What it is, for people.
    pub fn title(&self) -> String {
        match self.month {
            Some(place) if self.figure.ends_with("_longer") => {
                let days = SPELL_DAYS[usize::from(place) - 1];
                format!("{} {days} days", title(&self.figure))
            }
            Some(month) => format!("{}, {}", title(&self.figure), MONTHS[usize::from(month) - 1]),
            None => title(&self.figure),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, observed, .. } = self;
        write!(f, "{}: {model:.3}, observed {observed:.3}", self.title())?;
        match self.range {
            Some((low, high)) => write!(f, ", expected {low:.3} to {high:.3}"),
            None => Ok(()),
        }
    }
}

/// What a figure is, for people.
pub fn title(figure: &str) -> String {
    if let Some(state) = figure.strip_prefix("state_share_") {
        return format!("{state}, share of hours");
    }
    if let Some(state) = figure.strip_prefix("state_run_") {
        return format!("{state}, mean run in hours");
    }
    let known = NAMES.iter().find(|(name, _)| *name == figure);
    known.map_or(figure, |(_, title)| title).to_owned()
}

/// Compares every figure that the record has, in the order of [`NAMES`]. One that the model lacks
/// fails.
pub fn compare(targets: &Targets, model: &Figures, bands: Bands) -> Vec<Check> {
    let figures = targets.figures.0.iter();
    let checks = figures.flat_map(|(name, series)| {
        let band = band_of(name, bands);
        let found = model.0.get(name).map_or(&[][..], |series| &series.value);
        let error = |index: usize| series.error.get(index).copied().filter(|e| !e.is_nan());
        if let Some(Band::MonthsWithin(most)) = band {
            return vec![months_within(name, series.value.as_slice(), &series.error, found, most)];
        }
        let check = |(index, observed): (usize, &f64)| {
            let month = (series.value.len() == 12).then_some(index as u8 + 1);
            let model = found.get(index).copied().unwrap_or(f64::NAN);
            let range = band.and_then(|band| range(band, *observed, error(index).unwrap_or(0.0)));
            Check { figure: name.clone(), month, model, observed: *observed, range }
        };
        let known = series.value.iter().enumerate().filter(|(_, value)| !value.is_nan());
        known.map(check).collect()
    });
    let mut checks: Vec<Check> = checks.collect();
    let rank = |check: &Check| NAMES.iter().position(|(name, _)| *name == check.figure);
    checks.sort_by_key(|check| rank(check).unwrap_or(NAMES.len()));
    checks
}

fn band_of(figure: &str, bands: Bands) -> Option<Band> {
    let list = match bands {
        Bands::Observations if figure.starts_with("state_share_") => return Some(Band::Factor),
        Bands::Observations if figure.starts_with("state_run_") => return Some(RUN),
        Bands::Observations => OBSERVATIONS,
        Bands::Normals => NORMALS,
    };
    list.iter().find(|(name, _)| *name == figure).map(|(_, band)| *band)
}

/// Where a figure may lie, if the record can tell.
fn range(band: Band, observed: f64, error: f64) -> Option<(f64, f64)> {
    let around = |tolerance: f64| {
        let tolerance = tolerance.max(2.0 * error);
        Some((observed - tolerance, observed + tolerance))
    };
    match band {
        Band::Within(most) => around(most),
        Band::Part(part) => around(part * observed.abs()),
        Band::MonthsWithin(_) => None,
        // Where the record itself has less, the model may too.
        Band::AtLeast(least) => Some((least.min(observed - 2.0 * error), f64::INFINITY)),
        Band::SameSign if observed.abs() <= 2.0 * error => None,
        Band::SameSign if observed < 0.0 => Some((f64::NEG_INFINITY, 0.0)),
        Band::SameSign => Some((0.0, f64::INFINITY)),
        // A state that the record never saw shows nothing: it may be rare, or impossible.
        Band::Factor if observed == 0.0 => None,
        Band::Factor => {
            let factor = if observed > RARE_SHARE_MAX { 1.5 } else { 3.0 };
            let low = (observed / factor).min(observed - 2.0 * error);
            Some((low, (observed * factor).max(observed + 2.0 * error)))
        }
    }
}

/// The months at once. A month that has no pair of days in the record does not count; one that
/// the model lacks fails.
fn months_within(name: &str, observed: &[f64], errors: &[f64], model: &[f64], most: f64) -> Check {
    let root = |squares: Vec<f64>| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    let month = |index: usize| model.get(index).copied().unwrap_or(f64::NAN);
    let known = || observed.iter().enumerate().filter(|(_, value)| !value.is_nan());
    let away = root(known().map(|(i, value)| (month(i) - value) * (month(i) - value)).collect());
    let error = |i: usize| errors.get(i).copied().filter(|e| !e.is_nan()).unwrap_or(0.0);
    let errors = root(known().map(|(i, _)| error(i) * error(i)).collect());
    let range = Some((0.0, most.max(2.0 * errors)));
    Check { figure: name.to_owned(), month: None, model: away, observed: 0.0, range }
}

#[cfg(test)]
mod tests;

//! What a preset is to be like: figures of a record, or of twelve normals and a prior.
//! Not here: how a preset gets there.

use super::base::Base;
use super::months::{self, Month, WetBy};
use crate::bands::{Bands, compare};
use crate::normals::{Normals, prior};
use crate::observations::Record;
use crate::statistics::{Figures, Series, share_of};
use crate::targets::{Place, Targets};
use worldbus_world::WeatherState;

/// What falls in an hour of more than rain, mm.
pub(super) const HEAVY_MM: f64 = 7.6;
/// Rain is heavy in this part of the hours that observers call so: the daily amounts allow no
/// more.
const HEAVY_PART: f64 = 0.8;

/// A record of fewer years shows little of one month's rain.
const SHORT_YEARS: i32 = 10;
const EVEN_SHORT: f64 = 0.1;
const EVEN_LONG: f64 = 0.02;

/// Years that normals are usually of.
const NORMAL_YEARS: i32 = 30;

/// Goals of a calibration.
#[derive(Clone, Debug)]
pub(super) struct Goals {
    /// The figures with their errors; a prior is a figure with a large one.
    pub(super) targets: Targets,
    pub(super) months: [Month; 12],
    pub(super) wet_by: WetBy,
    /// Shares of wet hours, where these are known and wet days are not.
    pub(super) wet_hours: Option<[f64; 12]>,
    /// Shares of hours.
    pub(super) heavy: [f64; 12],
    pub(super) fog: [f64; 12],
    pub(super) mist: [f64; 12],
    pub(super) storm: [f64; 12],
    /// What each round of the calibration moves a month's rain towards its neighbours by.
    pub(super) evenness: f64,
    /// Shares of hours of heavy rain, of extreme heat and of extreme cold, if states are known.
    pub(super) heavy_rain: Option<f64>,
    pub(super) heat: Option<f64>,
    pub(super) cold: Option<f64>,
    /// They are of a record. Of normals only the deviation of the daily mean is known, not those
    /// of its extremes, and persistence is a prior that is not worth a long search.
    pub(super) observed: bool,
}

impl Goals {
    /// The goals that a record sets, with those of the base where it has nothing.
    pub(super) fn of_record(record: &Record, place: Place, base: &Base) -> Self {
        let targets = Targets::of(record, place);
        let wet_by = WetBy::of(record);
        let years = record.year_count();
        let days = months::observed(record);
        let mut found = months::smoothed(months::months(&days, wet_by, years), years);
        let states = record.hours.iter().any(|hour| hour.state.is_some());
        let amounts = record.hours.iter().any(|hour| hour.precip_mm.is_some());
        let share = |state: WeatherState| hour_shares(record, |s| s == state);
        if wet_by == WetBy::Hours {
            (0..12).for_each(|m| found[m].wet_mm = base.months[m].wet_mm);
        }
        let heavy = if amounts {
            smooth(amount_shares(record))
        } else if states {
            smooth(hour_shares(record, |s| s == WeatherState::HeavyRain)).map(|s| HEAVY_PART * s)
        } else {
            heavy_prior(&found)
        };
        let of = |state, base: [f64; 12]| if states { smooth(share(state)) } else { base };
        let seen = |state| targets.figures.year(&share_of(state)).filter(|share| *share > 0.0);
        Self {
            months: found,
            wet_by,
            wet_hours: (wet_by == WetBy::Hours)
                .then(|| months::smoothed_shares(hour_shares(record, WeatherState::is_wet), years)),
            heavy,
            fog: of(WeatherState::Fog, base.fog),
            mist: of(WeatherState::Mist, base.mist),
            storm: of(WeatherState::Storm, base.storm),
            evenness: if years < SHORT_YEARS { EVEN_SHORT } else { EVEN_LONG },
            heavy_rain: seen(WeatherState::HeavyRain),
            heat: seen(WeatherState::ExtremeHeat),
            cold: seen(WeatherState::ExtremeCold),
            observed: true,
            targets,
        }
    }

    /// The goals that normals set, with a prior for what they never say and with those of the
    /// base where a cell is empty.
    pub(super) fn of_normals(normals: &Normals, place: Place, base: &Base) -> Self {
        let found = months_of_normals(normals, base);
        let mut targets = Targets::of(&Record::default(), place);
        targets.years = NORMAL_YEARS;
        let p = months::mean(found.map(|month| month.wet_share));
        let mm = found.map(|month| month.wet_share * month.wet_mm).iter().sum::<f64>() / 12.0 / p;
        let figures = [
            ("wet_given_wet", prior::wet_given_wet(p)),
            ("wet_given_dry", prior::wet_given_dry(p)),
            ("wet_day_mm_sd", mm * prior::wet_mm_sd(p)),
            ("wet_day_mm_p95", mm * prior::wet_mm_p95(p)),
            ("temp_lag1", prior::TEMP_LAG1),
        ];
        for (name, value) in figures {
            let series = Series { value: vec![value], error: Vec::new() };
            targets.figures.0.insert(name.to_owned(), series);
        }
        Self {
            targets,
            wet_by: WetBy::Amount,
            wet_hours: None,
            heavy: heavy_prior(&found),
            months: found,
            fog: base.fog,
            mist: base.mist,
            storm: base.storm,
            evenness: EVEN_LONG,
            heavy_rain: None,
            heat: None,
            cold: None,
            observed: false,
        }
    }

    /// Whether the record shows how rain persists from hour to hour.
    pub(super) fn has_hours(&self) -> bool {
        let figures = &self.targets.figures.0;
        ["wet_hour_given_wet", "wet_state_given_wet"].iter().any(|n| figures.contains_key(*n))
    }

    /// How far figures are from the goals: the sum of the squares of their misses, in parts of
    /// what the bands allow.
    pub(super) fn miss(&self, figures: &Figures, judged: impl Fn(&str) -> bool) -> f64 {
        let checks = compare(&self.targets, figures, Bands::Observations);
        let misses = checks.iter().filter(|check| judged(&check.figure)).filter_map(|check| {
            let (low, high) = check.range?;
            let (model, observed) = (check.model, check.observed);
            if model.is_nan() {
                return Some(MISS_OF_NOTHING);
            }
            let part = if low.is_infinite() || high.is_infinite() {
                (low - model).max(model - high).max(0.0) / observed.abs().max(OBSERVED_MIN)
            } else {
                (model - observed)
                    / (if model > observed { high - observed } else { observed - low })
            };
            // Out of its band a figure counts far more than within, and never so much that a step
            // towards it is not seen.
            let square = part * part;
            Some(if square < STEEP_TO { square + square.powi(4) } else { 9.0 * square })
        });
        misses.sum()
    }
}

/// The months of normals, those of the base where a cell is empty.
fn months_of_normals(normals: &Normals, base: &Base) -> [Month; 12] {
    let mut found = base.months;
    for (m, month) in found.iter_mut().enumerate() {
        month.wet_share = normals.wet_day_share[m].unwrap_or(month.wet_share);
        month.wet_mm = normals.wet_day_mean_mm[m].unwrap_or(month.wet_mm);
        let range = month.max_c - month.min_c;
        (month.max_c, month.min_c) = match (normals.tmax_mean_c[m], normals.tmin_mean_c[m]) {
            (Some(max), Some(min)) => (max, min),
            (Some(max), None) => (max, max - range),
            (None, Some(min)) => (min + range, min),
            (None, None) => (month.max_c, month.min_c),
        };
        let more = normals.temp_residual_sd_k[m].unwrap_or(month.middle_sd) / month.middle_sd;
        month.middle_sd *= more;
        month.max_sd *= more;
        month.min_sd *= more;
    }
    found
}

/// The square of a miss up to which its eighth power counts.
const STEEP_TO: f64 = 2.0;
/// Less would make every miss of a one-sided band a great one.
const OBSERVED_MIN: f64 = 0.1;
/// What a figure counts that the simulation has none of.
const MISS_OF_NOTHING: f64 = 50.0;

/// The share of heavy hours where none was observed: it grows with the rain of the month, and
/// with its warmth, which makes showers.
pub(super) fn heavy_prior(months: &[Month; 12]) -> [f64; 12] {
    std::array::from_fn(|m| {
        let mm_a_day = months[m].wet_share * months[m].wet_mm;
        mm_a_day * (0.0001 + 0.000_03 * months[m].max_c).max(0.0001)
    })
}

/// The share of hours of each month in some states.
fn hour_shares(record: &Record, is: impl Fn(WeatherState) -> bool) -> [f64; 12] {
    shares(record.hours.iter().filter_map(|hour| Some((hour.month, is(hour.state?)))))
}

fn amount_shares(record: &Record) -> [f64; 12] {
    let hours = record.hours.iter();
    shares(hours.filter_map(|hour| Some((hour.month, hour.precip_mm? > HEAVY_MM))))
}

fn shares(hours: impl Iterator<Item = (u8, bool)>) -> [f64; 12] {
    let (mut is, mut all) = ([0.0; 12], [0.0_f64; 12]);
    for (month, counts) in hours {
        let month = usize::from(month) - 1;
        is[month] += f64::from(u8::from(counts));
        all[month] += 1.0;
    }
    std::array::from_fn(|month| is[month] / all[month].max(1.0))
}

/// A year of hours shows little of one month: its neighbours count half.
fn smooth(shares: [f64; 12]) -> [f64; 12] {
    std::array::from_fn(|m| (shares[(m + 11) % 12] + 2.0 * shares[m] + shares[(m + 1) % 12]) / 4.0)
}

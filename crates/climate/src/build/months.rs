//! Figures of each month that the calibration moves a preset to, of a record or of simulated days
//! alike. Not here: the figures that the bands judge (`statistics`).

use crate::observations::Record;
use crate::statistics::{WET_DAY_MM, WET_HOUR_MM};

/// Wet hours that make a wet day where no amounts are known.
const WET_HOURS_MIN: usize = 3;

/// A day, simulated or observed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub(super) year: i32,
    pub(super) month: usize,
    pub(super) min_c: f64,
    pub(super) max_c: f64,
    pub(super) mm: f64,
    pub(super) wet_hours: usize,
}

/// Figures of one month of the year.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Month {
    /// Of days.
    pub(super) wet_share: f64,
    pub(super) wet_mm: f64,
    pub(super) max_c: f64,
    pub(super) min_c: f64,
    pub(super) max_sd: f64,
    pub(super) min_sd: f64,
    pub(super) middle_sd: f64,
    pub(super) max_skew: f64,
    pub(super) min_skew: f64,
    pub(super) max_wet_minus_dry: f64,
    pub(super) min_wet_minus_dry: f64,
}

impl Month {
    /// Adds a part of another's figures.
    pub(super) fn add(&mut self, part: f64, mut other: Self) {
        for (sum, more) in self.figures().into_iter().zip(other.figures()) {
            *sum += part * *more;
        }
    }

    fn figures(&mut self) -> [&mut f64; 11] {
        [
            &mut self.wet_share,
            &mut self.wet_mm,
            &mut self.max_c,
            &mut self.min_c,
            &mut self.max_sd,
            &mut self.min_sd,
            &mut self.middle_sd,
            &mut self.max_skew,
            &mut self.min_skew,
            &mut self.max_wet_minus_dry,
            &mut self.min_wet_minus_dry,
        ]
    }
}

/// What makes a day wet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WetBy {
    Amount,
    Hours,
}

impl WetBy {
    /// What a record can tell.
    pub(super) fn of(record: &Record) -> Self {
        let amounts = record.days.iter().any(|day| day.precip_mm.is_some());
        if amounts { Self::Amount } else { Self::Hours }
    }

    fn is_wet(self, day: &Day) -> bool {
        match self {
            Self::Amount => day.mm >= WET_DAY_MM,
            Self::Hours => day.wet_hours >= WET_HOURS_MIN,
        }
    }
}

/// The days of a record.
pub(super) fn observed(record: &Record) -> Vec<Day> {
    let mut hours = record.hours.iter().peekable();
    let day = |day: &crate::observations::Day| {
        let date = (day.year, day.month, day.day);
        while hours.next_if(|h| (h.year, h.month, h.day) < date).is_some() {}
        let mut wet_hours = 0;
        while let Some(hour) = hours.next_if(|h| (h.year, h.month, h.day) == date) {
            let named = hour.state.is_some_and(worldbus_world::WeatherState::is_wet);
            let measured = hour.precip_mm.is_some_and(|mm| mm >= WET_HOUR_MM);
            wet_hours += usize::from(named || measured);
        }
        Day {
            year: day.year,
            month: usize::from(day.month) - 1,
            min_c: day.tmin_c,
            max_c: day.tmax_c,
            mm: day.precip_mm.unwrap_or(0.0),
            wet_hours,
        }
    };
    record.days.iter().map(day).collect()
}

/// The months of days. What one span of `window_years` has of its own is not chance.
pub(super) fn months(days: &[Day], wet_by: WetBy, window_years: i32) -> [Month; 12] {
    let first = days.first().map_or(0, |day| day.year);
    std::array::from_fn(|month| {
        let of_month: Vec<&Day> = days.iter().filter(|day| day.month == month).collect();
        let window = |day: &Day| (day.year - first) / window_years.max(1);
        let spans: Vec<&[&Day]> = of_month.chunk_by(|a, b| window(a) == window(b)).collect();
        let wet = of_month.iter().filter(|day| wet_by.is_wet(day));
        Month {
            wet_share: wet.clone().count() as f64 / of_month.len().max(1) as f64,
            wet_mm: mean(wet.map(|day| day.mm)),
            max_c: mean(of_month.iter().map(|day| day.max_c)),
            min_c: mean(of_month.iter().map(|day| day.min_c)),
            max_sd: deviation(&spans, |day| day.max_c),
            min_sd: deviation(&spans, |day| day.min_c),
            middle_sd: deviation(&spans, |day| (day.min_c + day.max_c) / 2.0),
            max_skew: skew(&spans, |day| day.max_c),
            min_skew: skew(&spans, |day| day.min_c),
            max_wet_minus_dry: wet_minus_dry(&spans, wet_by, |day| day.max_c),
            min_wet_minus_dry: wet_minus_dry(&spans, wet_by, |day| day.min_c),
        }
    })
}

/// A record of fewer years shows little of one month.
const YEAR_COUNT_MIN: i32 = 10;
const WET_SHARE_MIN: f64 = 1e-3;

/// Chance of short records out of what changes slowly from month to month. What the bands judge
/// month by month stays as it is in a long record, and as it is in any if it is temperature.
pub(super) fn smoothed(months: [Month; 12], record_years: i32) -> [Month; 12] {
    let short = record_years < YEAR_COUNT_MIN;
    let weights: &[f64] = if short { &[1.0, 2.0, 3.0, 2.0, 1.0] } else { &[1.0, 4.0, 1.0] };
    std::array::from_fn(|m| {
        let mut around = Month::default();
        let half = weights.len() / 2;
        for (i, weight) in weights.iter().enumerate() {
            let mut near = months[(m + 12 + i - half) % 12];
            // The water of all days, since a month without a wet day shows nothing of one.
            near.wet_mm *= near.wet_share;
            around.add(weight / weights.iter().sum::<f64>(), near);
        }
        around.wet_mm /= around.wet_share.max(WET_SHARE_MIN);
        let Month { max_c, min_c, .. } = months[m];
        let rain = if short { around } else { months[m] };
        Month { max_c, min_c, wet_share: rain.wet_share, wet_mm: rain.wet_mm, ..around }
    })
}

/// Shares of each month, with the chance of a short record taken out.
pub(super) fn smoothed_shares(shares: [f64; 12], record_years: i32) -> [f64; 12] {
    let months = shares.map(|wet_share| Month { wet_share, ..Month::default() });
    smoothed(months, record_years).map(|month| month.wet_share)
}

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

fn deviation(spans: &[&[&Day]], of: impl Fn(&Day) -> f64) -> f64 {
    moment(spans, of, 2).sqrt()
}

fn skew(spans: &[&[&Day]], of: impl Fn(&Day) -> f64 + Copy) -> f64 {
    moment(spans, of, 3) / deviation(spans, of).max(0.1).powi(3)
}

/// The mean power of what days differ by from the mean of their span.
fn moment(spans: &[&[&Day]], of: impl Fn(&Day) -> f64, power: i32) -> f64 {
    let powers = spans.iter().flat_map(|span| {
        let middle = mean(span.iter().map(|day| of(day)));
        span.iter().map(|day| (of(day) - middle).powi(power)).collect::<Vec<_>>()
    });
    mean(powers)
}

fn wet_minus_dry(spans: &[&[&Day]], wet_by: WetBy, of: impl Fn(&Day) -> f64) -> f64 {
    let (mut wet, mut dry) = (Vec::new(), Vec::new());
    for span in spans {
        let middle = mean(span.iter().map(|day| of(day)));
        for day in *span {
            let side = if wet_by.is_wet(day) { &mut wet } else { &mut dry };
            side.push(of(day) - middle);
        }
    }
    if wet.is_empty() || dry.is_empty() { 0.0 } else { mean(wet) - mean(dry) }
}

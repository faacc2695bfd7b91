//! Quantile tables, normal scores and correlations from hours of observations.
//! Not here: temperature, whose table is found by simulation.

use super::months::mean;
use super::rain::rounded;
use super::temperature::Shape;
use crate::observations::{Hour, Record};
use crate::statistics::WET_HOUR_MM;
use worldbus_world::WeatherState;
use worldbus_world::preset::{Preset, SLOT_COUNT, Table};

/// Values of a month and time of day that make a distribution.
const VALUE_COUNT_MIN: usize = 20;
const SLOT_HOURS: usize = 24 / SLOT_COUNT;
const LOADING_MAX: f64 = 0.85;
const TEMPERATURE_LOADING_MAX: f64 = 0.5;

/// What an hour has of a variable.
pub(super) type Read = fn(&Hour) -> Option<f64>;

pub(super) fn depression_k(hour: &Hour) -> Option<f64> {
    Some((hour.temp_c? - hour.dew_c?).max(0.0))
}

pub(super) fn wet(hour: &Hour) -> Option<bool> {
    let named = hour.state.map(WeatherState::is_wet);
    named.or(hour.precip_mm.map(|mm| mm >= WET_HOUR_MM))
}

/// The time of day that an hour counts to: the nearest.
fn slot(hour: &Hour) -> usize {
    (usize::from(hour.hour) + SLOT_HOURS / 2) / SLOT_HOURS % SLOT_COUNT
}

/// A table of what was observed times `scale`, if each month and time of day has enough of it.
pub(super) fn table(record: &Record, read: Read, scale: f64, most: f64) -> Option<Table> {
    let mut cells = vec![Vec::new(); 12 * SLOT_COUNT];
    for hour in &record.hours {
        let cell = (usize::from(hour.month) - 1) * SLOT_COUNT + slot(hour);
        cells[cell].extend(read(hour).map(|value| scale * value));
    }
    cells.iter_mut().for_each(|values| values.sort_by(f64::total_cmp));
    let enough = cells.iter().all(|values| values.len() >= VALUE_COUNT_MIN);
    let quantile =
        |m: usize, s: usize, z: f64| quantile(&cells[m * SLOT_COUNT + s], z).clamp(0.0, most);
    enough.then(|| Table::from_quantiles(quantile))
}

/// The table of cloud. Observers count octas or tenths: their steps are spread evenly, and so that
/// what they call clear and partly cloudy is so here.
pub(super) fn cloud(record: &Record) -> Option<Table> {
    let edges = Edges::of(record);
    let spread = spread(record.hours.iter().map(|hour| hour.cloud));
    let mut hours = record.hours.clone();
    for (hour, cloud) in hours.iter_mut().zip(spread) {
        hour.cloud = cloud.map(|cloud| edges.place(cloud));
    }
    let record = Record { hours, days: Vec::new(), months_apart: false };
    table(&record, |hour| hour.cloud, 1000.0, 1000.0)
}

/// Spreads equal values between the middles to their neighbours, in order of time by turns.
fn spread(values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let values: Vec<Option<f64>> = values.collect();
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    known.dedup();
    let bounds = |value: f64| {
        let at = known.partition_point(|other| *other < value);
        let low = if at == 0 { value } else { (known[at - 1] + value) / 2.0 };
        (low, known.get(at + 1).map_or(value, |next| (value + next) / 2.0))
    };
    // Multiples of the golden ratio fill the unit evenly, however many there are.
    let turn = |index: usize| (index as f64 * 0.618_033_988_749_894_9).fract();
    let spread = |(index, value): (usize, Option<f64>)| {
        let (low, high) = bounds(value?);
        Some(low + (high - low) * turn(index))
    };
    values.into_iter().enumerate().map(spread).collect()
}

/// Where observers begin to say partly cloudy and cloudy.
struct Edges {
    partly: f64,
    cloudy: f64,
}

impl Edges {
    fn of(record: &Record) -> Self {
        let of = |state: WeatherState| {
            let hours = record.hours.iter().filter(move |hour| hour.state == Some(state));
            hours.filter_map(|hour| hour.cloud)
        };
        let between = |low: WeatherState, high: WeatherState, usual: f64| {
            let low = of(low).reduce(f64::max);
            let high = of(high).reduce(f64::min);
            low.zip(high).map_or(usual, |(low, high)| (low + high) / 2.0)
        };
        use WeatherState::{Clear, Cloudy, PartlyCloudy};
        Self {
            partly: between(Clear, PartlyCloudy, CLEAR_MAX),
            cloudy: between(PartlyCloudy, Cloudy, PARTLY_MAX),
        }
    }

    fn place(&self, cloud: f64) -> f64 {
        let part = |low: f64, high: f64| ((cloud - low) / (high - low)).clamp(0.0, 1.0);
        if cloud <= self.partly {
            CLEAR_MAX * part(0.0, self.partly)
        } else if cloud <= self.cloudy {
            CLEAR_MAX + (PARTLY_MAX - CLEAR_MAX) * part(self.partly, self.cloudy)
        } else {
            PARTLY_MAX + (1.0 - PARTLY_MAX) * part(self.cloudy, 1.0)
        }
    }
}

const CLEAR_MAX: f64 = 0.25;
const PARTLY_MAX: f64 = 0.65;

/// The value at a deviate; beyond the extremes of the record on a straight line.
fn quantile(sorted: &[f64], z: f64) -> f64 {
    let count = sorted.len() as f64;
    let inside = deviate(1.0 - 0.5 / count);
    let at = |z: f64| {
        let at = (probability(z) * count - 0.5).clamp(0.0, count - 1.0);
        let low = at as usize;
        let high = (low + 1).min(sorted.len() - 1);
        sorted[low] + (sorted[high] - sorted[low]) * at.fract()
    };
    if z > inside {
        at(inside) + (z - inside) * (at(inside) - at(1.0)) / (inside - 1.0)
    } else if z < -inside {
        at(-inside) - (-z - inside) * (at(-1.0) - at(-inside)) / (inside - 1.0)
    } else {
        at(z)
    }
}

/// How the usual temperature of each month goes from lowest to highest, by hours of a record.
pub(super) fn shape_of_record(record: &Record) -> Option<Shape> {
    let table = |month: usize, slot: usize| {
        let hours = record.hours.iter().filter(|hour| {
            usize::from(hour.month) == month + 1 && usize::from(hour.hour) == slot * SLOT_HOURS
        });
        let values: Vec<f64> = hours.filter_map(|hour| hour.temp_c).collect();
        (!values.is_empty()).then(|| mean(values))
    };
    let mut usual = [[0.0; SLOT_COUNT]; 12];
    for (month, row) in usual.iter_mut().enumerate() {
        for (slot, value) in row.iter_mut().enumerate() {
            *value = table(month, slot)?;
        }
    }
    Some(shape(&usual))
}

/// The same of a preset.
pub(super) fn shape_of_preset(preset: &Preset) -> Shape {
    let middle = preset.temperature.rows().iter().map(|row| row[row.len() / 2]);
    let middle: Vec<f64> = middle.collect();
    let usual = std::array::from_fn(|m| std::array::from_fn(|s| middle[m * SLOT_COUNT + s]));
    shape(&usual)
}

fn shape(usual: &Shape) -> Shape {
    usual.map(|row| {
        let low = row.iter().copied().fold(f64::MAX, f64::min);
        let high = row.iter().copied().fold(f64::MIN, f64::max);
        row.map(|value| (value - low) / (high - low).max(0.1))
    })
}

/// Correlations between normal scores, as far as a record shows them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scores {
    cloud_rain: Option<f64>,
    depression_rain: Option<f64>,
    depression_cloud: Option<f64>,
    wind_rain: Option<f64>,
    temperature_depression: Option<f64>,
}

impl Scores {
    pub(super) fn of(record: &Record) -> Self {
        let temperature = scores(record, |hour| hour.temp_c);
        let depression = scores(record, depression_k);
        let cloud = scores(record, |hour| hour.cloud);
        let wind = scores(record, |hour| hour.wind_ms);
        let rain: Vec<Option<bool>> = record.hours.iter().map(wet).collect();
        Self {
            cloud_rain: with_rain(&cloud, &rain),
            depression_rain: with_rain(&depression, &rain),
            depression_cloud: correlation(&depression, &cloud),
            wind_rain: with_rain(&wind, &rain),
            temperature_depression: correlation(&temperature, &depression),
        }
    }

    /// The loadings that give these correlations. Two variables of different pace share less than
    /// their loading suggests.
    pub(super) fn apply(&self, preset: &mut Preset) {
        let o = &preset.octaves;
        let loading = |found: f64, octaves: &[f64; 5]| {
            let shared = overlap(octaves, &o.precipitation);
            (found / shared).clamp(-LOADING_MAX, LOADING_MAX)
        };
        let own = |loading: f64| (1.0 - loading * loading).sqrt();
        let c = &mut preset.correlations;
        if let Some(found) = self.cloud_rain {
            c.cloud_rain = rounded(loading(found, &o.cloud));
        }
        if let Some(found) = self.depression_rain {
            c.depression_rain = rounded(loading(found, &o.depression).max(-0.7));
        }
        if let Some(found) = self.wind_rain {
            c.wind_rain = rounded(loading(found, &o.wind));
        }
        if let Some(found) = self.depression_cloud {
            let shared = overlap(&o.depression, &o.cloud);
            let own = (found / shared - c.depression_rain * c.cloud_rain) / own(c.cloud_rain);
            c.depression_cloud = rounded(own.clamp(-0.6, 0.6));
        }
        if let Some(found) = self.temperature_depression {
            let shared = overlap(&o.depression, &o.temperature);
            let left = (1.0 - c.depression_rain.powi(2) - c.depression_cloud.powi(2)).sqrt();
            let most = TEMPERATURE_LOADING_MAX;
            c.temperature_depression = rounded((found / shared / left).clamp(-most, most));
        }
    }
}

fn overlap(a: &[f64; 5], b: &[f64; 5]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).sqrt()).sum::<f64>().max(0.3)
}

/// The normal scores of a variable among those of the same month and time of day.
fn scores(record: &Record, read: Read) -> Vec<Option<f64>> {
    let mut cells: Vec<Vec<(f64, usize)>> = vec![Vec::new(); 12 * SLOT_COUNT];
    for (index, hour) in record.hours.iter().enumerate() {
        let cell = (usize::from(hour.month) - 1) * SLOT_COUNT + slot(hour);
        cells[cell].extend(read(hour).map(|value| (value, index)));
    }
    let mut scores = vec![None; record.hours.len()];
    for values in &mut cells {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = values.len() as f64;
        let mut first = 0;
        for tied in values.chunk_by(|a, b| a.0 == b.0) {
            let rank = first as f64 + tied.len() as f64 / 2.0;
            let score = deviate(rank / count);
            tied.iter().for_each(|(_, index)| scores[*index] = Some(score));
            first += tied.len();
        }
    }
    scores
}

fn correlation(a: &[Option<f64>], b: &[Option<f64>]) -> Option<f64> {
    let pairs: Vec<(f64, f64)> =
        a.iter().zip(b).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
    let of = |value: fn(&(f64, f64)) -> f64| mean(pairs.iter().map(value));
    let (square_a, square_b) = (of(|p| p.0 * p.0), of(|p| p.1 * p.1));
    (pairs.len() > VALUE_COUNT_MIN).then(|| of(|p| p.0 * p.1) / (square_a * square_b).sqrt())
}

/// The correlation with the latent rain that is known by its sign alone (biserial).
fn with_rain(scores: &[Option<f64>], rain: &[Option<bool>]) -> Option<f64> {
    let pairs = || scores.iter().zip(rain).filter_map(|(z, wet)| Some(((*z)?, (*wet)?)));
    let share = mean(pairs().map(|(_, wet)| f64::from(u8::from(wet))));
    let of = |wanted: bool| mean(pairs().filter(|(_, wet)| *wet == wanted).map(|(z, _)| z));
    let z = deviate(share);
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let found = (of(true) - of(false)) * share * (1.0 - share) / density;
    (share > 0.0 && share < 1.0).then_some(found)
}

/// The probability that a normal deviate is below this.
fn probability(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The normal deviate that has this probability below it.
fn deviate(probability_below: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if probability(middle) < probability_below { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

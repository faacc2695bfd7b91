//! Reads a preset's file, strictly: a number that is missing, not finite, out of its range or out
//! of order is refused with its line and key. Not here: reading it from a disk.

use toml::Spanned;
use toml::de::DeValue;

use super::table::Row;
use super::{Correlations, KNOT_COUNT, Monthly, Octaves, Preset, SLOT_COUNT, Shares, Table};
use crate::source::{self, Source, WorldFileError};

const TEXT_CHARS_MAX: usize = 4000;
const ROW_COUNT: usize = 12 * SLOT_COUNT;
/// Shares of octaves are written with six digits.
const SHARE_SUM_TOLERANCE: f64 = 1e-4;
/// The parts of a latent variable's variance that others lend must leave some of its own.
const LOADING_SUM_MAX: f64 = 1.0;

type Keys<'a> = source::Table<'a>;

const KEYS: source::Keys = &[
    "name",
    "source",
    "validated",
    "octaves",
    "correlations",
    "latitude",
    "elevation_m",
    "heat_dc",
    "cold_dc",
    "heat_index_dc",
    "wind_chill_dc",
    "prevailing_deg",
    "rain_onset_z",
    "rain_rate_mmph",
    "rain_steepness",
    "shower_mmph",
    "shower_onset_z",
    "fog_depression_k",
    "mist_depression_k",
    "thunder_cut",
    "temperature_rain",
    "temperature",
    "depression",
    "wind",
    "cloud",
];
const OCTAVES_KEYS: source::Keys =
    &["precipitation", "cloud", "depression", "wind", "temperature", "convection"];
const CORRELATIONS_KEYS: source::Keys =
    &["cloud_rain", "depression_rain", "depression_cloud", "wind_rain", "temperature_depression"];

impl Preset {
    /// Parses a preset's text; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake: no TOML, a key unknown or missing, a number that is not finite or out
    /// of its range, a row of a table that does not rise, shares that do not sum to 1.
    pub fn parse(file: &str, text: &str) -> Result<Self, WorldFileError> {
        let source = Source { file, text };
        let parsed = source.parse()?;
        let mut k = Keys::root(&source, &parsed, KEYS)?;
        let name = line(&mut k, "name")?;
        let source_text = line(&mut k, "source")?;
        let validated = line(&mut k, "validated")?;
        let mut octaves = k.table("octaves", OCTAVES_KEYS)?;
        let mut correlations = k.table("correlations", CORRELATIONS_KEYS)?;
        let preset = Self {
            name,
            source: source_text,
            validated,
            latitude: k.number("latitude", "degrees", -90.0, 90.0)?,
            elevation_m: k.number("elevation_m", "metres", -500.0, 9000.0)?,
            heat_dc: k.integer("heat_dc", 0, 700)?,
            cold_dc: k.integer("cold_dc", -1000, 200)?,
            heat_index_dc: k.integer("heat_index_dc", 270, 1000)?,
            wind_chill_dc: k.integer("wind_chill_dc", -1500, 0)?,
            prevailing_deg: k.number("prevailing_deg", "degrees", 0.0, 360.0)?,
            rain_onset_z: monthly(&mut k, "rain_onset_z", -4.0, 6.0)?,
            rain_rate_mmph: monthly(&mut k, "rain_rate_mmph", 0.0, 200.0)?,
            rain_steepness: k.number("rain_steepness", "1", -0.15, 100.0)?,
            shower_mmph: k.number("shower_mmph", "mm/h", 0.0, 200.0)?,
            shower_onset_z: monthly(&mut k, "shower_onset_z", -4.0, 9.0)?,
            fog_depression_k: monthly(&mut k, "fog_depression_k", 0.0, 50.0)?,
            mist_depression_k: monthly(&mut k, "mist_depression_k", 0.0, 50.0)?,
            thunder_cut: monthly(&mut k, "thunder_cut", -99.0, 99.0)?,
            temperature_rain: loads(&mut k, "temperature_rain")?,
            octaves: shares(&mut octaves)?,
            correlations: loadings(&mut correlations)?,
            temperature: rising(&mut k, "temperature", -12_000.0, 8000.0)?,
            depression: rising(&mut k, "depression", -5000.0, 10_000.0)?,
            wind: rising(&mut k, "wind", -10_000.0, 15_000.0)?,
            cloud: rising(&mut k, "cloud", -5000.0, 5000.0)?,
        };
        octaves.finish()?;
        correlations.finish()?;
        preset.check(&k)?;
        k.finish()?;
        Ok(preset)
    }

    /// What no single number shows.
    fn check(&self, k: &Keys<'_>) -> Result<(), WorldFileError> {
        for (month, (fog, mist)) in
            self.fog_depression_k.iter().zip(self.mist_depression_k).enumerate()
        {
            if *fog > mist {
                let month = month + 1;
                let message = format!("expected month {month} at least {fog} as fog, found {mist}");
                return Err(k.error("mist_depression_k", message));
            }
        }
        if self.cold_dc >= self.heat_dc {
            let message = format!("expected less than heat_dc, found {}", self.cold_dc);
            return Err(k.error("cold_dc", message));
        }
        let (d, c) = (self.correlations.temperature_depression, &self.correlations);
        let squares = self.temperature_rain.iter().flatten().map(|rain| rain * rain + d * d);
        let (rain, cloud) = (c.depression_rain, c.depression_cloud);
        let most = squares.fold(rain * rain + cloud * cloud, f64::max);
        if most > LOADING_SUM_MAX {
            let message = format!("expected squares of loadings to sum to 1 at most, found {most}");
            return Err(k.error("correlations", message));
        }
        Ok(())
    }
}

fn line(k: &mut Keys<'_>, key: &'static str) -> Result<String, WorldFileError> {
    k.with(key, |value| {
        let fits = |s: &&str| (1..=TEXT_CHARS_MAX).contains(&s.chars().count());
        let wanted = format!("a text of 1 to {TEXT_CHARS_MAX} characters");
        let text = value.as_str().filter(fits).map(str::to_owned);
        text.ok_or_else(|| source::expected(&wanted, value))
    })
}

/// An array of exactly `count` values.
fn items<'a>(
    k: &Keys<'a>,
    key: &str,
    value: &'a Spanned<DeValue<'a>>,
    count: usize,
) -> Result<&'a [Spanned<DeValue<'a>>], WorldFileError> {
    let items = value.get_ref().as_array().filter(|array| array.len() == count);
    let message = || source::expected(&format!("an array of {count}"), value.get_ref());
    items.map(|array| &array[..]).ok_or_else(|| k.error_at(value.span().start, key, message()))
}

/// An array of exactly `N` finite numbers in a range.
fn numbers<const N: usize>(
    k: &Keys<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    (min, max): (f64, f64),
) -> Result<[f64; N], WorldFileError> {
    let mut numbers = [0.0; N];
    for (index, item) in items(k, key, value, N)?.iter().enumerate() {
        let found = source::number_text(item.get_ref()).and_then(|text| text.parse::<f64>().ok());
        let wanted = || format!("a number from {min} to {max}");
        let message = || source::expected(&wanted(), item.get_ref());
        let found = found.filter(|number| (min..=max).contains(number));
        let key = || format!("{key}[{index}]");
        numbers[index] = found.ok_or_else(|| k.error_at(item.span().start, &key(), message()))?;
    }
    Ok(numbers)
}

fn monthly(
    k: &mut Keys<'_>,
    key: &'static str,
    min: f64,
    max: f64,
) -> Result<Monthly, WorldFileError> {
    let value = k.spanned(key)?;
    numbers(k, key, value, (min, max))
}

fn loads(k: &mut Keys<'_>, key: &'static str) -> Result<[[f64; SLOT_COUNT]; 12], WorldFileError> {
    let value = k.spanned(key)?;
    let mut loads = [[0.0; SLOT_COUNT]; 12];
    for (month, row) in items(k, key, value, 12)?.iter().enumerate() {
        loads[month] = numbers(k, &format!("{key}[{month}]"), row, (-1.0, 1.0))?;
    }
    Ok(loads)
}

fn rising(
    k: &mut Keys<'_>,
    key: &'static str,
    min: f64,
    max: f64,
) -> Result<Table, WorldFileError> {
    let value = k.spanned(key)?;
    let mut rows: Vec<Row> = Vec::with_capacity(ROW_COUNT);
    for (index, row) in items(k, key, value, ROW_COUNT)?.iter().enumerate() {
        let key = format!("{key}[{index}]");
        let knots: [f64; KNOT_COUNT] = numbers(k, &key, row, (min, max))?;
        if let Some(at) = knots.windows(2).position(|pair| pair[0] > pair[1]) {
            let (month, hour) = (index / SLOT_COUNT + 1, index % SLOT_COUNT * 24 / SLOT_COUNT);
            let (low, high) = (knots[at], knots[at + 1]);
            let message = format!(
                "expected rising knots in month {month} at {hour} h, found {low} before {high}"
            );
            return Err(k.error_at(row.span().start, &key, message));
        }
        rows.push(knots);
    }
    Ok(Table::of_rows(rows))
}

fn shares(k: &mut Keys<'_>) -> Result<Shares, WorldFileError> {
    Ok(Shares {
        precipitation: octaves(k, "precipitation")?,
        cloud: octaves(k, "cloud")?,
        depression: octaves(k, "depression")?,
        wind: octaves(k, "wind")?,
        temperature: octaves(k, "temperature")?,
        convection: octaves(k, "convection")?,
    })
}

fn octaves(k: &mut Keys<'_>, key: &'static str) -> Result<Octaves, WorldFileError> {
    let value = k.spanned(key)?;
    let shares: Octaves = numbers(k, key, value, (0.0, 1.0))?;
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() > SHARE_SUM_TOLERANCE {
        return Err(k.error(key, format!("expected shares that sum to 1, found a sum of {sum}")));
    }
    Ok(shares)
}

fn loadings(k: &mut Keys<'_>) -> Result<Correlations, WorldFileError> {
    let mut loading = |key: &'static str| k.number(key, "1", -1.0, 1.0);
    Ok(Correlations {
        cloud_rain: loading("cloud_rain")?,
        depression_rain: loading("depression_rain")?,
        depression_cloud: loading("depression_cloud")?,
        wind_rain: loading("wind_rain")?,
        temperature_depression: loading("temperature_depression")?,
    })
}

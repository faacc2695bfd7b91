//! What the daily record of Brussels does not say: humidity, wind, cloud, the course of a day,
//! and how often there is fog, mist, thunder and heavy rain. Plausible figures for a lowland
//! city of north-western Europe; the shares are those of fourteen German test reference years.

use super::super::{Correlations, Monthly, Octaves, Preset, Shares, Table};

const SOURCE: &str = "Temperature and precipitation: daily observations, Brussels 1976-1990, \
from the Python package aquacrop 3.1 (Apache-2.0). Wind, humidity and cloud: priors. \
Shares of fog, mist, thunder and heavy rain: German test reference years.";

const PRECIPITATION: Octaves = [0.30, 0.24, 0.28, 0.13, 0.05];
const CLOUD: Octaves = [0.10, 0.25, 0.45, 0.17, 0.03];
const DEPRESSION: Octaves = [0.06, 0.16, 0.45, 0.28, 0.05];
const WIND: Octaves = [0.14, 0.33, 0.50, 0.03, 0.0];
const TEMPERATURE: Octaves = [0.02, 0.04, 0.34, 0.48, 0.12];

/// Mean dew-point depression at dawn and in the afternoon, K.
const DEPRESSION_DAWN: Monthly = [1.7, 1.8, 2.0, 2.2, 2.2, 2.2, 2.3, 1.9, 1.6, 1.5, 1.6, 1.6];
const DEPRESSION_NOON: Monthly = [2.9, 4.0, 5.8, 7.8, 8.6, 8.8, 9.2, 9.0, 6.9, 4.8, 3.2, 2.6];
const DEPRESSION_SHAPE: f64 = 1.5;

/// Mean wind at night and in the afternoon, m/s; Weibull.
const WIND_NIGHT: Monthly = [4.3, 4.1, 3.9, 3.3, 3.0, 2.8, 2.8, 2.7, 3.0, 3.4, 3.9, 4.2];
const WIND_NOON: Monthly = [4.9, 4.9, 5.0, 4.7, 4.4, 4.2, 4.2, 4.0, 4.2, 4.4, 4.6, 4.8];
const WIND_SHAPE: f64 = 1.95;

/// Shares of hours with a clear and with a partly cloudy sky, whatever else there is.
const CLEAR: Monthly = [0.19, 0.20, 0.22, 0.23, 0.24, 0.25, 0.26, 0.27, 0.25, 0.23, 0.18, 0.17];
const PARTLY: Monthly = [0.10, 0.12, 0.16, 0.18, 0.22, 0.25, 0.25, 0.24, 0.20, 0.15, 0.12, 0.10];

/// Shares of hours.
pub(super) struct StateShares {
    pub(super) fog: f64,
    pub(super) mist: f64,
    pub(super) storm: f64,
    /// Of more than 7.6 mm/h, storms included: half of what the observers of the reference years
    /// called heavy. With all of it the heavy days of the daily record would be too wet.
    pub(super) heavy_rain: f64,
}

/// Shares of a month of 0 to 11, those of its season.
pub(super) fn shares(month: usize) -> StateShares {
    let (fog, mist, storm, heavy_rain) = match month {
        2..=4 => (0.0133, 0.0565, 0.0061, 0.001_15),
        5..=7 => (0.0095, 0.0408, 0.0186, 0.001_55),
        8..=10 => (0.0381, 0.0741, 0.0026, 0.0015),
        _ => (0.0392, 0.1201, 0.0004, 0.0006),
    };
    StateShares { fog, mist, storm, heavy_rain }
}

/// How far a time of day is from the night's lowest (0) to the afternoon's highest (1)
/// temperature, in winter and in summer.
pub(super) fn day_shape(month: usize, slot: usize) -> f64 {
    const WINTER: [f64; 8] = [0.22, 0.10, 0.0, 0.22, 0.80, 1.0, 0.55, 0.35];
    const SUMMER: [f64; 8] = [0.22, 0.06, 0.06, 0.46, 0.82, 1.0, 0.84, 0.42];
    let part = summer(month);
    WINTER[slot] + (SUMMER[slot] - WINTER[slot]) * part
}

/// 0 in January, 1 in July.
fn summer(month: usize) -> f64 {
    let from_july = month.abs_diff(6) as f64;
    1.0 - from_july / 6.0
}

pub(super) fn brussels() -> Preset {
    let noon = |night: &Monthly, day: &Monthly, m: usize, s: usize| {
        night[m] + (day[m] - night[m]) * day_shape(m, s)
    };
    let preset = Preset {
        name: "brussels".to_owned(),
        source: SOURCE.to_owned(),
        latitude: 50.8,
        elevation_m: 100.0,
        heat_dc: 350,
        cold_dc: -150,
        prevailing_deg: 235.0,
        rain_onset_z: [0.9; 12],
        rain_rate_mmph: [1.5; 12],
        shower_onset_z: [2.0; 12],
        fog_depression_k: [0.2; 12],
        mist_depression_k: [0.6; 12],
        thunder_cut: [1.0; 12],
        temperature_rain: [[0.0; 8]; 12],
        octaves: Shares {
            precipitation: PRECIPITATION,
            cloud: CLOUD,
            depression: DEPRESSION,
            wind: WIND,
            temperature: TEMPERATURE,
        },
        correlations: Correlations {
            cloud_rain: 0.58,
            depression_rain: -0.42,
            depression_cloud: -0.22,
            wind_rain: 0.24,
            temperature_depression: 0.25,
        },
        amplitudes: Shares::default(),
        temperature: Table::from_quantiles(|_, _, z| 1000.0 + 500.0 * z),
        depression: Table::from_quantiles(|m, s, z| {
            let mean = noon(&DEPRESSION_DAWN, &DEPRESSION_NOON, m, s);
            100.0 * weibull(mean, DEPRESSION_SHAPE, z)
        }),
        wind: Table::from_quantiles(|m, s, z| {
            100.0 * weibull(noon(&WIND_NIGHT, &WIND_NOON, m, s), WIND_SHAPE, z)
        }),
        cloud: Table::from_quantiles(|m, _, z| cover_permille(CLEAR[m], PARTLY[m], z)),
    };
    preset.prepared()
}

/// The quantile at deviate `z` of a Weibull distribution with this mean and shape.
fn weibull(mean: f64, shape: f64, z: f64) -> f64 {
    let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
    let exceeded = 0.5 * libm::erfc(z / core::f64::consts::SQRT_2);
    scale * libm::pow(-libm::log(exceeded), 1.0 / shape)
}

/// Cover as a quantile function: through a quarter at the share of clear sky, through 65 % at
/// that of partly cloudy sky; the sky is mostly either clear or overcast.
fn cover_permille(clear: f64, partly: f64, z: f64) -> f64 {
    let p = 1.0 - 0.5 * libm::erfc(z / core::f64::consts::SQRT_2);
    let broken = clear + partly;
    let part = |low: f64, high: f64| (p - low) / (high - low);
    if p < clear {
        250.0 * libm::pow(part(0.0, clear), 1.5)
    } else if p < broken {
        250.0 + 400.0 * part(clear, broken)
    } else {
        650.0 + 350.0 * libm::pow(part(broken, 1.0), 0.6)
    }
}

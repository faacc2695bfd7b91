//! The field of many years at one place, kept, so that a builder of presets can try one preset
//! after another upon the same chance. Offline only: a running world asks [`super::Weather`].

use std::sync::Arc;

use super::classify;
use super::conditions::Numbers;
use super::field::{self, Noise, OCTAVE_COUNT, Place};
use super::hour::{self, Hour, Latent};
use super::preset::{Preset, Season};
use super::{Climate, WeatherState};
use crate::calendar::{Calendar, DateTime};
use crate::time::GameTime;

/// Hours that a blizzard looks back.
const BLIZZARD_BACK_H: usize = 2;
const FIRST_YEAR: i32 = 2001;

/// Kept noise: half the size of [`Noise`], and the loss is far below any figure of a climate.
type Kept = [[f32; OCTAVE_COUNT]; 8];

/// Years of the field.
#[derive(Clone, Debug)]
pub struct Trial {
    hours: Vec<(DateTime, Season, Kept)>,
}

/// An hour of a preset on trial, as numbers that are not yet rounded.
#[derive(Clone, Copy, Debug)]
pub struct TrialHour {
    /// Air temperature, C.
    pub temperature_c: f64,
    /// Temperature minus dew point, K.
    pub depression_k: f64,
    /// Mean wind, m/s.
    pub wind_mps: f64,
    /// Covered sky, 0 to 1.
    pub cloud: f64,
    /// Rain and melted snow, mm/h.
    pub rate_mmph: f64,
    /// What falls, falls as snow.
    pub snow: bool,
    /// What [`Preset::thunder_cut`] is compared with.
    pub thunder_index: f64,
    /// What it is called.
    pub state: WeatherState,
}

impl Trial {
    /// The field of `year_count` years from 2001 on under a seed.
    pub fn new(seed: u64, year_count: u32) -> Self {
        let epoch = DateTime { year: FIRST_YEAR, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        #[expect(clippy::expect_used, reason = "a constant date")]
        let calendar = Calendar::new(epoch).expect("a date");
        let key = [seed as u32, (seed >> 32) as u32];
        let place = Place::of_preset();
        let hour = |hour: i64| {
            let game = GameTime::from_hours(hour);
            let date = calendar.at(game);
            let season = Season::new(calendar.climate_position(game), false);
            let kept = field::noise(key, &place, hour).map(|o| o.map(|value| value as f32));
            (date, season, kept)
        };
        let end = FIRST_YEAR + year_count as i32;
        let hours = (0..).map(hour).take_while(|(date, ..)| date.year < end).collect();
        Self { hours }
    }

    /// How many hours there are.
    pub fn hour_count(&self) -> usize {
        self.hours.len()
    }

    /// When an hour is.
    ///
    /// # Panics
    /// If there is no such hour.
    pub fn date(&self, index: usize) -> DateTime {
        self.hours[index].0
    }

    /// The rain alone of each hour, mm/h: much cheaper than all of it.
    pub fn rates(&self, preset: &Preset) -> impl Iterator<Item = (DateTime, f64)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        self.hours.iter().map(move |(date, season, kept)| {
            let latent = Latent::of_rain(&noise(kept), &climate);
            (*date, climate.preset.rate_mmph(season, &latent))
        })
    }

    /// The air alone of each hour: temperature in C and rain in mm/h.
    pub fn air(&self, preset: &Preset) -> impl Iterator<Item = (DateTime, f64, f64)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        self.hours.iter().map(move |(date, season, kept)| {
            let latent = Latent::new(&noise(kept), &climate);
            let rate = climate.preset.rate_mmph(season, &latent);
            (*date, hour::air(&latent, season, &climate.preset, 0.0, rate).0, rate)
        })
    }

    /// Each hour as the preset makes it.
    pub fn hours(&self, preset: &Preset) -> impl Iterator<Item = (DateTime, TrialHour)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        let mut past = [false; BLIZZARD_BACK_H];
        self.hours.iter().map(move |(date, season, kept)| {
            let latent = Latent::new(&noise(kept), &climate);
            let hour = hour::compute(&latent, season, &climate.preset, 0.0);
            let now = classify::is_blizzard_hour(&hour.numbers);
            let long = now && past.iter().all(|was| *was);
            past.rotate_left(1);
            past[BLIZZARD_BACK_H - 1] = now;
            (*date, tried(&latent, season, &climate.preset, &hour, long))
        })
    }
}

fn tried(
    latent: &Latent,
    season: &Season,
    preset: &Preset,
    hour: &Hour,
    long_blizzard: bool,
) -> TrialHour {
    let n: &Numbers = &hour.numbers;
    let rate_mmph = preset.rate_mmph(season, latent);
    let (temperature_c, depression_k) = hour::air(latent, season, preset, 0.0, rate_mmph);
    let dew_point_c = temperature_c - depression_k;
    TrialHour {
        temperature_c,
        depression_k,
        wind_mps: preset.wind.at(season, latent.wind).max(0.0) / 100.0,
        cloud: n.cloud_permille as f64 / 1000.0,
        rate_mmph,
        snow: n.is_snow_phase(),
        thunder_index: hour::thunder_index(latent, season, preset, dew_point_c),
        state: classify::classify(n, hour.thunder, long_blizzard, preset),
    }
}

fn noise(kept: &Kept) -> Noise {
    kept.map(|octaves| octaves.map(f64::from))
}

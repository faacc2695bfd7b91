//! The field of many years at one place, kept, so that a builder of presets can try one preset
//! after another upon the same chance. Offline only: a running world asks
//! [`Weather`](crate::weather::Weather).

use std::sync::Arc;

use super::field::{self, Noise, Place};
use super::hour::{self, Hour};
use super::mix::{Latent, Mix};
use super::moment::{Lookup, Moment, Quantiles as _};
use crate::calendar::{Calendar, DateTime};
use crate::preset::{Preset, Season};
use crate::time::GameTime;
use crate::weather::conditions::Numbers;
use crate::weather::{Climate, WeatherState, classify, thermo};

/// Hours that a blizzard looks back.
const BLIZZARD_BACK_H: usize = 2;
const FIRST_YEAR: i32 = 2001;

/// Years of the field.
#[derive(Clone, Debug)]
pub struct Trial {
    hours: Vec<(DateTime, Season, Noise)>,
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
    /// What heat feels like, C, where that is defined.
    pub heat_index_c: Option<f64>,
    /// What cold feels like, C, where that is defined.
    pub wind_chill_c: Option<f64>,
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
            let season = Season::new(calendar.climate_position(game), place.shift);
            (calendar.at(game), season, field::noise(key, &place, hour))
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

    /// The rain alone of each hour of the first `count`, mm/h: much cheaper than all of it.
    pub fn rates(
        &self,
        count: usize,
        preset: &Preset,
    ) -> impl Iterator<Item = (DateTime, f64)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        self.hours.iter().take(count).map(move |(date, season, noise)| {
            let latent = Latent::of_rain(noise, &climate);
            (*date, Moment::new(&climate.preset, season).rate_mmph(&latent))
        })
    }

    /// The air alone of each hour of the first `count`: temperature in C and rain in mm/h.
    pub fn air(
        &self,
        count: usize,
        preset: &Preset,
    ) -> impl Iterator<Item = (DateTime, f64, f64)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        self.hours.iter().take(count).map(move |(date, season, noise)| {
            let preset = &*climate.preset;
            let (moment, lookup) = (Moment::new(preset, season), Lookup { preset, season });
            let latent = Mix::new(&climate, moment.temperature).latent(noise);
            let rate = moment.rate_mmph(&latent);
            (*date, hour::air(&latent, &lookup, rate).0, rate)
        })
    }

    /// Each hour of the first `count` as the preset makes it.
    pub fn hours(
        &self,
        count: usize,
        preset: &Preset,
    ) -> impl Iterator<Item = (DateTime, TrialHour)> + '_ {
        let climate = Climate::new(Arc::new(preset.clone()));
        let mut past = [false; BLIZZARD_BACK_H];
        self.hours.iter().take(count).map(move |(date, season, noise)| {
            let preset = &*climate.preset;
            let (moment, lookup) = (Moment::new(preset, season), Lookup { preset, season });
            let latent = Mix::new(&climate, moment.temperature).latent(noise);
            let hour = hour::compute(&latent, &moment, &lookup, preset, 0.0);
            let now = classify::is_blizzard_hour(&hour.numbers);
            let long = now && past.iter().all(|was| *was);
            past.rotate_left(1);
            past[BLIZZARD_BACK_H - 1] = now;
            (*date, tried(&latent, &moment, &lookup, &hour, long))
        })
    }
}

fn tried(
    latent: &Latent,
    moment: &Moment,
    lookup: &Lookup<'_>,
    hour: &Hour,
    long_blizzard: bool,
) -> TrialHour {
    let n: &Numbers = &hour.numbers;
    let preset = lookup.preset;
    let rate_mmph = moment.rate_mmph(latent);
    let (temperature_c, depression_k) = hour::air(latent, lookup, rate_mmph);
    let dew_point_c = temperature_c - depression_k;
    TrialHour {
        temperature_c,
        depression_k,
        wind_mps: lookup.wind(f64::from(latent.wind)).max(0.0) / 100.0,
        cloud: n.cloud_permille as f64 / 1000.0,
        rate_mmph,
        snow: n.is_snow_phase(),
        heat_index_c: thermo::heat_index_c(n.temperature_dc, n.dew_point_dc),
        wind_chill_c: thermo::wind_chill_c(n.temperature_dc, n.wind_dmps),
        thunder_index: hour::thunder_index(latent, moment, dew_point_c),
        state: classify::classify(n, hour.thunder, long_blizzard, preset),
    }
}

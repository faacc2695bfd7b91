//! A forecast as people of the world would make it: wrong by more the further ahead it looks,
//! and honest about that. Not here: the true plan (`forecast`), what is forced later, which
//! no one in the world can know.
//!
//! Each octave of the field keeps the part exp(-lead / tau) of what is going to be; the rest is
//! another field's, of the hour at which the forecast was issued. So forecasts of one hour are
//! the same whoever asks, errors hang together in space and time, and their law is the climate's.

use crate::preset::{OCTAVE_COUNT, Octaves};
use crate::time::GameTime;
use crate::weather::conditions::Conditions;
use crate::weather::plan::field::{self, Noise, TAU_H};
use crate::weather::plan::hour::Hour;
use crate::weather::plan::noise::philox;
use crate::weather::{FORECAST_HOURS_MAX, Overrides, Weather, classify, constrain};

/// Sets the fields of forecasts apart from those of the weather.
const STREAM: u32 = 0x6775_6573;

/// One entry of a forecast that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// When: now for the first entry, a whole game hour for the others.
    pub time: GameTime,
    /// What the conditions are forecast to be then; what they are, for the first entry.
    pub conditions: Conditions,
    /// How much of each variable is known.
    pub confidence: Confidence,
}

/// The part of a variable's variance that a forecast knows, 0 to 1000: the sum over its octaves
/// of share x exp(-2 lead / tau).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confidence {
    /// Of whether and how much falls.
    pub precipitation_permille: u16,
    /// Of the temperature apart from season and time of day.
    pub temperature_permille: u16,
    /// Of the wind.
    pub wind_permille: u16,
}

impl Weather {
    /// The forecast that is issued in the current game hour: the conditions now and those of
    /// each whole game hour after, `hours` entries in all, at most [`FORECAST_HOURS_MAX`].
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn guess(
        &self,
        region: usize,
        now: GameTime,
        hours: u32,
        overrides: &Overrides,
    ) -> Vec<Guess> {
        let entry = |ahead: u32| {
            let hour = now.hours().saturating_add(i64::from(ahead));
            let (time, conditions) = if ahead == 0 {
                (now, self.conditions(region, now, overrides))
            } else {
                let conditions = self.guessed_conditions(region, now.hours(), hour);
                (GameTime::from_hours(hour), conditions)
            };
            Guess { time, conditions, confidence: self.confidence(region, ahead) }
        };
        (0..hours.min(FORECAST_HOURS_MAX)).map(entry).collect()
    }

    fn guessed_conditions(&self, region: usize, issued: i64, hour: i64) -> Conditions {
        let preset = &self.climate(region).preset;
        let now = self.guessed_hour(region, issued, hour);
        let blows = |hour: &Hour| classify::is_blizzard_hour(&hour.numbers);
        let past = |back: i64| self.guessed_hour(region, issued, hour.saturating_sub(back));
        let long_blizzard = blows(&now) && (1..3).all(|back| blows(&past(back)));
        let state = classify::classify(&now.numbers, now.thunder, long_blizzard, preset);
        constrain::settle(now.numbers, state, preset)
    }

    fn guessed_hour(&self, region: usize, issued: i64, hour: i64) -> Hour {
        if hour <= issued {
            return self.hour(region, hour);
        }
        let place = &self.places[region];
        let truth = field::noise(self.key, place, hour);
        let error = field::noise(self.guess_key(issued), place, hour);
        self.hour_of(region, hour, &blend(&truth, &error, &kept((hour - issued) as f64)))
    }

    fn guess_key(&self, issued: i64) -> [u32; 2] {
        let counter = [issued as u32, (issued >> 32) as u32, STREAM, 0];
        let [[first], [second], ..] = philox(counter.map(|word| [word]), self.key);
        [first, second]
    }

    fn confidence(&self, region: usize, ahead: u32) -> Confidence {
        let shares = &self.climate(region).preset.octaves;
        let kept = kept(f64::from(ahead));
        let of = |shares: &Octaves| {
            let known: f64 = shares.iter().zip(&kept).map(|(share, k)| share * k * k).sum();
            libm::round(1000.0 * known.clamp(0.0, 1.0)) as u16
        };
        Confidence {
            precipitation_permille: of(&shares.precipitation),
            temperature_permille: of(&shares.temperature),
            wind_permille: of(&shares.wind),
        }
    }
}

/// What is known of each octave so many hours ahead.
fn kept(lead_hours: f64) -> [f64; OCTAVE_COUNT] {
    TAU_H.map(|tau| libm::exp(-lead_hours / tau))
}

/// Two fields of unit variance to one of unit variance.
fn blend(truth: &Noise, error: &Noise, kept: &[f64; OCTAVE_COUNT]) -> Noise {
    let mut noise = *truth;
    for ((values, errors), k) in noise.iter_mut().zip(error).zip(kept) {
        let (k, rest) = (*k as f32, (1.0 - k * k).max(0.0).sqrt() as f32);
        for (value, error) in values.iter_mut().zip(errors) {
            *value = k * *value + rest * error;
        }
    }
    noise
}

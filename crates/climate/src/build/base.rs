//! A preset that lends what a new one does not know, and what it is like.
//! Not here: which preset is the nearest (`nearest`).

use super::months::{self, Day, Month, WetBy};
use crate::observations::Hour;
use worldbus_world::preset::Preset;
use worldbus_world::{Trial, WeatherState};

/// Hours of the trial that show what a base is like.
const HOUR_COUNT: usize = 15 * 8760;

/// A preset and its figures.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) preset: Preset,
    pub(super) months: [Month; 12],
    /// Shares of hours.
    pub(super) fog: [f64; 12],
    pub(super) mist: [f64; 12],
    pub(super) storm: [f64; 12],
    /// Mean wind, m/s.
    pub(super) wind_ms: [f64; 12],
    /// Mean relative humidity, 0 to 100.
    pub(super) rh: [f64; 12],
}

impl Base {
    pub(super) fn of(preset: &Preset, trial: &Trial) -> Self {
        let mut base = Self {
            preset: preset.clone(),
            months: Default::default(),
            fog: [0.0; 12],
            mist: [0.0; 12],
            storm: [0.0; 12],
            wind_ms: [0.0; 12],
            rh: [0.0; 12],
        };
        let mut hours = [0.0_f64; 12];
        let mut days = Days::default();
        for (date, hour) in trial.hours(HOUR_COUNT, preset) {
            let m = usize::from(date.month) - 1;
            hours[m] += 1.0;
            match hour.state {
                WeatherState::Fog => base.fog[m] += 1.0,
                WeatherState::Mist => base.mist[m] += 1.0,
                WeatherState::Storm => base.storm[m] += 1.0,
                _ => {}
            }
            base.wind_ms[m] += hour.wind_mps;
            base.rh[m] += humidity(hour.temperature_c, hour.depression_k);
            days.push(date.year, date.month, date.hour, hour.temperature_c, hour.rate_mmph);
        }
        for sums in [&mut base.fog, &mut base.mist, &mut base.storm] {
            (0..12).for_each(|m| sums[m] /= hours[m]);
        }
        (0..12).for_each(|m| base.wind_ms[m] /= hours[m]);
        (0..12).for_each(|m| base.rh[m] /= hours[m]);
        base.months = months::months(&days.0, WetBy::Amount, 30);
        base
    }

    /// The base's months, shifted to the hemisphere of a place.
    pub(super) fn on_side_of(mut self, latitude: f64) -> Self {
        if (self.preset.latitude < 0.0) != (latitude < 0.0) {
            self.months.rotate_left(6);
            for shares in [&mut self.fog, &mut self.mist, &mut self.storm] {
                shares.rotate_left(6);
            }
            self.wind_ms.rotate_left(6);
            self.rh.rotate_left(6);
            self.preset = super::other_side(&self.preset);
        }
        self
    }
}

/// Relative humidity, 0 to 100, by the Magnus formula.
pub(super) fn humidity(temperature_c: f64, depression_k: f64) -> f64 {
    let exponent = |c: f64| 17.62 * c / (243.12 + c);
    100.0 * (exponent(temperature_c - depression_k) - exponent(temperature_c)).exp()
}

/// Gathers hours into days.
#[derive(Debug, Default)]
pub(super) struct Days(pub(super) Vec<Day>);

impl Days {
    pub(super) fn push(&mut self, year: i32, month: u8, hour: u8, temp_c: f64, mm: f64) {
        if hour == 0 {
            let month = usize::from(month) - 1;
            let day = Day { year, month, min_c: 99.0, max_c: -99.0, mm: 0.0, wet_hours: 0 };
            self.0.push(day);
        }
        let Some(day) = self.0.last_mut() else { return };
        day.min_c = day.min_c.min(temp_c);
        day.max_c = day.max_c.max(temp_c);
        day.mm += mm;
        day.wet_hours += usize::from(mm >= crate::statistics::WET_HOUR_MM);
    }
}

/// A row of which only the time is known.
pub(super) fn empty(date: &worldbus_world::DateTime) -> Hour {
    Hour {
        year: date.year,
        month: date.month,
        day: date.day,
        hour: date.hour,
        temp_c: None,
        dew_c: None,
        rh: None,
        wind_ms: None,
        gust_ms: None,
        precip_mm: None,
        cloud: None,
        visibility_m: None,
        state: None,
    }
}

//! The weather of a world's regions: a latent Gaussian field, turned into climate by a preset's
//! tables, named by states, bent by overrides. Random access: any region, any game hour, no
//! state. Not here: who publishes it (weather-manager), the sun.

mod classify;
mod conditions;
mod constrain;
#[cfg(test)]
mod golden;
mod layers;
mod overrides;
mod plan;
mod series;
mod state;
#[cfg(test)]
mod tests;
mod thermo;

use std::sync::Arc;

use self::overrides::Spot;
use self::plan::field::Place;
use self::plan::kept::Kept;
use self::plan::mix;
use crate::calendar::Calendar;
use crate::model::{Region, World};
use crate::preset::{Preset, Shares};
use crate::time::GameTime;

pub use conditions::Conditions;
pub use overrides::{
    Cell, Effective, FADE_HOURS_MAX, Kind, Lift, Needed, OVERRIDE_COUNT_MAX, Override,
    OverrideError, Overrides, REGIONS_OF_OVERRIDE_MAX, Timeline, WAYPOINT_COUNT_MAX, Waypoint,
    bounds,
};
pub use plan::{Sweep, Trial, TrialHour};
pub use series::{
    Confidence, GROUND_LOOK_BACK_HOURS, Ground, Guess, ONSET_HOURS_MAX, SPELL_HOURS_MAX,
    SPELL_STEP_HOURS, Severity, Spell, Summary,
};
pub use state::{UnknownState, WeatherState};

/// Hours that a forecast may cover: a week.
pub const FORECAST_HOURS_MAX: u32 = 168;

/// Computes the weather of one world. Costs no more than its presets' tables; share it freely.
#[derive(Clone, Debug)]
pub struct Weather {
    key: [u32; 2],
    calendar: Calendar,
    climates: Vec<Climate>,
    /// Which of [`Self::climates`] a region has.
    climate_of: Vec<usize>,
    places: Vec<Place>,
    region_ids: Vec<String>,
    spots: Vec<Spot>,
    kept: Kept,
}

/// A preset and what is computed from it once.
#[derive(Clone, Debug)]
struct Climate {
    preset: Arc<Preset>,
    amplitudes: Shares,
    /// What cloud, depression and wind have of their own.
    rests: [f64; 3],
}

impl Climate {
    fn new(preset: Arc<Preset>) -> Self {
        let c = &preset.correlations;
        let rests = [
            mix::rest(&[c.cloud_rain]),
            mix::rest(&[c.depression_rain, c.depression_cloud]),
            mix::rest(&[c.wind_rain]),
        ];
        Self { amplitudes: preset.octaves.amplitudes(), rests, preset }
    }
}

/// One entry of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// When: now for the first entry, a whole game hour for the others.
    pub time: GameTime,
    /// What the conditions are going to be then, unless it is forced.
    pub conditions: Conditions,
}

impl Weather {
    /// The weather of a world, in the climates that its file names.
    pub fn new(world: &World) -> Self {
        let names: Vec<&str> = world.climates.keys().map(String::as_str).collect();
        let of = |region: &Region| names.iter().position(|name| *name == region.climate);
        let climate_of = world.regions.iter().map(|region| of(region).unwrap_or(0)).collect();
        Self::with_climates(world, world.climates.values().cloned(), climate_of)
    }

    /// The weather of a world with one climate everywhere, whatever its file states.
    pub fn with_preset(world: &World, preset: Preset) -> Self {
        Self::with_climates(world, [Arc::new(preset)], vec![0; world.regions.len()])
    }

    fn with_climates(
        world: &World,
        presets: impl IntoIterator<Item = Arc<Preset>>,
        climate_of: Vec<usize>,
    ) -> Self {
        let climates: Vec<Climate> = presets.into_iter().map(Climate::new).collect();
        let origin = &world.regions[0];
        let regions = world.regions.iter().zip(&climate_of);
        let places = regions
            .map(|(r, of)| Place::new(origin, r, &climates[*of].preset, &world.sun))
            .collect();
        let region_ids = world.regions.iter().map(|r| r.id.clone()).collect();
        let key = [world.seed as u32, (world.seed >> 32) as u32];
        let spot = |r: &Region| Spot { latitude: r.latitude, longitude: r.longitude };
        let spots = world.regions.iter().map(spot).collect();
        let (calendar, kept) = (world.calendar(), Kept::new());
        Self { key, calendar, climates, climate_of, places, region_ids, spots, kept }
    }

    fn climate(&self, region: usize) -> &Climate {
        &self.climates[self.climate_of[region]]
    }

    /// The conditions in a region at an instant, with what was forced upon it.
    ///
    /// The state changes at whole game hours, where an override begins, ends or is at full
    /// strength, and every five game minutes while one fades or a storm cell moves; the
    /// continuous values move linearly from one hour to the next, inside the state's band.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn conditions(&self, region: usize, time: GameTime, overrides: &Overrides) -> Conditions {
        let forced = self.forced_conditions(region, time, overrides);
        forced.unwrap_or_else(|| self.planned(region, time, 0).1)
    }

    /// The plan at an instant, with its state, if the year were `later` hours further on.
    fn planned(&self, region: usize, time: GameTime, later: i64) -> (WeatherState, Conditions) {
        let part_us = time.0.rem_euclid(GameTime::HOUR_US);
        if part_us == 0
            && later == 0
            && let Some(kept) = self.kept(region, time.hours())
        {
            return (kept.state, *kept);
        }
        let hour = self.shifted_hour(region, time.hours(), later);
        let state = self.shifted_state_of(&hour, region, time.hours(), later);
        let preset = &self.climate(region).preset;
        if part_us == 0 {
            return (state, constrain::as_named(&hour.numbers, state, preset));
        }
        let next = self.shifted_hour(region, time.hours().saturating_add(1), later);
        let numbers = hour.numbers.towards(&next.numbers, part_us);
        (state, constrain::settle(numbers, state, preset))
    }

    /// The state alone, cheaper than [`Self::conditions`].
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn state(&self, region: usize, time: GameTime, overrides: &Overrides) -> WeatherState {
        let hour = time.hours();
        self.forced_state(region, time, overrides)
            .or_else(|| Some(self.kept(region, hour)?.state))
            .unwrap_or_else(|| self.state_of(&self.hour(region, hour), region, hour))
    }

    /// The conditions now and at each whole game hour after, `hours` entries in all, at most
    /// [`FORECAST_HOURS_MAX`]. It is the future itself: the same function at later times.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn forecast(
        &self,
        region: usize,
        now: GameTime,
        hours: u32,
        overrides: &Overrides,
    ) -> Vec<Forecast> {
        let entry = |ahead: u32| {
            let hour = now.hours().saturating_add(i64::from(ahead));
            let time = if ahead == 0 { now } else { GameTime::from_hours(hour) };
            Forecast { time, conditions: self.conditions(region, time, overrides) }
        };
        (0..hours.min(FORECAST_HOURS_MAX)).map(entry).collect()
    }

    /// How many regions the world has.
    pub fn region_count(&self) -> usize {
        self.places.len()
    }
}

//! Simulated years of a preset, as rows like those of a record.
//! Not here: whether the rows may be so (`bands`, `invariants`).

use crate::observations::{Hour, Record, serial};
use worldbus_world::preset::{self, Preset};
use worldbus_world::{Calendar, Conditions, GameTime, Overrides, Weather, World};

/// Years that can be asked for at once.
pub const YEAR_COUNT_MAX: u32 = 1000;
/// The first simulated year.
pub const FIRST_YEAR: i32 = 2001;

/// An hour as simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// As a row.
    pub hour: Hour,
    /// 1 to 366.
    pub day_of_year: u16,
    /// As the simulation has it.
    pub conditions: Conditions,
}

/// A preset's own place, under a seed.
#[derive(Clone, Debug)]
pub struct Sampler {
    weather: Weather,
    calendar: Calendar,
}

impl Sampler {
    /// A world of one region, where the preset was observed.
    ///
    /// # Errors
    /// A latitude or an elevation that no world has.
    pub fn new(preset: &Preset, seed: u64) -> Result<Self, String> {
        Self::with_regions(preset, seed, &[(0.0, 0.0)])
    }

    /// A world with a region at each of these offsets from the preset's place, degrees north and
    /// degrees east.
    ///
    /// # Errors
    /// A latitude or an elevation that no world has.
    pub fn with_regions(
        preset: &Preset,
        seed: u64,
        offsets: &[(f64, f64)],
    ) -> Result<Self, String> {
        let mut text = format!(
            "id = \"sample\"\nseed = {}\nepoch = {FIRST_YEAR}-01-01T00:00:00\n\
             real_seconds_per_game_hour = 25\nclimate = \"{}\"\n",
            seed & (u64::MAX >> 1),
            preset::NAMES[0],
        );
        for (index, (north, east)) in offsets.iter().enumerate() {
            let (latitude, elevation) = (preset.latitude + north, preset.elevation_m);
            text += &format!(
                "[[regions]]\nid = \"r{index}\"\nlatitude = {latitude:?}\nlongitude = {east:?}\n\
                 elevation_m = {elevation:?}\n"
            );
        }
        let world =
            World::parse("preset", &text).map_err(|e| format!("{}: {}", e.key, e.message))?;
        let weather = Weather::with_preset(&world, preset.clone());
        Ok(Self { weather, calendar: world.calendar() })
    }

    /// The hours of the first `year_count` years in a region.
    pub fn hours(&self, region: usize, year_count: u32) -> impl Iterator<Item = Sampled> + '_ {
        let end = FIRST_YEAR + year_count.min(YEAR_COUNT_MAX) as i32;
        let hours = serial(end, 1, 1) - serial(FIRST_YEAR, 1, 1);
        (0..24 * hours).map(move |hour| self.hour(region, hour))
    }

    /// The first `year_count` years in the first region, as a record.
    pub fn record(&self, year_count: u32) -> Record {
        Record::of_hours(self.hours(0, year_count).map(|sampled| sampled.hour).collect())
    }

    fn hour(&self, region: usize, hour: i64) -> Sampled {
        let time = GameTime::from_hours(hour);
        let date = self.calendar.at(time);
        let conditions = self.weather.conditions(region, time, &Overrides::default());
        let tenths = |value: u16| Some(f64::from(value) / 10.0);
        let day = serial(date.year, date.month, date.day) - serial(date.year, 1, 1);
        let row = Hour {
            year: date.year,
            month: date.month,
            day: date.day,
            hour: date.hour,
            temp_c: Some(f64::from(conditions.temperature_dc) / 10.0),
            dew_c: Some(f64::from(conditions.dew_point_dc) / 10.0),
            rh: tenths(conditions.humidity_permille),
            wind_ms: tenths(conditions.wind_dmps),
            gust_ms: tenths(conditions.gust_dmps),
            precip_mm: Some(f64::from(conditions.precipitation_umph) / 1000.0),
            cloud: Some(f64::from(conditions.cloud_permille) / 1000.0),
            visibility_m: Some(f64::from(conditions.visibility_m)),
            state: Some(conditions.state),
        };
        Sampled { hour: row, day_of_year: day as u16 + 1, conditions }
    }
}

//! The weather of a stretch of time in figures: extremes, sums, shares of states.
//! Not here: which stretch, whole climates (the crate `climate`).

use crate::time::GameTime;
use crate::weather::{Overrides, Weather, WeatherState};

/// Figures of some instants of a region, each taken as an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many instants there are.
    pub hours: u32,
    /// The lowest temperature, tenths of a degree.
    pub temperature_min_dc: i16,
    /// The highest one.
    pub temperature_max_dc: i16,
    /// All temperatures together.
    pub temperature_sum_dc: i64,
    /// All mean winds together, decimetres per second.
    pub wind_sum_dmps: i64,
    /// The strongest gust, decimetres per second.
    pub gust_max_dmps: u16,
    /// All that fell, micrometres of water.
    pub precipitation_um: u64,
    /// Hours in which something fell: 0.1 mm or more.
    pub wet_hours: u32,
    /// Hours of each state, in the order of [`WeatherState::ALL`].
    pub state_hours: [u32; 14],
}

impl Summary {
    /// The state of most hours; of several the one with the lowest number.
    pub fn dominant(&self) -> Option<WeatherState> {
        let most = *self.state_hours.iter().max()?;
        let at = self.state_hours.iter().position(|hours| *hours == most && most > 0)?;
        Some(WeatherState::ALL[at])
    }
}

impl Weather {
    /// The day of the calendar whose last hour ends at a whole hour, or within the hour before:
    /// when it began, and its whole hours. None in the middle of a day, and of a day shorter than
    /// an hour.
    pub fn day_ended(&self, at: GameTime) -> Option<(GameTime, impl Iterator<Item = GameTime>)> {
        let today = self.calendar.day_number(at);
        if today == self.calendar.day_number(at.plus_us(-GameTime::HOUR_US)) {
            return None;
        }
        let start = self.calendar.day_begins(today - 1)?;
        let first = start.plus_us(GameTime::HOUR_US - 1).hours();
        let end = self.calendar.day_begins(today)?.plus_us(GameTime::HOUR_US - 1).hours();
        (first < end).then(|| (start, (first..end).map(GameTime::from_hours)))
    }

    /// The figures of some instants.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn summary(
        &self,
        region: usize,
        instants: impl Iterator<Item = GameTime>,
        overrides: &Overrides,
    ) -> Summary {
        let mut sum = Summary {
            hours: 0,
            temperature_min_dc: i16::MAX,
            temperature_max_dc: i16::MIN,
            temperature_sum_dc: 0,
            wind_sum_dmps: 0,
            gust_max_dmps: 0,
            precipitation_um: 0,
            wet_hours: 0,
            state_hours: [0; 14],
        };
        for time in instants {
            let c = self.conditions(region, time, overrides);
            sum.hours += 1;
            sum.temperature_min_dc = sum.temperature_min_dc.min(c.temperature_dc);
            sum.temperature_max_dc = sum.temperature_max_dc.max(c.temperature_dc);
            sum.temperature_sum_dc += i64::from(c.temperature_dc);
            sum.wind_sum_dmps += i64::from(c.wind_dmps);
            sum.gust_max_dmps = sum.gust_max_dmps.max(c.gust_dmps);
            sum.precipitation_um += u64::from(c.precipitation_umph);
            sum.wet_hours += u32::from(c.state.is_wet());
            sum.state_hours[c.state as usize - 1] += 1;
        }
        sum
    }
}

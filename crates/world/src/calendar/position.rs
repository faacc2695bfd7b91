//! How far a year and a day have come: what weather and sun need of a calendar, whatever its
//! months and hours are. Not here: what they make of it.

use super::Calendar;
use crate::time::GameTime;

const SECOND_US: i64 = GameTime::SECOND_US;

/// A place in a climate's year: twelve months, and 24 hours a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClimatePosition {
    /// 0 to 11.
    pub(crate) month: usize,
    /// How much of that month has passed, from 0 to below 1.
    pub(crate) part: f64,
    /// 0 to 23.
    pub(crate) hour: usize,
}

impl Calendar {
    /// How much of its orbit a world has gone since the year 1 began: years of mean length, so
    /// leap days do not halt it. From 0 to below 1.
    pub(crate) fn orbit_fraction(&self, game: GameTime) -> f64 {
        let days = self.day_number(game) - self.rules.years.number(1, 1, 1);
        let years = (days as f64 + self.day_fraction(game)) / self.rules.years.mean_days();
        years - libm::floor(years)
    }

    /// How much of the day has passed, from 0 to below 1; by whole seconds.
    pub fn day_fraction(&self, game: GameTime) -> f64 {
        let passed = self.time_of_day_us(game) / SECOND_US;
        passed as f64 / (self.day_us() / SECOND_US) as f64
    }

    /// Where a climate's tables are read. Months of Earth are the tables' own; of any other year
    /// a twelfth is one.
    pub(crate) fn climate_position(&self, game: GameTime) -> ClimatePosition {
        let passed = self.time_of_day_us(game) / SECOND_US;
        let hour = (passed * 24 / (self.day_us() / SECOND_US)) as usize;
        if self.rules.twelve_months {
            let date = self.at(game);
            let (days, _) = self.rules.years.month_days(date.year, date.month);
            let part = (f64::from(date.day - 1) + hour as f64 / 24.0) / f64::from(days);
            return ClimatePosition { month: usize::from(date.month) - 1, part, hour };
        }
        let day = self.day(game);
        let of_year = (f64::from(day.day_of_year - 1) + hour as f64 / 24.0) * 12.0;
        let months = of_year / f64::from(day.year_days);
        let month = (months as usize).min(11);
        ClimatePosition { month, part: months - month as f64, hour }
    }
}

//! When the next day, month, year, season, moon phase or holiday begins: what events are told
//! at. Each is after the instant asked about, and none if beyond what 64 bits of microseconds
//! hold. Not here: phases of the day by the sun (`sun`), who is told.

use super::Calendar;
use super::date::Day;
use super::holiday::Holiday;
use super::phase::Phase;
use crate::time::GameTime;

/// Years that are looked through for the next holiday.
pub const HOLIDAY_YEARS_MAX: i64 = 10;

impl Calendar {
    /// The beginning of the next hour of the calendar.
    pub fn next_hour(&self, after: GameTime) -> Option<GameTime> {
        let (number, us) = self.split(after);
        let hour_us = self.rules.hour_us();
        self.instant(number, (us / hour_us + 1) * hour_us)
    }

    /// The beginning of the next phase of the day, by the clock, and which.
    pub fn next_phase(&self, after: GameTime) -> Option<(GameTime, Phase)> {
        let (number, us) = self.split(after);
        let seconds = self.day_us() / GameTime::SECOND_US;
        let start = |hour: u8| {
            let second = (i64::from(hour) * seconds + 23) / 24;
            second * GameTime::SECOND_US
        };
        let today = Phase::START_HOURS.iter().find(|(hour, _)| start(*hour) > us);
        let (day, (hour, phase)) = match today {
            Some(found) => (number, found),
            None => (number + 1, &Phase::START_HOURS[0]),
        };
        Some((self.instant(day, start(*hour))?, *phase))
    }

    /// The beginning of the next day.
    pub fn next_day(&self, after: GameTime) -> Option<GameTime> {
        self.day_begins(self.day_number(after) + 1)
    }

    /// The beginning of the next month. Intercalary days come before it.
    pub fn next_month(&self, after: GameTime) -> Option<GameTime> {
        let Day { year, month, .. } = self.day(after);
        match usize::from(month) < self.rules.months.len() {
            true => self.day_begins(self.rules.years.number(year, month + 1, 1)),
            false => self.day_begins(self.rules.years.number(year + 1, 1, 1)),
        }
    }

    /// The beginning of the next year.
    pub fn next_year(&self, after: GameTime) -> Option<GameTime> {
        let year = self.day(after).year;
        self.day_begins(self.rules.years.number(year + 1, 1, 1))
    }

    /// The beginning of the next season, of both hemispheres: which it is says
    /// [`Self::season`] there.
    pub fn next_season(&self, after: GameTime) -> Option<GameTime> {
        let Day { year, month, day, .. } = self.day(after);
        let seasons = &self.rules.seasons;
        let this_year = seasons.iter().find(|s| (s.month, s.day) > (month, day));
        let (year, season) = match this_year {
            Some(season) => (year, season),
            None => (year + 1, &seasons[0]),
        };
        self.day_begins(self.rules.years.number(year, season.month, season.day))
    }

    /// The beginning of the next phase of a moon, by its index in
    /// [`super::CalendarRules::moons`]; none if there is no such moon.
    pub fn next_moon_phase(&self, moon: usize, after: GameTime) -> Option<GameTime> {
        let (number, us) = self.split(after);
        let moon = self.rules.moons.get(moon)?;
        let next = moon.to_next_phase(self.since_year_one(number, us));
        after.0.checked_add(next).map(GameTime)
    }

    /// The next day on which a holiday begins, and which; of several the first in the file.
    /// None if there is none within [`HOLIDAY_YEARS_MAX`] years.
    pub fn next_holiday(&self, after: GameTime) -> Option<(GameTime, &Holiday)> {
        if self.rules.holidays.is_empty() {
            return None;
        }
        let today = self.day(after);
        let last = today.number + HOLIDAY_YEARS_MAX * i64::from(today.year_days);
        (today.number + 1..=last).find_map(|number| {
            let day = self.day_of_number(number);
            let holiday = self.rules.holidays.iter().find(|h| h.rule.begins(self, &day))?;
            Some((self.day_begins(number)?, holiday))
        })
    }
}

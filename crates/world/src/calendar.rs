//! The calendar of a world: dates, weeks, seasons, moons and holidays of an instant, and the
//! instant of a date. Integers only, and data: a world's file states what its calendar is.
//! Not `jiff` or `time`: they know Earth's calendar only; wall time stays with those crates.

mod boundary;
mod date;
mod holiday;
mod moon;
mod parse;
mod parts;
mod phase;
mod position;
mod rules;
mod season;
mod set;
#[cfg(test)]
mod tests;
mod years;

use std::sync::Arc;

use crate::time::GameTime;

pub use date::{DateTime, Day, NoDate, Year};
pub use holiday::Holiday;
pub use moon::{Moon, MoonPhase, MoonState};
pub use parse::NAMES;
pub(crate) use parse::{KEYS, table as parse_table, with_holidays};
pub use parts::{Era, Intercalary, Month};
pub use phase::Phase;
pub(crate) use position::ClimatePosition;
pub use rules::CalendarRules;
pub use season::{Hemisphere, NamedSeason, Season};
pub use set::{CalendarError, SetTime};

/// The calendar of one world: civil time relative to the world's epoch. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    rules: Arc<CalendarRules>,
    epoch_day: i64,
    epoch_us: i64,
}

impl Calendar {
    /// The Gregorian calendar of a world whose game time 0 is `epoch`.
    ///
    /// # Errors
    /// No such date or time of day.
    pub fn new(epoch: DateTime) -> Result<Self, CalendarError> {
        Self::with_rules(CalendarRules::gregorian(), epoch)
    }

    /// A calendar of a world whose game time 0 is `epoch`.
    ///
    /// # Errors
    /// No such date or time of day.
    pub fn with_rules(rules: Arc<CalendarRules>, epoch: DateTime) -> Result<Self, CalendarError> {
        set::check(&rules, &epoch)?;
        let epoch_day = rules.years.number(epoch.year, epoch.month, epoch.day);
        let epoch_us = rules.time_of_day_us(&epoch);
        Ok(Self { rules, epoch_day, epoch_us })
    }

    /// What the calendar is: months, weekdays, seasons, moons, holidays, eras.
    pub fn rules(&self) -> &CalendarRules {
        &self.rules
    }

    /// Date and time of day, rounded down to the second.
    pub fn at(&self, game: GameTime) -> DateTime {
        let (number, us) = self.split(game);
        let Day { year, month, day, .. } = self.rules.years.day(number);
        let second = us / GameTime::SECOND_US;
        let hour_seconds = i64::from(self.rules.minutes_per_hour) * 60;
        DateTime {
            year,
            month,
            day,
            hour: (second / hour_seconds) as u8,
            minute: (second % hour_seconds / 60) as u8,
            second: (second % 60) as u8,
        }
    }

    /// The day of an instant.
    pub fn day(&self, game: GameTime) -> Day {
        self.rules.years.day(self.split(game).0)
    }

    /// The number of the day of an instant: days since the first of year 0.
    pub fn day_number(&self, game: GameTime) -> i64 {
        self.split(game).0
    }

    /// The day of a number.
    pub fn day_of_number(&self, number: i64) -> Day {
        self.rules.years.day(number)
    }

    /// Microseconds of game time since the day began.
    pub fn time_of_day_us(&self, game: GameTime) -> i64 {
        self.split(game).1
    }

    /// Game microseconds of a day.
    pub fn day_us(&self) -> i64 {
        self.rules.day_us()
    }

    /// The game time of a date.
    ///
    /// # Errors
    /// No such date, or too far from the epoch for 64 bits of microseconds.
    pub fn game_time(&self, date: &DateTime) -> Result<GameTime, CalendarError> {
        set::check(&self.rules, date)?;
        let number = self.rules.years.number(date.year, date.month, date.day);
        let game = self.instant(number, self.rules.time_of_day_us(date));
        game.ok_or_else(|| CalendarError::out_of_reach(date.year))
    }

    /// The first instant of a day; none beyond 64 bits of microseconds.
    pub fn day_begins(&self, number: i64) -> Option<GameTime> {
        self.instant(number, 0)
    }

    /// The phase of the day, by the clock: [`Phase::START_HOURS`].
    pub fn phase(&self, game: GameTime) -> Phase {
        Phase::after(self.split(game).1 / GameTime::SECOND_US, self.day_us() / GameTime::SECOND_US)
    }

    /// The season of an instant.
    pub fn season(&self, game: GameTime, hemisphere: Hemisphere) -> &NamedSeason {
        self.season_of_day(&self.day(game), hemisphere)
    }

    /// The season of a day.
    pub fn season_of_day(&self, day: &Day, hemisphere: Hemisphere) -> &NamedSeason {
        let opposite = self.rules.opposite_in_south && hemisphere == Hemisphere::South;
        season::of_day(&self.rules.seasons, (day.month, day.day), opposite)
    }

    /// The moons at an instant, in the order of [`CalendarRules::moons`].
    pub fn moons(&self, game: GameTime) -> impl Iterator<Item = (&Moon, MoonState)> {
        let (number, us) = self.split(game);
        let since = self.since_year_one(number, us);
        self.rules.moons.iter().map(move |moon| (moon, moon.state(since)))
    }

    /// The holidays that a day is in.
    pub fn holidays(&self, day: &Day) -> impl Iterator<Item = &Holiday> {
        let number = day.number;
        self.rules.holidays.iter().filter(move |holiday| {
            let first = |back: u8| self.rules.years.day(number - i64::from(back));
            (0..holiday.days).any(|back| holiday.rule.begins(self, &first(back)))
        })
    }

    /// The day's weekday by name; none of a day outside weeks.
    pub fn weekday_name(&self, day: &Day) -> Option<&str> {
        day.weekday.map(|weekday| self.rules.weekdays[usize::from(weekday)].as_str())
    }

    /// What a day is called: `3 March`, or an intercalary day's name.
    pub fn day_name(&self, day: &Day) -> String {
        match day.intercalary {
            Some(index) => self.rules.intercalary[usize::from(index)].name.clone(),
            None => format!("{} {}", day.day, self.rules.months[usize::from(day.month) - 1].name),
        }
    }

    /// Number and time of the day of an instant.
    fn split(&self, game: GameTime) -> (i64, i64) {
        let day_us = self.day_us();
        let us = game.0.rem_euclid(day_us) + self.epoch_us;
        let days = self.epoch_day + game.0.div_euclid(day_us);
        if us < day_us { (days, us) } else { (days + 1, us - day_us) }
    }

    fn instant(&self, number: i64, us: i64) -> Option<GameTime> {
        let days = i128::from(number) - i128::from(self.epoch_day);
        let us = days * i128::from(self.day_us()) + i128::from(us) - i128::from(self.epoch_us);
        i64::try_from(us).ok().map(GameTime)
    }

    /// Microseconds since the first instant of year 1.
    fn since_year_one(&self, number: i64, us: i64) -> i128 {
        let days = number - self.rules.years.number(1, 1, 1);
        i128::from(days) * i128::from(self.day_us()) + i128::from(us)
    }
}

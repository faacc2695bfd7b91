//! The Gregorian calendar of a world, its seasons and the phases of its day. Integers only.
//! Not `jiff` or `time`: a world's calendar reaches 250,000 years and has no time zones; wall
//! time stays with those crates, at the edges.

mod set;
#[cfg(test)]
mod tests;

use std::fmt;

pub use set::{CalendarError, SetTime};

use crate::time::GameTime;

/// The days of the week, from Monday on.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];

/// A date and time of day of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Year, with a year 0, negative before it.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// A part of the day: dawn from 5, day from 7, dusk from 18, night from 20 o'clock.
/// The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// 5 to 7.
    Dawn = 1,
    /// 7 to 18.
    Day = 2,
    /// 18 to 20.
    Dusk = 3,
    /// 20 to 5.
    Night = 4,
}

impl Phase {
    /// The hours at which phases begin, in order.
    pub const START_HOURS: [(u8, Self); 4] =
        [(5, Self::Dawn), (7, Self::Day), (18, Self::Dusk), (20, Self::Night)];

    /// The phase of an hour of the day.
    pub fn at_hour(hour: u8) -> Self {
        let begun = Self::START_HOURS.iter().rev().find(|(start, _)| hour >= *start);
        begun.map_or(Self::Night, |(_, phase)| *phase)
    }

    /// Lower case, as in JSON: `dawn`.
    pub fn name(self) -> &'static str {
        ["dawn", "day", "dusk", "night"][self as usize - 1]
    }
}

/// A season by whole months: spring begins in March in the north, in September in the south.
/// The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Season {
    /// March to May in the north.
    Spring = 1,
    /// June to August in the north.
    Summer = 2,
    /// September to November in the north.
    Autumn = 3,
    /// December to February in the north.
    Winter = 4,
}

impl Season {
    /// The season of a month of 1 to 12.
    pub fn at_month(month: u8, hemisphere: Hemisphere) -> Self {
        use Season::{Autumn, Spring, Summer, Winter};
        let north = (usize::from(month) + 9) % 12 / 3;
        let shift = if hemisphere == Hemisphere::South { 2 } else { 0 };
        [Spring, Summer, Autumn, Winter][(north + shift) % 4]
    }

    /// Lower case, as in JSON: `spring`.
    pub fn name(self) -> &'static str {
        ["spring", "summer", "autumn", "winter"][self as usize - 1]
    }
}

/// Which half of the globe: it decides the season of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hemisphere {
    /// The equator and what is north of it.
    North,
    /// South of the equator.
    South,
}

impl Hemisphere {
    /// By degrees of latitude.
    pub fn of_latitude(degrees: f64) -> Self {
        if degrees < 0.0 { Self::South } else { Self::North }
    }
}

/// The calendar of one world: civil time relative to the world's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    epoch_us: i128,
}

impl Calendar {
    /// The calendar of a world whose game time 0 is `epoch`.
    ///
    /// # Errors
    /// No such date or time of day.
    pub fn new(epoch: DateTime) -> Result<Self, CalendarError> {
        set::check(&epoch)?;
        Ok(Self { epoch_us: civil_us(&epoch) })
    }

    /// Date and time of day, rounded down to the second.
    pub fn at(&self, game: GameTime) -> DateTime {
        let us = self.epoch_us + i128::from(game.0);
        let days = us.div_euclid(i128::from(GameTime::DAY_US)) as i64;
        let second = us.rem_euclid(i128::from(GameTime::DAY_US)) / 1_000_000;
        let (year, month, day) = civil_from_days(days);
        DateTime {
            year,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }

    /// The game time of a date.
    ///
    /// # Errors
    /// No such date, or too far from the epoch for 64 bits of microseconds.
    pub fn game_time(&self, date: &DateTime) -> Result<GameTime, CalendarError> {
        set::check(date)?;
        let us = civil_us(date) - self.epoch_us;
        i64::try_from(us).map(GameTime).map_err(|_| CalendarError::out_of_reach(date.year))
    }

    /// Microseconds of game time since the day began.
    pub fn time_of_day_us(&self, game: GameTime) -> i64 {
        let us = self.epoch_us + i128::from(game.0);
        us.rem_euclid(i128::from(GameTime::DAY_US)) as i64
    }

    /// Days from 1970-01-01 to the day of an instant.
    pub fn day_number(&self, game: GameTime) -> i64 {
        let us = self.epoch_us + i128::from(game.0);
        us.div_euclid(i128::from(GameTime::DAY_US)) as i64
    }

    /// Day of the year of an instant, from 1.
    pub fn day_of_year(&self, game: GameTime) -> u32 {
        let date = self.at(game);
        let day = days_from_civil(date.year, date.month, date.day);
        (day - days_from_civil(date.year, 1, 1) + 1) as u32
    }

    /// The name of the weekday of an instant.
    pub fn weekday_name(&self, game: GameTime) -> &'static str {
        // 1970-01-01 was a Thursday.
        WEEKDAYS[(self.day_number(game) + 3).rem_euclid(7) as usize]
    }

    /// The name of the month of an instant.
    pub fn month_name(&self, game: GameTime) -> &'static str {
        MONTHS[usize::from(self.at(game).month) - 1]
    }

    /// Day of the month counted from 0 and the length of that month: where in its month an
    /// instant is, for what changes smoothly over the year.
    pub(crate) fn month_position(&self, date: &DateTime) -> (u8, u8) {
        (date.day - 1, days_in_month(date.year, date.month))
    }
}

/// Days of a month of 1 to 12.
pub(crate) fn days_in_month(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn civil_us(date: &DateTime) -> i128 {
    let days = days_from_civil(date.year, date.month, date.day);
    let second = i64::from(date.hour) * 3600 + i64::from(date.minute) * 60;
    let second = second + i64::from(date.second) + days * 86_400;
    i128::from(second) * 1_000_000
}

/// Days since 1970-01-01, after Howard Hinnant, "chrono-compatible low-level date algorithms":
/// years begin in March, so that the leap day is a year's last.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let (era, doe) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let day_of_year = doe - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * march_month + 2) / 5 + 1) as u8;
    let month = ((march_month + 2) % 12 + 1) as u8;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

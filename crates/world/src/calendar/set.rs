//! What a clock is asked to be set to, checked field by field.
//! Not here: the command's way from REST to a segment (time-manager).

use super::{Calendar, CalendarRules, DateTime, Year};
use crate::time::GameTime;

const YEAR_MAX: i64 = 280_000;

/// A wish to set the clock. Fields are wide so that any number gets an answer; what is left out
/// of the date is today's, what is left out of the time is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetTime {
    /// From 0, as many as a day has.
    pub hour: i64,
    /// From 0, as many as an hour has.
    pub minute: Option<i64>,
    /// Day of the month, from 1; beyond the month's last for an intercalary day.
    pub day: Option<i64>,
    /// From 1, as many as a year has.
    pub month: Option<i64>,
    /// From -280,000 to 280,000.
    pub year: Option<i64>,
}

/// A field of a date that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, found {found}")]
pub struct CalendarError {
    /// The field's name.
    pub field: &'static str,
    /// What it may be.
    pub expected: String,
    /// What it is.
    pub found: i64,
}

impl CalendarError {
    pub(super) fn out_of_reach(year: i32) -> Self {
        let expected = "a year less than 292,000 years from the world's epoch".to_owned();
        Self { field: "year", expected, found: i64::from(year) }
    }
}

impl Calendar {
    /// The game time that a wish means when it is `now`.
    ///
    /// # Errors
    /// A field that names no hour, minute, day, month or year: which one and what was expected.
    pub fn resolve(&self, now: GameTime, wish: &SetTime) -> Result<GameTime, CalendarError> {
        let today = self.at(now);
        let rules = self.rules();
        let hour = within("hour", wish.hour, 0, rules.hour_max())?;
        let minute = within("minute", wish.minute.unwrap_or(0), 0, rules.minute_max())?;
        let year = wish.year.unwrap_or(i64::from(today.year));
        let year = within("year", year, -YEAR_MAX, YEAR_MAX)? as i32;
        let month = wish.month.unwrap_or(i64::from(today.month));
        let month = within("month", month, 1, rules.months.len() as i64)? as u8;
        let day = day_within(rules, wish.day.unwrap_or(i64::from(today.day)), year, month)?;
        let (hour, minute) = (hour as u8, minute as u8);
        self.game_time(&DateTime { year, month, day, hour, minute, second: 0 })
    }
}

impl CalendarRules {
    /// Game microseconds from midnight to a time of day that exists.
    pub(super) fn time_of_day_us(&self, date: &DateTime) -> i64 {
        let minute = i64::from(date.minute) * GameTime::MINUTE_US;
        let second = i64::from(date.second) * GameTime::SECOND_US;
        i64::from(date.hour) * self.hour_us() + minute + second
    }

    fn hour_max(&self) -> i64 {
        i64::from(self.hours_per_day) - 1
    }

    fn minute_max(&self) -> i64 {
        i64::from(self.minutes_per_hour) - 1
    }
}

pub(super) fn check(rules: &CalendarRules, date: &DateTime) -> Result<(), CalendarError> {
    within("year", i64::from(date.year), -YEAR_MAX, YEAR_MAX)?;
    within("month", i64::from(date.month), 1, rules.months.len() as i64)?;
    day_within(rules, i64::from(date.day), date.year, date.month)?;
    within("hour", i64::from(date.hour), 0, rules.hour_max())?;
    within("minute", i64::from(date.minute), 0, rules.minute_max())?;
    within("second", i64::from(date.second), 0, 59)?;
    Ok(())
}

fn within(field: &'static str, found: i64, min: i64, max: i64) -> Result<i64, CalendarError> {
    if (min..=max).contains(&found) {
        return Ok(found);
    }
    Err(CalendarError { field, expected: format!("a number from {min} to {max}"), found })
}

fn day_within(
    rules: &CalendarRules,
    found: i64,
    year: i32,
    month: u8,
) -> Result<u8, CalendarError> {
    let (days, intercalary) = rules.years.month_days(year, month);
    let max = days + intercalary;
    if (1..=i64::from(max)).contains(&found) {
        return Ok(found as u8);
    }
    let after = if intercalary > 0 { " and of what follows it" } else { "" };
    let year = Year(i64::from(year));
    let expected = format!("a day from 1 to {max}, the length of {year}-{month:02}{after}");
    Err(CalendarError { field: "day", expected, found })
}

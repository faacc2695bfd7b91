//! What somebody asks a clock to be set to, checked field by field.
//! Not here: the command's way from REST to a segment (time-manager).

use super::{Calendar, DateTime, days_in_month};
use crate::time::GameTime;

const YEAR_MAX: i64 = 280_000;

/// A wish to set the clock. Fields are wide so that any number gets an answer; what is left out
/// of the date is today's, what is left out of the time is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetTime {
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: Option<i64>,
    /// Day of the month, from 1.
    pub day: Option<i64>,
    /// 1 to 12.
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
        let hour = within("hour", wish.hour, 0, 23)?;
        let minute = within("minute", wish.minute.unwrap_or(0), 0, 59)?;
        let year = wish.year.unwrap_or(i64::from(today.year));
        let year = within("year", year, -YEAR_MAX, YEAR_MAX)? as i32;
        let month = within("month", wish.month.unwrap_or(i64::from(today.month)), 1, 12)? as u8;
        let day = day_within(wish.day.unwrap_or(i64::from(today.day)), year, month)?;
        let (hour, minute) = (hour as u8, minute as u8);
        self.game_time(&DateTime { year, month, day, hour, minute, second: 0 })
    }
}

pub(super) fn check(date: &DateTime) -> Result<(), CalendarError> {
    within("year", i64::from(date.year), -YEAR_MAX, YEAR_MAX)?;
    within("month", i64::from(date.month), 1, 12)?;
    day_within(i64::from(date.day), date.year, date.month)?;
    within("hour", i64::from(date.hour), 0, 23)?;
    within("minute", i64::from(date.minute), 0, 59)?;
    within("second", i64::from(date.second), 0, 59)?;
    Ok(())
}

fn within(field: &'static str, found: i64, min: i64, max: i64) -> Result<i64, CalendarError> {
    if (min..=max).contains(&found) {
        return Ok(found);
    }
    Err(CalendarError { field, expected: format!("a number from {min} to {max}"), found })
}

fn day_within(found: i64, year: i32, month: u8) -> Result<u8, CalendarError> {
    let max = days_in_month(year, month);
    if (1..=i64::from(max)).contains(&found) {
        return Ok(found as u8);
    }
    let expected = format!("a day from 1 to {max}, the length of {year:04}-{month:02}");
    Err(CalendarError { field: "day", expected, found })
}

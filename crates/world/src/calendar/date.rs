//! A date and time of day as numbers. Not here: which dates exist (`years`), names of days.

use std::fmt;
use std::str::FromStr;

/// A date and time of day of a world. Later dates of one calendar compare as greater.
///
/// An intercalary day belongs to no month: it has the number of the month that it follows, and a
/// day beyond that month's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Year, with a year 0, negative before it.
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// From 0; to 23 where a day has 24 hours.
    pub hour: u8,
    /// From 0; to 59 where an hour has 60 minutes.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(
            f,
            "{}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
            Year(i64::from(*year))
        )
    }
}

/// A year as dates show it: at least four digits behind its sign, so that `-0005` is as wide as
/// `-0901`.
#[derive(Clone, Copy, Debug)]
pub struct Year(pub i64);

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(year) = *self;
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}", year.unsigned_abs())
    }
}

/// A text that is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2024-03-01, 2024-03-01T06:00 or 2024-03-01T06:00:00")]
pub struct NoDate;

/// The form of [`DateTime`]'s `Display`; what is left out of the time is 0. Whether a calendar has
/// that date is for [`super::Calendar::game_time`] to say.
impl FromStr for DateTime {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        parse(text).ok_or(NoDate)
    }
}

fn parse(text: &str) -> Option<DateTime> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-')?[..] else { return None };
    let (hour, minute, second) = match time.map(|time| numbers(time, ':')) {
        None => (0, 0, 0),
        Some(time) => match time?[..] {
            [hour, minute] => (hour, minute, 0),
            [hour, minute, second] => (hour, minute, second),
            _ => return None,
        },
    };
    let small = |number: i32| u8::try_from(number).ok();
    let (month, day) = (small(month)?, small(day)?);
    let (hour, minute, second) = (small(hour)?, small(minute)?, small(second)?);
    Some(DateTime { year: sign * year, month, day, hour, minute, second })
}

/// Digits only: to `i32::from_str` a `+` is no fault.
fn numbers(text: &str, separator: char) -> Option<Vec<i32>> {
    let number = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    text.split(separator).map(number).collect()
}

/// A day of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since the first day of year 0.
    pub number: i64,
    /// Year, with a year 0.
    pub year: i32,
    /// From 1; of an intercalary day the month before it.
    pub month: u8,
    /// From 1; of an intercalary day beyond its month's last.
    pub day: u8,
    /// From 1.
    pub day_of_year: u16,
    /// Days of its year.
    pub year_days: u16,
    /// Counted from 0 in the calendar's order; an intercalary day has none.
    pub weekday: Option<u8>,
    /// Which of the calendar's intercalary days it is, if it is one.
    pub intercalary: Option<u8>,
}

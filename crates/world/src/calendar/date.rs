//! A date and time of day as numbers. Not here: which dates exist (`years`), names of days.

use std::fmt;

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
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
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

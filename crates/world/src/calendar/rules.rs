//! A calendar as data: what its months, weeks, leap years, seasons, moons and holidays are.
//! Not here: how it is read (`parse`), what follows from it for an instant (`Calendar`).

use super::holiday::Holiday;
use super::moon::Moon;
use super::parts::{Era, Intercalary, Month};
use super::season::NamedSeason;
use super::years::Years;
use crate::time::GameTime;

/// The rules of a calendar, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRules {
    pub(super) name: String,
    pub(super) hours_per_day: u8,
    pub(super) minutes_per_hour: u8,
    pub(super) months: Vec<Month>,
    pub(super) intercalary: Vec<Intercalary>,
    pub(super) weekdays: Vec<String>,
    pub(super) eras: Vec<Era>,
    pub(super) seasons: Vec<NamedSeason>,
    pub(super) opposite_in_south: bool,
    pub(super) moons: Vec<Moon>,
    pub(super) holidays: Vec<Holiday>,
    pub(super) years: Years,
    /// Its months are as long as the Gregorian ones, and nothing is between them.
    pub(super) twelve_months: bool,
}

impl CalendarRules {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hours of a day.
    pub fn hours_per_day(&self) -> u8 {
        self.hours_per_day
    }

    /// Minutes of an hour; a minute has 60 seconds.
    pub fn minutes_per_hour(&self) -> u8 {
        self.minutes_per_hour
    }

    /// Game microseconds of an hour of this calendar.
    pub fn hour_us(&self) -> i64 {
        i64::from(self.minutes_per_hour) * GameTime::MINUTE_US
    }

    /// Game microseconds of a day of this calendar.
    pub fn day_us(&self) -> i64 {
        i64::from(self.hours_per_day) * self.hour_us()
    }

    /// The months in order.
    pub fn months(&self) -> &[Month] {
        &self.months
    }

    /// The number of the day of a date that exists.
    pub(crate) fn day_number(&self, year: i32, month: u8, day: u8) -> i64 {
        self.years.number(year, month, day)
    }

    /// Days of the longest month, in a year in which it has most.
    pub(crate) fn month_days_max(&self) -> u8 {
        let months = (1..).take(self.months.len());
        months.map(|month| self.years.month_days_max(month)).max().unwrap_or(1)
    }

    /// The names of the days of a week in order; none if there are no weeks.
    pub fn weekdays(&self) -> &[String] {
        &self.weekdays
    }

    /// The days outside months and weeks.
    pub fn intercalary(&self) -> &[Intercalary] {
        &self.intercalary
    }

    /// The eras, earliest first.
    pub fn eras(&self) -> &[Era] {
        &self.eras
    }

    /// The seasons, in the order in which they begin in a year of the north.
    pub fn seasons(&self) -> &[NamedSeason] {
        &self.seasons
    }

    /// The moons.
    pub fn moons(&self) -> &[Moon] {
        &self.moons
    }

    /// The holidays.
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// The era of a year, and the year in it; none before the first era.
    pub fn era(&self, year: i32) -> Option<(&Era, i64)> {
        let of = |era: &Era| match era.backwards {
            true => i64::from(era.year_one) - i64::from(year) + 1,
            false => i64::from(year) - i64::from(era.year_one) + 1,
        };
        self.eras.iter().rev().map(|era| (era, of(era))).find(|(_, count)| *count > 0)
    }
}

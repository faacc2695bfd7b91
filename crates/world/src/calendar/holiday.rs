//! Holidays: which days they begin on. Not here: their events (time-manager).

use super::Calendar;
use super::date::Day;
use super::moon::MoonPhase;

/// A holiday of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Names it in events and schedules.
    pub id: String,
    /// For people.
    pub name: String,
    /// How many days it lasts.
    pub days: u8,
    pub(super) rule: HolidayRule,
}

/// Which days a holiday begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HolidayRule {
    /// A day of a month, both from 1.
    Date { month: u8, day: u8 },
    /// The nth of a weekday in a month; -1 is the last.
    Weekday { month: u8, weekday: u8, nth: i8 },
    /// An intercalary day.
    Intercalary(u8),
    /// The day in which a moon reaches the middle of a phase, in one month or in any.
    Moon { moon: u8, phase: MoonPhase, month: Option<u8> },
}

impl HolidayRule {
    /// Whether a holiday begins on a day.
    pub(super) fn begins(&self, calendar: &Calendar, day: &Day) -> bool {
        match *self {
            Self::Date { month, day: wanted } => {
                day.intercalary.is_none() && (day.month, day.day) == (month, wanted)
            }
            Self::Weekday { month, weekday, nth } => {
                day.month == month && day.weekday == Some(weekday) && is_nth(calendar, day, nth)
            }
            Self::Intercalary(index) => day.intercalary == Some(index),
            Self::Moon { moon, phase, month } => {
                month.is_none_or(|month| month == day.month) && {
                    let midnight = calendar.since_year_one(day.number, 0);
                    let moon = &calendar.rules().moons[usize::from(moon)];
                    moon.to_middle(midnight, phase) < calendar.day_us()
                }
            }
        }
    }
}

fn is_nth(calendar: &Calendar, day: &Day, nth: i8) -> bool {
    let week_days = calendar.rules().weekdays.len() as i64;
    if nth < 0 {
        let (days, _) = calendar.rules().years.month_days(day.year, day.month);
        return i64::from(day.day) + week_days > i64::from(days);
    }
    (i64::from(day.day) - 1) / week_days + 1 == i64::from(nth)
}

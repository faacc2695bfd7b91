//! When something is due in game time: once, or again and again. A pure function of the world's
//! calendar, so that every instance finds the same instants, whatever the clock does.
//! Not here: what is due, and how it is published (the time-manager).

mod parse;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::time::GameTime;

pub use parse::ScheduleError;
pub(crate) use words::phase_start_us;

/// The longest text of a schedule, in bytes.
pub const SCHEDULE_BYTES_MAX: usize = 200;

/// Days that are looked through for the next one that fits.
const DAY_SEARCH_COUNT_MAX: i64 = 4_000;

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Plan {
    /// At one instant.
    Once(GameTime),
    /// At an instant and each so many game microseconds later.
    Every {
        /// The first instant.
        first: GameTime,
        /// Above 0.
        step_us: i64,
    },
    /// At a time of day, on the days that fit.
    Days {
        /// Which days.
        days: Days,
        /// Game microseconds after midnight.
        at_us: i64,
    },
}

/// Which days of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Days {
    /// All.
    All,
    /// Those of a weekday, counted from 0 in the calendar's order.
    Weekday(u8),
    /// A day of each month that has it, from 1.
    MonthDay(u8),
    /// Those of a holiday, by its id.
    Holiday(String),
    /// Those on which a phase of a moon begins, by the moon's name and the phase's number.
    MoonPhase(String, u8),
}

impl Plan {
    /// Reads a schedule as people write it when it is `now`: `docs/explanation/time.md` has the
    /// grammar.
    ///
    /// # Errors
    /// Where it stops to make sense and what was expected there, or that it is over already.
    pub fn parse(text: &str, now: GameTime, calendar: &Calendar) -> Result<Self, ScheduleError> {
        parse::parse(text, now, calendar)
    }

    /// Whether it is due only once.
    pub fn is_once(&self) -> bool {
        matches!(self, Self::Once(_))
    }

    /// The first instant at or after a game time; none without one in sight.
    pub fn next(&self, from: GameTime, calendar: &Calendar) -> Option<GameTime> {
        match self {
            Self::Once(due) => (*due >= from).then_some(*due),
            Self::Every { first, step_us } if *step_us > 0 => {
                let behind = i128::from(from.0) - i128::from(first.0);
                let step = i128::from(*step_us);
                let steps = behind.div_euclid(step) + i128::from(behind.rem_euclid(step) > 0);
                let due = i128::from(first.0) + steps.max(0) * step;
                i64::try_from(due).ok().map(GameTime)
            }
            Self::Every { .. } => None,
            Self::Days { days, at_us } => next_day(days, *at_us, from, calendar),
        }
    }
}

fn next_day(days: &Days, at_us: i64, from: GameTime, calendar: &Calendar) -> Option<GameTime> {
    let day_us = words::day_us(calendar);
    let first = words::midnight(from, calendar);
    (0..DAY_SEARCH_COUNT_MAX).find_map(|day| {
        let midnight = GameTime(first.0.checked_add(day.checked_mul(day_us)?)?);
        let due = GameTime(midnight.0.checked_add(at_us)?);
        (due >= from && words::fits(days, midnight, calendar)).then_some(due)
    })
}

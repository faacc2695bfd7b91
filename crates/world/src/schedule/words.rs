//! What schedules ask of a calendar: its days, their names, the times of day that have names.
//! Not here: the grammar (`parse`).

use super::Days;
use crate::calendar::{Calendar, Phase, WEEKDAYS};
use crate::time::GameTime;

/// A Monday.
const MONDAY_DAYS: i64 = 4;

/// The length of a day.
pub(super) fn day_us(_: &Calendar) -> i64 {
    GameTime::DAY_US
}

/// The length of an hour.
pub(super) fn hour_us(_: &Calendar) -> i64 {
    GameTime::HOUR_US
}

/// Days of a week.
pub(super) fn week_days(_: &Calendar) -> i64 {
    WEEKDAYS.len() as i64
}

/// The beginning of the day of an instant.
pub(super) fn midnight(game: GameTime, calendar: &Calendar) -> GameTime {
    GameTime(game.0 - calendar.time_of_day_us(game))
}

/// Whether a day that begins at an instant is one of those.
pub(super) fn fits(days: &Days, midnight: GameTime, calendar: &Calendar) -> bool {
    match days {
        Days::All => true,
        Days::Weekday(wanted) => {
            let day = (calendar.day_number(midnight) - MONDAY_DAYS).rem_euclid(7);
            day == i64::from(*wanted)
        }
        Days::MonthDay(wanted) => calendar.at(midnight).day == *wanted,
        Days::Holiday(_) | Days::MoonPhase(..) => false,
    }
}

/// Days that have names, with those.
pub(super) fn named_days(_: &Calendar) -> Vec<(String, Days)> {
    WEEKDAYS.iter().zip(0..).map(|(name, day)| ((*name).to_owned(), Days::Weekday(day))).collect()
}

/// Times of day that have names: game microseconds after midnight.
pub(super) fn named_times(calendar: &Calendar) -> Vec<(&'static str, i64)> {
    let hour = |hours: u8| i64::from(hours) * hour_us(calendar);
    let phases = Phase::START_HOURS.iter().map(|(hours, phase)| match phase {
        Phase::Day => ("daybreak", hour(*hours)),
        Phase::Night => ("nightfall", hour(*hours)),
        phase => (phase.name(), hour(*hours)),
    });
    let noon = day_us(calendar) / 2;
    phases.chain([("noon", noon), ("midnight", 0)]).collect()
}

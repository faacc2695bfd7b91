//! What schedules ask of a calendar: its days, their names, the times of day that have names.
//! Not here: the grammar (`parse`).

use super::Days;
use crate::calendar::{Calendar, MoonPhase, Phase};
use crate::time::GameTime;

/// Phases of one day of a moon that are looked at: one turns no faster.
const MOON_PHASES_MAX: usize = 64;

/// The length of a day.
pub(super) fn day_us(calendar: &Calendar) -> i64 {
    calendar.day_us()
}

/// The length of an hour.
pub(super) fn hour_us(calendar: &Calendar) -> i64 {
    calendar.rules().hour_us()
}

/// Days of a week; 1 where there are no weeks.
pub(super) fn week_days(calendar: &Calendar) -> i64 {
    calendar.rules().weekdays().len().max(1) as i64
}

/// The last day of the longest month, leap days included.
pub(super) fn month_days_max(calendar: &Calendar) -> u8 {
    calendar.rules().month_days_max()
}

/// The beginning of the day of an instant.
pub(super) fn midnight(game: GameTime, calendar: &Calendar) -> GameTime {
    game.plus_us(-calendar.time_of_day_us(game))
}

/// Whether a day that begins at an instant is one of those.
pub(super) fn fits(days: &Days, midnight: GameTime, calendar: &Calendar) -> bool {
    let day = calendar.day(midnight);
    match days {
        Days::All => true,
        Days::Weekday(wanted) => day.weekday == Some(*wanted),
        Days::MonthDay(wanted) => day.intercalary.is_none() && day.day == *wanted,
        Days::Holiday(id) => calendar.holidays(&day).any(|holiday| holiday.id == *id),
        Days::MoonPhase(name, phase) => moon_phase_begins(name, *phase, midnight, calendar),
    }
}

fn moon_phase_begins(name: &str, phase: u8, midnight: GameTime, calendar: &Calendar) -> bool {
    let moons = calendar.rules().moons();
    let Some(moon) = moons.iter().position(|moon| moon.name == name) else { return false };
    let is = |game: GameTime| {
        calendar.moons(game).nth(moon).is_some_and(|(_, state)| state.phase as u8 == phase)
    };
    let end = midnight.plus_us(calendar.day_us());
    let next = |game: &GameTime| calendar.next_moon_phase(moon, *game);
    let begins = std::iter::successors(next(&midnight.plus_us(-1)), next);
    begins.take(MOON_PHASES_MAX).take_while(|game| *game < end).any(is)
}

/// Days that have names, with those: weekdays, holidays by name and by id, phases of moons. A
/// moon's name may be left out of the first one's.
pub(super) fn named_days(calendar: &Calendar) -> Vec<(String, Days)> {
    let rules = calendar.rules();
    let weekdays = rules.weekdays().iter().zip(0..);
    let mut named: Vec<_> =
        weekdays.map(|(name, day)| (name.clone(), Days::Weekday(day))).collect();
    for holiday in rules.holidays() {
        for name in [&holiday.name, &holiday.id] {
            named.push((name.clone(), Days::Holiday(holiday.id.clone())));
        }
    }
    for (index, moon) in rules.moons().iter().enumerate() {
        for phase in MoonPhase::ALL {
            let days = Days::MoonPhase(moon.name.clone(), phase as u8);
            let phase = phase.name().replace('_', " ");
            if index == 0 {
                named.push((format!("{phase} moon"), days.clone()));
            }
            named.push((format!("{phase} {}", moon.name), days));
        }
    }
    named
}

/// Times of day that have names: game microseconds after midnight.
pub(super) fn named_times(calendar: &Calendar) -> Vec<(&'static str, i64)> {
    let phases = Phase::START_HOURS.iter().map(|(hours, phase)| {
        let at_us = phase_start_us(*hours, calendar);
        match phase {
            Phase::Day => ("daybreak", at_us),
            Phase::Night => ("nightfall", at_us),
            phase => (phase.name(), at_us),
        }
    });
    phases.chain([("noon", day_us(calendar) / 2), ("midnight", 0)]).collect()
}

/// When a phase begins that does so at an hour of a day of 24: a whole second after midnight.
pub(crate) fn phase_start_us(hours: u8, calendar: &Calendar) -> i64 {
    let seconds = day_us(calendar) / GameTime::SECOND_US;
    (i64::from(hours) * seconds + 23) / 24 * GameTime::SECOND_US
}

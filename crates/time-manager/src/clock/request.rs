//! Requests on the bus to command a clock, `time.clock_requested`: decoded, checked, and which of
//! them were carried out. Not here: when a schedule's is due (`agenda`), how those of others come
//! (`crate::requests`), carrying them out (`clockwork`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::{Command, Skip, Speed, no_such_date};
use worldbus_events::v1::clock_requested::Command as Asked;
use worldbus_events::v1::{ClockPhaseSpeeds, ClockRequested, ClockSet, ClockSkip};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_world::{Calendar, GameTime, SetTime, WallTime};

/// Requests that are remembered: one of those is not carried out again when its event comes again.
pub(crate) const REQUEST_COUNT_MAX: usize = 256;
/// Wall time from one command of a schedule to its next: one that makes itself due again moves the
/// clock no faster than this.
const SCHEDULE_US_MIN: i64 = 1_000_000;

/// A request for a command on a clock.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The id of its event.
    pub(crate) id: String,
    pub(crate) command: Command,
    pub(crate) by: By,
    /// If a schedule makes it.
    pub(crate) scheduled: Option<Scheduled>,
}

/// Which schedule makes a request, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled {
    pub(crate) number: u64,
    pub(crate) due: WallTime,
}

/// The command of an event, and who gives it.
///
/// # Errors
/// `Unprocessable` with what is wrong as a path in the payload.
pub(crate) fn read(event: &ClockRequested, calendar: &Calendar) -> Result<(Command, By), Problem> {
    let by = By::new(Some(&event.actor), Some(&event.reason))?;
    let within = |name: &str, problem: Problem| {
        let detail = format!("{name}.{}", problem.detail);
        Problem { detail, ..problem }
    };
    let command = match &event.command {
        Some(Asked::Set(set)) => Ok(Command::Set(wish(set))),
        Some(Asked::Skip(skip)) => skipped(skip, calendar).map_err(|p| within("skip", p)),
        Some(Asked::Scale(scale)) => {
            let seconds = scale.real_seconds_per_game_hour;
            let phase_speeds = scale.phase_speeds.as_ref().map(by_name);
            let speed = Speed { seconds, phase_speeds };
            Command::scale(&speed, calendar).map_err(|p| within("scale", p))
        }
        Some(Asked::Stop(_)) => Ok(Command::Pause),
        Some(Asked::Start(_)) => Ok(Command::Resume),
        None => Err(Problem::unprocessable("expected one of set, skip, scale, stop, start")),
    };
    Ok((command?, by))
}

/// Refuses a date that is not there when the clock shows `game`.
pub(crate) fn check_date(
    command: &Command,
    calendar: &Calendar,
    game: GameTime,
) -> Result<(), Problem> {
    let Command::Set(wish) = command else { return Ok(()) };
    let refused = |problem: Problem| {
        let detail = format!("set.{}", problem.detail);
        Problem { detail, ..problem }
    };
    calendar.resolve(game, wish).map(|_| ()).map_err(no_such_date).map_err(refused)
}

fn wish(set: &ClockSet) -> SetTime {
    SetTime {
        hour: set.hour.into(),
        minute: set.minute.map(i64::from),
        day: set.day.map(i64::from),
        month: set.month.map(i64::from),
        year: set.year.map(i64::from),
    }
}

fn skipped(skip: &ClockSkip, calendar: &Calendar) -> Result<Command, Problem> {
    let ClockSkip { days, hours, minutes, seconds } = *skip;
    let (days, hours) = (days.into(), hours.into());
    let (minutes, seconds) = (minutes.into(), seconds.into());
    Command::skip(Skip { days, hours, minutes, seconds }.us(calendar)?)
}

fn by_name(speeds: &ClockPhaseSpeeds) -> BTreeMap<String, f64> {
    let ClockPhaseSpeeds { dawn, day, dusk, night } = *speeds;
    let all = [("dawn", dawn), ("day", day), ("dusk", dusk), ("night", night)];
    all.into_iter().filter_map(|(name, speed)| Some((name.to_owned(), speed?))).collect()
}

/// The latest requests that are settled, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Settled {
    list: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<u64>,
    /// When its command took effect, if there was anything to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<WallTime>,
}

impl Settled {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.list.iter().any(|entry| entry.id == id)
    }

    /// Whether a request comes too soon after the last command of its schedule: it was due before
    /// that took effect, or would take effect right behind it.
    pub(crate) fn is_too_soon(&self, request: &Request, effective: WallTime) -> bool {
        let Some(Scheduled { number, due }) = request.scheduled else { return false };
        let mut same = self.list.iter().rev().filter(|entry| entry.schedule == Some(number));
        let Some(last) = same.find_map(|entry| entry.at) else { return false };
        due <= last || effective.0.saturating_sub(last.0) < SCHEDULE_US_MIN
    }

    /// What took effect later took effect at this wall time: the clock was ahead.
    pub(crate) fn begin_by(&mut self, wall: WallTime) {
        for entry in &mut self.list {
            entry.at = entry.at.map(|at| at.min(wall));
        }
    }

    /// Remembers a request, and when its command takes effect.
    pub(crate) fn note(&mut self, request: &Request, at: Option<WallTime>) {
        let schedule = request.scheduled.map(|scheduled| scheduled.number);
        self.list.push(Entry { id: request.id.clone(), schedule, at });
        let gone = self.list.len().saturating_sub(REQUEST_COUNT_MAX);
        self.list.drain(..gone);
    }
}

#[cfg(test)]
mod tests;

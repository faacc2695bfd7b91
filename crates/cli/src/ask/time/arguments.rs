//! The command line of `worldbus time`, and of `worldbus schedule`, which is
//! `worldbus time schedule` under the name that it had before.

use std::str::FromStr;

use clap::{Args, Subcommand};

use super::common::Common;
use super::schedule;
use crate::session::by::By;
use crate::session::number::finite;

/// What to do with the clocks.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct TimeArguments {
    #[command(subcommand)]
    pub(super) action: Action,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What to do with schedules.
#[derive(Debug, Args)]
#[command(after_help = schedule::HELP)]
pub(crate) struct ScheduleArguments {
    #[command(subcommand)]
    pub(super) action: schedule::Action,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show what time it is
    #[command(visible_alias = "current", after_help = NOW)]
    Now,
    /// List the clocks of the world
    #[command(after_help = CLOCKS)]
    Clocks,
    /// Show what the calendar calls now or another instant, or what there is in it
    #[command(after_help = CALENDAR)]
    Calendar(CalendarArguments),
    /// Show the sun over a region
    #[command(after_help = SUN)]
    Sun(SunArguments),
    /// Stop the clock
    #[command(visible_alias = "stop", after_help = PAUSE)]
    Pause(By),
    /// Let the clock run on
    #[command(visible_alias = "start", after_help = RESUME)]
    Resume(By),
    /// Change how fast the clock runs
    #[command(after_help = SCALE)]
    Scale {
        #[command(flatten)]
        wish: ScaleArguments,
        #[command(flatten)]
        by: By,
    },
    /// Set the clock
    #[command(after_help = SET)]
    Set {
        #[command(flatten)]
        wish: SetArguments,
        #[command(flatten)]
        by: By,
    },
    /// Skip game time
    #[command(visible_alias = "advance", after_help = SKIP)]
    Skip {
        #[command(flatten)]
        wish: SkipArguments,
        #[command(flatten)]
        by: By,
    },
    /// Publish events at game times: add, list, cancel
    #[command(subcommand, after_help = schedule::HELP)]
    Schedule(schedule::Action),
    /// List the latest commands of the clock, with who and why
    #[command(after_help = HISTORY)]
    History,
}

/// Which instant.
#[derive(Debug, Args)]
pub(super) struct CalendarArguments {
    /// A date, `2024-03-01`, `2024-03-01T06:00`, or whole game minutes since the world's epoch; now
    /// if left out
    #[arg(value_name = "WHEN", allow_negative_numbers = true)]
    pub(super) at: Option<String>,
    /// Show months, weekdays, seasons, moons and holidays instead
    #[arg(long, conflicts_with = "at")]
    pub(super) rules: bool,
}

/// Over which region.
#[derive(Debug, Args)]
pub(super) struct SunArguments {
    /// The region's id; the world's first one if left out
    #[arg(value_name = "REGION")]
    pub(super) region: Option<String>,
}

/// To what time.
#[derive(Debug, Args)]
pub(super) struct SetArguments {
    /// `22`, `22:30`, or with a date `2024-05-01T22:30`
    #[arg(value_name = "TIME", allow_hyphen_values = true)]
    pub(super) time: Instant,
}

/// How far.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct SkipArguments {
    /// Days of the world's calendar
    #[arg(long, value_name = "NUMBER")]
    pub(super) days: Option<u32>,
    /// Hours of the world's calendar
    #[arg(long, value_name = "NUMBER")]
    pub(super) hours: Option<u32>,
    /// Minutes
    #[arg(long, value_name = "NUMBER")]
    pub(super) minutes: Option<u32>,
    /// Seconds
    #[arg(long, value_name = "NUMBER")]
    pub(super) seconds: Option<u32>,
}

/// How fast.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct ScaleArguments {
    /// Real seconds that a game hour takes, 0.01 to 86400
    #[arg(value_name = "SECONDS", value_parser = finite)]
    pub(super) seconds: Option<f64>,
    /// The speed of a phase of the day over that: dawn, day, dusk or night; may be given several
    /// times. Phases that are not given run even
    #[arg(long, value_name = "PHASE=SPEED")]
    pub(super) phase: Vec<PhaseSpeed>,
    /// Let all phases of the day pass at one speed again
    #[arg(long, conflicts_with = "phase")]
    pub(super) even: bool,
}

/// `night=2`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhaseSpeed(pub(super) String, pub(super) f64);

impl FromStr for PhaseSpeed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('=').and_then(|(name, speed)| Some((name, finite(speed).ok()?)));
        let (name, speed) = parts.ok_or("expected PHASE=SPEED such as night=2")?;
        Ok(Self(name.to_owned(), speed))
    }
}

/// A time of day, on a date if one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instant {
    /// Year, month and day.
    pub(super) date: Option<(i64, i64, i64)>,
    pub(super) hour: i64,
    pub(super) minute: i64,
}

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a time such as 22, 22:30 or 2024-05-01T22:30";
        let (date, time) = match text.split_once(['T', ' ']) {
            Some((date, time)) => (Some(self::date(date).ok_or(expected)?), time),
            None => (None, text),
        };
        let (hour, minute) = time.split_once(':').unwrap_or((time, "0"));
        let number = |text: &str| digits(text).ok_or(expected);
        Ok(Self { date, hour: number(hour)?, minute: number(minute)? })
    }
}

/// `2024-05-01`; a year may be before 0.
fn date(text: &str) -> Option<(i64, i64, i64)> {
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let (sign, year) = year.strip_prefix('-').map_or((1, year), |year| (-1, year));
    Some((sign * digits(year)?, digits(month)?, digits(day)?))
}

/// A number of digits alone; how large it may be is the service's to say.
fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

const HELP: &str = "\
Examples:
  worldbus time now
  worldbus time set 22:30 --reason 'the ball'
  worldbus time pause
  worldbus time schedule add 'in 3 hours' time.day_activated '{}'

In `worldbus up` the time-manager has the URL of all; one of its own is named by --url or by
WORLDBUS_TIME_URL. A command takes effect after the lead of the service.";

const NOW: &str = "\
Examples:
  worldbus time now
  worldbus time now --clock dungeon
  worldbus time now --format json | jq -r .date";

const CLOCKS: &str = "\
Examples:
  worldbus time clocks";

const CALENDAR: &str = "\
Examples:
  worldbus time calendar
  worldbus time calendar 2024-03-01T06:00
  worldbus time calendar --rules";

const SUN: &str = "\
Examples:
  worldbus time sun
  worldbus time sun brussels";

const PAUSE: &str = "\
Examples:
  worldbus time pause
  worldbus time pause --actor anna --reason 'the finale'";

const RESUME: &str = "\
Examples:
  worldbus time resume";

const SCALE: &str = "\
Examples:
  worldbus time scale 60                  a game hour takes a minute
  worldbus time scale --phase night=2     nights pass twice as fast
  worldbus time scale --even";

const SET: &str = "\
Examples:
  worldbus time set 22
  worldbus time set 22:30 --actor anna
  worldbus time set 2024-05-01T22:30";

const SKIP: &str = "\
Examples:
  worldbus time skip --hours 9
  worldbus time skip --days 1 --hours 2 --minutes 30

What is scheduled once in what is skipped comes at once; what recurs is left out.";

const HISTORY: &str = "\
Examples:
  worldbus time history
  worldbus time history --format json | jq .segments[0]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_is_a_time_of_day_with_or_without_a_date() {
        let at = |text: &str| text.parse::<Instant>();
        assert_eq!(at("22"), Ok(Instant { date: None, hour: 22, minute: 0 }));
        assert_eq!(at("6:05"), Ok(Instant { date: None, hour: 6, minute: 5 }));
        let date = Some((2024, 5, 1));
        assert_eq!(at("2024-05-01T22:30"), Ok(Instant { date, hour: 22, minute: 30 }));
        let before = Some((-5, 6, 16));
        assert_eq!(at("-0005-06-16 01:00"), Ok(Instant { date: before, hour: 1, minute: 0 }));
        for wrong in ["", "noon", "22:", "22:3x", "2024-05T22", "+5", "2024-05-01"] {
            assert!(at(wrong).unwrap_err().contains("22:30"), "{wrong}");
        }
    }

    #[test]
    fn speed_of_a_phase_is_a_pair() {
        assert_eq!("night=2".parse(), Ok(PhaseSpeed("night".to_owned(), 2.0)));
        for wrong in ["night", "night=", "night=fast", "night=nan"] {
            assert!(wrong.parse::<PhaseSpeed>().unwrap_err().contains("night=2"), "{wrong}");
        }
    }
}

//! Commands on a clock, checked: what each does to it. Not here: who gives one and how it is taken
//! (`clockwork`), documents and messages that ask for one (`rest`, `grpc`, `requests`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use worldbus_service::Problem;
use worldbus_world::{
    Calendar, CalendarError, Change, Clock, Curve, GameTime, Phase, PhaseSpeeds, Scale, SetTime,
    WallTime,
};

/// The longest skip in hours of 60 game minutes: 1,000 years of Earth, whatever the calendar.
const SKIP_HOURS_MAX: i64 = 366_000 * 24;
/// The same in game microseconds.
const SKIP_US_MAX: i64 = SKIP_HOURS_MAX * GameTime::HOUR_US;

const PHASES: [Phase; 4] = [Phase::Dawn, Phase::Day, Phase::Dusk, Phase::Night];

/// A command on a clock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    /// Whether there is such a date is known where it takes effect.
    Set(SetTime),
    /// Game microseconds ahead.
    Skip(i64),
    /// What is left out stays.
    Scale(Option<Scale>, Option<Option<Curve>>),
    Pause,
    Resume,
}

/// What was done to a clock or to what it is asked for, as it is stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verb {
    /// The world's first segment.
    Start,
    /// The clock goes on after a wall clock that was ahead.
    Continue,
    Set,
    Skip,
    Scale,
    Pause,
    Resume,
    /// An event is published when the clock reaches its time.
    Schedule,
    /// A schedule is taken back.
    Cancel,
    /// A request that changed nothing.
    Request,
}

impl Verb {
    /// Its name in events, documents and the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Continue => "continue",
            Self::Set => "set",
            Self::Skip => "skip",
            Self::Scale => "scale",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Schedule => "schedule",
            Self::Cancel => "cancel",
            Self::Request => "request",
        }
    }
}

/// What a command on the clock comes to.
pub(crate) struct Decision {
    pub(crate) change: Change,
    pub(crate) command: Verb,
    /// For people.
    pub(crate) detail: String,
}

/// A wish for another speed; what is left out stays.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    pub(crate) seconds: Option<f64>,
    pub(crate) phase_speeds: Option<BTreeMap<String, f64>>,
}

/// A wish to skip game time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    pub(crate) days: i64,
    pub(crate) hours: i64,
    pub(crate) minutes: i64,
    pub(crate) seconds: i64,
}

impl Command {
    /// Skips microseconds of game time.
    pub(crate) fn skip(us: i64) -> Result<Self, Problem> {
        if (1..=SKIP_US_MAX).contains(&us) {
            return Ok(Self::Skip(us));
        }
        let detail = format!(
            "expected a duration from a microsecond to {SKIP_HOURS_MAX} hours of 60 game minutes \
             in all; to go back, set the clock"
        );
        Err(Problem::unprocessable(detail))
    }

    /// Changes the speed.
    pub(crate) fn scale(wish: &Speed, calendar: &Calendar) -> Result<Self, Problem> {
        const FIELD: &str = "real_seconds_per_game_hour";
        let scale = wish.seconds.map(Scale::from_f64).transpose();
        let scale =
            scale.map_err(|e| Problem::unprocessable(format!("{FIELD}: {e}")).with_field(FIELD))?;
        let curve = wish.phase_speeds.as_ref().map(|speeds| curve(speeds, calendar)).transpose()?;
        if scale.is_none() && curve.is_none() {
            let detail = format!("expected {FIELD}, phase_speeds, or both");
            return Err(Problem::unprocessable(detail).with_field(FIELD));
        }
        Ok(Self::Scale(scale, curve))
    }

    /// What it does to a clock where it takes effect; none if the clock is so already.
    pub(crate) fn decide(
        &self,
        calendar: &Calendar,
        clock: &Clock,
        effective: WallTime,
    ) -> Result<Option<Decision>, Problem> {
        let last = clock.last();
        let decision = match *self {
            Self::Set(wish) => {
                let game = calendar.resolve(clock.game_at(effective), &wish);
                let game = game.map_err(no_such_date)?;
                let detail = format!("to {}", calendar.at(game));
                Decision { change: Change::Set(game), command: Verb::Set, detail }
            }
            Self::Skip(us) => {
                let detail = format!("{} game seconds", GameTime(us).seconds());
                Decision { change: Change::Skip(us), command: Verb::Skip, detail }
            }
            Self::Scale(scale, curve) => {
                let scale = scale.or_else(|| last.scale());
                let scale =
                    scale.ok_or_else(|| Problem::internal("the clock's scale has no name"))?;
                let curve = curve.unwrap_or(last.curve);
                let phases = if curve.is_some() { ", phases at speeds of their own" } else { "" };
                let detail = format!("{scale} real seconds per game hour{phases}");
                Decision { change: Change::Curve(scale, curve), command: Verb::Scale, detail }
            }
            Self::Pause | Self::Resume => return Ok(self.turn(last.paused)),
        };
        Ok(Some(decision))
    }

    /// Lets a clock stand or run; none if it does.
    fn turn(&self, paused: bool) -> Option<Decision> {
        let (change, command, pause) = match self {
            Self::Pause => (Change::Pause, Verb::Pause, true),
            _ => (Change::Start, Verb::Resume, false),
        };
        let decision = Decision { change, command, detail: String::new() };
        (paused != pause).then_some(decision)
    }
}

impl Skip {
    /// The game microseconds of all of it, in days and hours of a calendar.
    pub(crate) fn us(&self, calendar: &Calendar) -> Result<i64, Problem> {
        let parts = [
            ("days", self.days, calendar.day_us()),
            ("hours", self.hours, calendar.rules().hour_us()),
            ("minutes", self.minutes, GameTime::MINUTE_US),
            ("seconds", self.seconds, GameTime::SECOND_US),
        ];
        parts.iter().try_fold(0i64, |sum, (field, count, unit)| {
            let us = count.checked_mul(*unit).and_then(|us| sum.checked_add(us));
            us.filter(|us| *count >= 0 && *us <= SKIP_US_MAX).ok_or_else(|| {
                let detail = format!(
                    "{field}: expected a number from 0, and at most {SKIP_HOURS_MAX} hours of 60 \
                     game minutes in all, found {count}; to go back, set the clock"
                );
                Problem::unprocessable(detail).with_field(*field)
            })
        })
    }
}

fn curve(speeds: &BTreeMap<String, f64>, calendar: &Calendar) -> Result<Option<Curve>, Problem> {
    let wrong = |detail: String| {
        Problem::unprocessable(format!("phase_speeds.{detail}")).with_field("phase_speeds")
    };
    let speeds = speeds.iter().try_fold(PhaseSpeeds::default(), |all, (name, speed)| {
        let phase = PHASES.into_iter().find(|phase| phase.name() == name);
        let phase = phase
            .ok_or_else(|| wrong(format!("{name:.40}: expected one of dawn, day, dusk, night")))?;
        all.with(phase, *speed).map_err(|e| wrong(e.to_string()))
    })?;
    speeds.curve(calendar).map_err(|error| {
        let detail = format!("phase_speeds: expected speeds with a common measure: {error}");
        Problem::unprocessable(detail).with_field("phase_speeds")
    })
}

pub(crate) fn no_such_date(error: CalendarError) -> Problem {
    let field = error.field;
    Problem::unprocessable(error.to_string()).with_field(field)
}

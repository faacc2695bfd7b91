//! Commands on the clocks of a world as REST and gRPC share them: checked field by field, audited,
//! and taken. Not here: how a command becomes a segment (`clockwork`), documents and messages.
//! Commands on schedules are in `schedules`.

mod schedules;

use std::collections::BTreeMap;
use std::sync::Arc;

use worldbus_events::Catalogue;
use worldbus_service::Problem;
use worldbus_world::{
    CalendarError, Change, Clock, Curve, GameTime, Phase, PhaseSpeeds, Scale, SetTime, World,
};

use crate::clockwork::{Clockwork, Decision, Taken};
use crate::history::By;
pub(crate) use schedules::{NoSchedule, Wish};

/// Bytes of who gives a command.
pub(crate) const ACTOR_BYTES_MAX: usize = 64;
/// Bytes of why.
pub(crate) const REASON_BYTES_MAX: usize = 200;
/// The longest skip in hours of 60 game minutes: 1,000 years of Earth, whatever the calendar.
pub(crate) const SKIP_HOURS_MAX: i64 = 366_000 * 24;
/// The same in game microseconds.
pub(crate) const SKIP_US_MAX: i64 = SKIP_HOURS_MAX * GameTime::HOUR_US;

const PHASES: [Phase; 4] = [Phase::Dawn, Phase::Day, Phase::Dusk, Phase::Night];

/// The clocks of a world.
#[derive(Clone)]
pub(crate) struct Desk {
    /// By name; the world's own has none.
    clocks: Arc<BTreeMap<String, Face>>,
    catalogue: Arc<Catalogue>,
}

/// One clock.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) world: Arc<World>,
    pub(crate) clockwork: Arc<Clockwork>,
}

/// A wish for another speed; what is left out stays.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    pub(crate) seconds: Option<f64>,
    pub(crate) phase_speeds: Option<BTreeMap<String, f64>>,
}

impl Desk {
    pub(crate) fn new(clocks: BTreeMap<String, Face>, catalogue: Arc<Catalogue>) -> Self {
        Self { clocks: Arc::new(clocks), catalogue }
    }

    /// All clocks, the world's own first.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = (&str, &Face)> {
        self.clocks.iter().map(|(name, face)| (name.as_str(), face))
    }

    /// A clock by its name; the world's own without one.
    pub(crate) fn face(&self, name: &str) -> Result<&Face, Problem> {
        self.clocks.get(name).ok_or_else(|| {
            let names: Vec<_> = self.clocks.keys().filter(|name| !name.is_empty()).collect();
            let known = match names.as_slice() {
                [] => "the world file names none".to_owned(),
                names => format!("the world file names {}", join(names)),
            };
            let detail = format!("clock: {name:.40?} is not known; {known}");
            Problem::not_found(detail).with_field("clock")
        })
    }
}

impl Face {
    pub(crate) async fn set(&self, wish: &SetTime, by: &By) -> Result<Taken, Problem> {
        let calendar = &self.clockwork.calendar;
        let decide = |clock: &Clock, effective| {
            let game = calendar.resolve(clock.game_at(effective), wish).map_err(no_such_date)?;
            let (change, detail) = (Change::Set(game), format!("to {}", calendar.at(game)));
            Ok(Some(Decision { change, command: "set", detail }))
        };
        self.clockwork.command(by, decide).await
    }

    pub(crate) async fn skip(&self, us: i64, by: &By) -> Result<Taken, Problem> {
        if !(1..=SKIP_US_MAX).contains(&us) {
            let detail = format!(
                "expected a duration from a microsecond to {SKIP_HOURS_MAX} hours of 60 game \
                 minutes in all; to go back, set the clock"
            );
            return Err(Problem::unprocessable(detail));
        }
        let decide = |_: &Clock, _| {
            let detail = format!("{} game seconds", GameTime(us).seconds());
            Ok(Some(Decision { change: Change::Skip(us), command: "skip", detail }))
        };
        self.clockwork.command(by, decide).await
    }

    pub(crate) async fn scale(&self, wish: &Speed, by: &By) -> Result<Taken, Problem> {
        const FIELD: &str = "real_seconds_per_game_hour";
        let scale = wish.seconds.map(Scale::from_f64).transpose();
        let scale =
            scale.map_err(|e| Problem::unprocessable(format!("{FIELD}: {e}")).with_field(FIELD))?;
        let curve = wish.phase_speeds.as_ref().map(|speeds| self.curve(speeds)).transpose()?;
        if scale.is_none() && curve.is_none() {
            let detail = format!("expected {FIELD}, phase_speeds, or both");
            return Err(Problem::unprocessable(detail).with_field(FIELD));
        }
        let decide = |clock: &Clock, _| {
            let last = clock.last();
            let scale = scale.or_else(|| last.scale());
            let scale = scale.ok_or_else(|| Problem::internal("the clock's scale has no name"))?;
            let curve = curve.unwrap_or(last.curve);
            let phases = if curve.is_some() { ", phases at speeds of their own" } else { "" };
            let detail = format!("{scale} real seconds per game hour{phases}");
            let change = Change::Curve(scale, curve);
            Ok(Some(Decision { change, command: "scale", detail }))
        };
        self.clockwork.command(by, decide).await
    }

    /// Lets the clock stand or run; does nothing if it does.
    pub(crate) async fn turn(&self, pause: bool, by: &By) -> Result<Taken, Problem> {
        let (change, command) =
            if pause { (Change::Pause, "pause") } else { (Change::Start, "resume") };
        let decide = |clock: &Clock, _| {
            let decision = Decision { change, command, detail: String::new() };
            Ok((clock.last().paused != pause).then_some(decision))
        };
        self.clockwork.command(by, decide).await
    }

    fn curve(&self, speeds: &BTreeMap<String, f64>) -> Result<Option<Curve>, Problem> {
        let wrong = |detail: String| {
            Problem::unprocessable(format!("phase_speeds.{detail}")).with_field("phase_speeds")
        };
        let speeds = speeds.iter().try_fold(PhaseSpeeds::default(), |all, (name, speed)| {
            let phase = PHASES.into_iter().find(|phase| phase.name() == name);
            let phase = phase.ok_or_else(|| {
                wrong(format!("{name:.40}: expected one of dawn, day, dusk, night"))
            })?;
            all.with(phase, *speed).map_err(|e| wrong(e.to_string()))
        })?;
        speeds.curve(&self.clockwork.calendar).map_err(|error| {
            let detail = format!("phase_speeds: expected speeds with a common measure: {error}");
            Problem::unprocessable(detail).with_field("phase_speeds")
        })
    }
}

/// Who gives a command and why, checked.
pub(crate) fn by(actor: Option<String>, reason: Option<String>) -> Result<By, Problem> {
    let check = |field: &'static str, text: Option<String>, most: usize| {
        let text = text.unwrap_or_default();
        if text.len() > most || text.chars().any(char::is_control) {
            let detail = format!("{field}: expected at most {most} bytes of text on one line");
            return Err(Problem::unprocessable(detail).with_field(field));
        }
        Ok(text)
    };
    let actor = check("actor", actor, ACTOR_BYTES_MAX)?;
    Ok(By { actor, reason: check("reason", reason, REASON_BYTES_MAX)? })
}

fn no_such_date(error: CalendarError) -> Problem {
    let field = error.field;
    Problem::unprocessable(error.to_string()).with_field(field)
}

fn join(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

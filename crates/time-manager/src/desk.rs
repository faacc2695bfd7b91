//! Commands on the clocks of a world as REST and gRPC share them: checked field by field, audited,
//! and taken. Not here: how a command becomes a segment (`clockwork`), documents and messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::value::RawValue;
use worldbus_events::{Catalogue, json};
use worldbus_service::Problem;
use worldbus_world::{
    CalendarError, Change, Clock, Curve, GameTime, Phase, PhaseSpeeds, Plan, Scale, ScheduleError,
    SetTime, WallTime, World,
};

use crate::clockwork::{Clockwork, Decision, Taken};
use crate::history::{By, History};
use crate::schedule::{
    Due, SCHEDULE_COUNT_MAX, SCHEDULE_PAYLOAD_BYTES_MAX, SCHEDULES_BYTES_MAX, Schedule, Scheduled,
};

/// Bytes of who gives a command.
pub(crate) const ACTOR_BYTES_MAX: usize = 64;
/// Bytes of why.
pub(crate) const REASON_BYTES_MAX: usize = 200;
/// The longest skip: 1,000 years of 366 days.
pub(crate) const SKIP_US_MAX: i64 = 366_000 * GameTime::DAY_US;

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

/// A wish to publish an event when a clock says so.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) text: String,
    pub(crate) event_type: String,
    /// In JSON.
    pub(crate) payload: String,
    pub(crate) entity: Option<String>,
}

/// Why a schedule is not taken.
#[derive(Debug)]
pub(crate) enum NoSchedule {
    Text(ScheduleError),
    Other(Problem),
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

    /// Takes a schedule; gives it with its number.
    pub(crate) async fn add(
        &self,
        face: &Face,
        wish: &Wish,
        by: &By,
    ) -> Result<Schedule, NoSchedule> {
        let event = self.scheduled(wish).map_err(NoSchedule::Other)?;
        let clockwork = &face.clockwork;
        // Checked before anything is locked, so that the fault comes back as it is.
        let (view, now) = (clockwork.view(), clockwork.now());
        let now = view.history.clock().game_at(now);
        Plan::parse(&wish.text, now, &clockwork.calendar).map_err(NoSchedule::Text)?;
        let number = AtomicU64::new(0);
        let change = |history: &mut History, effective: WallTime| {
            let base = history.clock().game_at(effective);
            let plan = Plan::parse(&wish.text, base, &clockwork.calendar)
                .map_err(|e| Problem::unprocessable(format!("schedule: {e}")))?;
            let (text, event, by) = (wish.text.clone(), event.clone(), by.clone());
            let schedule =
                Schedule { number: 0, text, plan, from: effective, until: None, event, by };
            let given = history.schedules.add(schedule).ok_or_else(too_many)?;
            number.store(given, Ordering::Relaxed);
            Ok(Some(("schedule", format!("{given}: {} {:.120}", wish.event_type, wish.text))))
        };
        let taken = clockwork.take(by, change).await.map_err(NoSchedule::Other)?;
        let number = number.into_inner();
        let added = taken.history.schedules.list().iter().find(|s| s.number == number);
        let gone = || NoSchedule::Other(Problem::internal("the schedule is gone already"));
        added.cloned().ok_or_else(gone)
    }

    fn scheduled(&self, wish: &Wish) -> Result<Scheduled, Problem> {
        let field = |field: &'static str, detail: String| {
            Problem::unprocessable(format!("{field}: {detail}")).with_field(field)
        };
        let payload = if wish.payload.is_empty() { "{}" } else { &wish.payload };
        let payload: &RawValue = serde_json::from_str(payload)
            .map_err(|e| field("payload", format!("expected JSON: {e}")))?;
        let event = serde_json::json!({ "type": wish.event_type, "payload": payload });
        let read = json::read(&event.to_string(), &self.catalogue);
        let read = read.map_err(|e| field("event_type", e.to_string()))?;
        let known = self.catalogue.by_number(read.event_type);
        let known = known.ok_or_else(|| {
            let detail = format!("expected a type of the catalogue, found {}", read.event_type);
            field("event_type", detail)
        })?;
        if read.payload.len() > SCHEDULE_PAYLOAD_BYTES_MAX {
            let (most, found) = (SCHEDULE_PAYLOAD_BYTES_MAX, read.payload.len());
            return Err(field("payload", format!("expected at most {most} bytes, found {found}")));
        }
        let entity = wish.entity.clone().filter(|entity| !entity.is_empty());
        let most = worldbus_events::limits::ENTITY_BYTES_MAX;
        if entity.as_ref().is_some_and(|entity| entity.len() > most) {
            return Err(field("entity", format!("expected at most {most} bytes")));
        }
        Ok(Scheduled {
            event_type: read.event_type,
            name: known.name().to_owned(),
            topic: known.topic().to_owned(),
            entity,
            payload: read.payload,
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
            let detail = "expected a duration from a microsecond to 366000 days in all; \
                          to go back, set the clock";
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

    /// What is still due some time.
    pub(crate) fn live(&self) -> Vec<Schedule> {
        let view = self.clockwork.view();
        let list = view.history.schedules.list().iter();
        let live =
            |s: &&Schedule| s.until.is_none() && (!s.plan.is_once() || self.next(s).is_some());
        list.filter(live).cloned().collect()
    }

    /// When a schedule is due next by the clock as it is known now.
    pub(crate) fn next(&self, schedule: &Schedule) -> Option<Due> {
        let (view, clockwork) = (self.clockwork.view(), &self.clockwork);
        schedule.next(view.history.clock(), &clockwork.calendar, clockwork.now())
    }

    /// Takes a schedule back; gives it as it was.
    pub(crate) async fn cancel(&self, id: &str, by: &By) -> Result<Schedule, Problem> {
        let unknown = || {
            let detail = format!("schedule {id:.40?} is not known: it is over, or never was");
            Problem::not_found(detail).with_field("schedule_id")
        };
        let number: u64 = id.parse().map_err(|_| unknown())?;
        let change = |history: &mut History, effective: WallTime| {
            let clock = history.clock().clone();
            let cancelled = history.schedules.cancel(number, effective).ok_or_else(unknown)?;
            // It may be due before the command takes effect, or was.
            let once = Schedule { until: None, ..cancelled.clone() }.once(&clock, effective);
            if once.is_some_and(|due| due.wall < effective) {
                return Err(unknown());
            }
            Ok(Some((
                "cancel",
                format!("{number}: {} {:.120}", cancelled.event.name, cancelled.text),
            )))
        };
        let taken = self.clockwork.take(by, change).await?;
        let list = taken.history.schedules.list();
        list.iter().find(|s| s.number == number).cloned().ok_or_else(unknown)
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

fn too_many() -> Problem {
    Problem::conflict(format!(
        "a clock has at most {SCHEDULE_COUNT_MAX} schedules of {SCHEDULES_BYTES_MAX} bytes in \
         all; cancel some"
    ))
}

fn no_such_date(error: CalendarError) -> Problem {
    let field = error.field;
    Problem::unprocessable(error.to_string()).with_field(field)
}

fn join(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

impl NoSchedule {
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Text(error) => {
                Problem::unprocessable(format!("schedule: {error}")).with_field("schedule")
            }
            Self::Other(problem) => problem,
        }
    }
}

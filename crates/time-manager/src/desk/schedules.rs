//! Commands on what is scheduled: checked field by field and taken, shown, taken back. Not here:
//! the grammar (`worldbus-world`), when a schedule is due (`schedule`).

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Desk, Face};
use crate::clock::command::Verb;
use crate::clock::history::History;
use crate::clock::request;
use crate::schedule::{
    Due, SCHEDULE_COUNT_MAX, SCHEDULE_PAYLOAD_BYTES_MAX, SCHEDULES_BYTES_MAX, Schedule, Scheduled,
};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{ClockRequested, WeatherOverrideRequested};
use worldbus_events::{Event as _, exact, json};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_world::{GameTime, Plan, ScheduleError, WallTime, World};

/// A wish to publish an event when a clock reaches its time.
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
    /// Takes a schedule; gives it with its number.
    pub(crate) async fn add(
        &self,
        face: &Face,
        wish: &Wish,
        by: &By,
    ) -> Result<Schedule, NoSchedule> {
        let clockwork = &face.clockwork;
        // Checked before anything is locked, so that the fault comes back as it is.
        let (view, now) = (clockwork.view(), clockwork.now());
        let now = view.log.clock().game_at(now);
        let plan = Plan::parse(&wish.text, now, &clockwork.calendar).map_err(NoSchedule::Text)?;
        let due = plan.next(now, &clockwork.calendar).unwrap_or(now);
        let event = match self.scheduled((face, due), wish, by) {
            Ok(event) => event,
            // It may be of a type, or of a version of it, that was registered meanwhile.
            Err(_) => {
                self.event_types.refresh().await;
                self.scheduled((face, due), wish, by).map_err(NoSchedule::Other)?
            }
        };
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
            Ok(Some((Verb::Schedule, format!("{given}: {} {:.120}", wish.event_type, wish.text))))
        };
        let taken = clockwork.take(by, change).await.map_err(NoSchedule::Other)?;
        let number = number.into_inner();
        let added = taken.history.schedules.list().iter().find(|s| s.number == number);
        let gone = || NoSchedule::Other(Problem::internal("the schedule is gone already"));
        added.cloned().ok_or_else(gone)
    }

    /// What to know about the event type of a schedule, if anything.
    pub(crate) fn caution(&self, schedule: &Schedule) -> Option<String> {
        let catalogue = self.event_types.current();
        catalogue.caution(catalogue.by_number(schedule.event.event_type)?)
    }

    /// The event of a schedule of a clock that is due first at a game time.
    fn scheduled(
        &self,
        (face, due): (&Face, GameTime),
        wish: &Wish,
        by: &By,
    ) -> Result<Scheduled, Problem> {
        let field = |field: &'static str, detail: String| {
            Problem::unprocessable(format!("{field}: {detail}")).with_field(field)
        };
        let catalogue = self.event_types.current();
        let payload = if wish.payload.is_empty() { "{}" } else { &wish.payload };
        let unknown = |number: u32| {
            let detail = format!("expected a type of the catalogue, found {number}");
            field("event_type", detail)
        };
        let number = exact(&wish.event_type);
        if let Some(number) = number.filter(|&number| catalogue.by_number(number).is_none()) {
            return Err(unknown(number));
        }
        let read = json::read_payload(&wish.event_type, payload, &catalogue);
        let (event_type, payload) = read.map_err(|error| {
            let wrong = error.kind() == worldbus_events::Kind::WrongPayload;
            field(if wrong { "payload" } else { "event_type" }, error.to_string())
        })?;
        let known = catalogue.by_number(event_type);
        let known = known.ok_or_else(|| unknown(event_type))?;
        if payload.len() > SCHEDULE_PAYLOAD_BYTES_MAX {
            let (most, found) = (SCHEDULE_PAYLOAD_BYTES_MAX, payload.len());
            return Err(field("payload", format!("expected at most {most} bytes, found {found}")));
        }
        let entity = wish.entity.clone().filter(|entity| !entity.is_empty());
        let most = worldbus_events::limits::ENTITY_BYTES_MAX;
        if entity.as_ref().is_some_and(|entity| entity.len() > most) {
            return Err(field("entity", format!("expected at most {most} bytes")));
        }
        let payload = match event_type {
            WeatherOverrideRequested::NUMBER if face.is_own_world => {
                let detail = format!(
                    "{} has no weather: its clock is a world of its own; schedule it on the \
                     world's clock, which is the one without a name",
                    face.world.id
                );
                return Err(field("event_type", detail));
            }
            WeatherOverrideRequested::NUMBER => weather_request(&face.world, &payload, by)?,
            ClockRequested::NUMBER => clock_request((face, due), &payload, by)?,
            _ => payload,
        };
        Ok(Scheduled {
            event_type,
            name: known.name().to_owned(),
            topic: known.topic().to_owned(),
            entity,
            payload,
        })
    }
}

impl Face {
    /// What is still due some time.
    pub(crate) fn live(&self) -> Vec<Schedule> {
        let view = self.clockwork.view();
        let list = view.log.schedules.list().iter();
        let live =
            |s: &&Schedule| s.until.is_none() && (!s.plan.is_once() || self.next(s).is_some());
        list.filter(live).cloned().collect()
    }

    /// When a schedule is due next by the clock as it is known now.
    pub(crate) fn next(&self, schedule: &Schedule) -> Option<Due> {
        let (view, clockwork) = (self.clockwork.view(), &self.clockwork);
        schedule.next(view.log.clock(), &clockwork.calendar, clockwork.now())
    }

    /// Takes a schedule back; gives it as it was.
    pub(crate) async fn cancel(&self, id: &str, by: &By) -> Result<Schedule, Problem> {
        let unknown = || {
            let detail = format!("schedule {id:.40?} is not known: it is over, or never was");
            Problem::not_found(detail).with_field("schedule_id")
        };
        let number: u64 = exact(id).ok_or_else(unknown)?;
        let change = |history: &mut History, effective: WallTime| {
            let clock = history.clock().clone();
            let cancelled = history.schedules.cancel(number, effective).ok_or_else(unknown)?;
            // It may be due before the command takes effect, or was.
            let once = Schedule { until: None, ..cancelled.clone() }.once(&clock, effective);
            if once.is_some_and(|due| due.wall < effective) {
                return Err(unknown());
            }
            Ok(Some((
                Verb::Cancel,
                format!("{number}: {} {:.120}", cancelled.event.name, cancelled.text),
            )))
        };
        let taken = self.clockwork.take(by, change).await?;
        let list = taken.history.schedules.list();
        list.iter().find(|s| s.number == number).cloned().ok_or_else(unknown)
    }
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

/// A request to force the weather, checked before it is due, with who schedules it as its actor
/// if it names none.
fn weather_request(world: &World, payload: &[u8], by: &By) -> Result<Vec<u8>, Problem> {
    let mut request =
        WeatherOverrideRequested::from_payload(payload).map_err(|e| wrong(e.to_string()))?;
    request.check().map_err(wrong)?;
    if let Some(unknown) = request.region_ids.iter().find(|id| world.region_index(id).is_none()) {
        return Err(wrong(format!("region_ids: no region {unknown:.40?} in {}", world.id)));
    }
    sign(&mut request.actor, &mut request.reason, by);
    Ok(request.encode_to_vec())
}

/// The same for a request to command the clock.
fn clock_request(
    (face, due): (&Face, GameTime),
    payload: &[u8],
    by: &By,
) -> Result<Vec<u8>, Problem> {
    let mut event = ClockRequested::from_payload(payload).map_err(|e| wrong(e.to_string()))?;
    let calendar = &face.clockwork.calendar;
    let (command, _) = request::read(&event, calendar).map_err(|p| wrong(p.detail))?;
    request::check_date(&command, calendar, due).map_err(|p| wrong(p.detail))?;
    sign(&mut event.actor, &mut event.reason, by);
    Ok(event.encode_to_vec())
}

/// Who schedules a request is its actor if it names none; then theirs is the reason, too, if it has
/// none.
fn sign(actor: &mut String, reason: &mut String, by: &By) {
    if !actor.is_empty() {
        return;
    }
    actor.clone_from(&by.actor);
    if reason.is_empty() {
        reason.clone_from(&by.reason);
    }
}

fn wrong(detail: String) -> Problem {
    Problem::unprocessable(format!("payload.{detail}")).with_field("payload")
}

fn too_many() -> Problem {
    Problem::limit_reached(format!(
        "a clock has at most {SCHEDULE_COUNT_MAX} schedules of {SCHEDULES_BYTES_MAX} bytes in \
         all; cancel some"
    ))
}

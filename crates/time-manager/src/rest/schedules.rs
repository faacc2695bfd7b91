//! The routes of what is scheduled in game time.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::document::rfc3339;
use super::{Answer, Turn, Which};
use crate::desk::{Desk, Face, NoSchedule, Wish};
use crate::schedule::Schedule;
use worldbus_service::{Json, OptionalJson, Path, Problem, Query};
use worldbus_simulated::commands::By;

/// A wish to publish an event when a clock says so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleRequest {
    /// `in 3 hours`, `every day 06:30`, `dusk each monday`: see docs/explanation/time.md.
    schedule: String,
    /// The event type by name; `type` is another name of the field.
    #[serde(alias = "type")]
    event_type: String,
    /// Its payload in JSON; defaults if left out.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    payload: Option<Box<RawValue>>,
    /// What the event is about.
    entity: Option<String>,
    /// Who schedules it; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// What is scheduled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeSchedules)]
pub(super) struct Schedules {
    /// Those that are still due some time, oldest first.
    schedules: Vec<One>,
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeSchedule)]
pub(super) struct One {
    schedule_id: String,
    /// As it was written.
    schedule: String,
    /// The event type by name.
    event_type: String,
    entity: Option<String>,
    /// It is due only once.
    once: bool,
    /// When it is due next by the clock as it runs now: the game time, and the wall time in
    /// RFC 3339, which a pause or another scale moves.
    next_game_us: Option<i64>,
    next_date_time: Option<String>,
    next_at: Option<String>,
    /// It counts from this wall time on, RFC 3339.
    effective_at: String,
    actor: String,
    reason: String,
    /// What to know about the event type, if anything: that it is a fact of a service, which
    /// publishing does not make true.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// What is scheduled in game time.
#[utoipa::path(get, path = "/api/time/schedules", tag = "time", params(Which),
    responses((status = 200, description = "The schedules.", body = Schedules),
        (status = 404, description = "No such clock.")))]
pub(super) async fn list(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    desk.face(&which.clock)?;
    let work = desk.work.clone();
    let list = move || {
        let face = desk.face(&which.clock)?;
        let one = |schedule: &Schedule| One::new(&desk, face, schedule);
        Ok(Schedules { schedules: face.live().iter().map(one).collect() })
    };
    work.answer(list).await
}

/// Publishes an event when the clock says so.
#[utoipa::path(post, path = "/api/time/schedules", tag = "time", params(Which),
    request_body = ScheduleRequest,
    responses((status = 200, description = "Scheduled.", body = One),
        (status = 404, description = "No such clock."),
        (status = 409, description = "The clock has as many schedules as it may.")))]
pub(super) async fn add(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    Json(request): Json<ScheduleRequest>,
) -> Answer<One> {
    let ScheduleRequest { schedule: text, event_type, payload, entity, actor, reason } = request;
    let by = By::new(actor.as_deref(), reason.as_deref())?;
    // As it was written: a JSON value would round its numbers.
    let payload = payload.map_or(String::new(), |json| json.get().to_owned());
    let face = desk.face(&which.clock)?;
    let wish = Wish { text, event_type, payload, entity };
    let added = desk.add(face, &wish, &by).await.map_err(NoSchedule::problem)?;
    Ok(Json(One::new(&desk, face, &added)))
}

/// Takes a schedule back.
#[utoipa::path(delete, path = "/api/time/schedules/{id}", tag = "time",
    params(Which, ("id" = String, Path, description = "The schedule's id.")),
    request_body = Option<Turn>,
    responses((status = 200, description = "Cancelled.", body = One),
        (status = 404, description = "No such schedule or clock.")))]
pub(super) async fn cancel(
    State(desk): State<Desk>,
    Path(id): Path,
    Query(which): Query<Which>,
    OptionalJson(by): OptionalJson<Turn>,
) -> Answer<One> {
    let by = by.signed()?;
    let face = desk.face(&which.clock)?;
    let cancelled = face.cancel(&id, &by).await?;
    Ok(Json(One::new(&desk, face, &cancelled)))
}

impl One {
    fn new(desk: &Desk, face: &Face, schedule: &Schedule) -> Self {
        let next = face.next(schedule);
        let date = |game| face.clockwork.calendar.at(game).to_string();
        Self {
            schedule_id: schedule.id(),
            schedule: schedule.text.clone(),
            event_type: schedule.event.name.clone(),
            entity: schedule.event.entity.clone(),
            once: schedule.plan.is_once(),
            next_game_us: next.map(|due| due.game.0),
            next_date_time: next.map(|due| date(due.game)),
            next_at: next.map(|due| rfc3339(due.wall)),
            effective_at: rfc3339(schedule.from),
            actor: schedule.by.actor.clone(),
            reason: schedule.by.reason.clone(),
            warning: desk.caution(schedule),
        }
    }
}

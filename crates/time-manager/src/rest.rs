//! The REST routes of the clocks. Not here: access, the port, what commands do (`desk`).

mod calendar;
mod document;
mod schedules;
mod sun;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::clock::command::{Skip, Speed};
use crate::desk::Desk;
use document::{Changed, Clocks, Current, History};
use worldbus_service::{Json, NoQuery, OptionalJson, Problem, Query};
use worldbus_simulated::commands::By;
use worldbus_world::{Calendar, SetTime};

type Answer<T> = Result<Json<T>, Problem>;

/// Which clock.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The name of a clock of the world file; the world's own if left out.
    #[serde(default)]
    clock: String,
}

/// A wish to set the clock. What is left out of the date is today's.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TimeSetRequest)]
#[serde(deny_unknown_fields)]
struct SetRequest {
    /// To 23 where a day has 24 hours.
    #[schema(minimum = 0, maximum = 95)]
    hour: i64,
    /// To 59 where an hour has 60 minutes; 0 if left out.
    #[schema(minimum = 0, maximum = 239)]
    minute: Option<i64>,
    /// Day of the month; beyond its last for an intercalary day.
    #[schema(minimum = 1)]
    day: Option<i64>,
    /// As many as the calendar has.
    #[schema(minimum = 1)]
    month: Option<i64>,
    /// There is a year 0, and years before it.
    #[schema(minimum = -280000, maximum = 280000)]
    year: Option<i64>,
    /// Who gives the command; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish to skip game time; what is left out is 0. Days and hours are as long as those of the
/// world's calendar.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TimeSkipRequest)]
#[serde(deny_unknown_fields)]
struct SkipRequest {
    #[schema(minimum = 0)]
    days: Option<i64>,
    #[schema(minimum = 0)]
    hours: Option<i64>,
    #[schema(minimum = 0)]
    minutes: Option<i64>,
    #[schema(minimum = 0)]
    seconds: Option<i64>,
    /// Who gives the command; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish for another speed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TimeScaleRequest)]
#[serde(deny_unknown_fields)]
struct ScaleRequest {
    #[schema(minimum = 0.01, maximum = 86400)]
    real_seconds_per_game_hour: Option<f64>,
    /// Speeds of the phases of the day over the scale, 0.01 to 100: `{"night": 2}`. Those left
    /// out run at the scale itself; `{}` is an even clock.
    phase_speeds: Option<std::collections::BTreeMap<String, f64>>,
    /// Who gives the command; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// Who gives a command that needs no more, and why; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = TimeCommandRequest)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// Who gives the command; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    paths(
        current,
        calendar::calendar,
        calendar::rules::rules,
        clocks,
        history,
        set,
        skip,
        scale,
        run,
        stop,
        sun::sun,
        schedules::list,
        schedules::add,
        schedules::cancel
    ),
    tags((name = "time", description = "The clocks and the calendar of a world, and what is \
        scheduled by them."))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/api/time/current", get(current))
        .route("/api/time/calendar", get(calendar::calendar))
        .route("/api/time/calendar/rules", get(calendar::rules::rules))
        .route("/api/time/clocks", get(clocks))
        .route("/api/time/history", get(history))
        .route("/api/time/set", post(set))
        .route("/api/time/skip", post(skip))
        .route("/api/time/scale", post(scale))
        .route("/api/time/start", post(run))
        .route("/api/time/stop", post(stop))
        .route("/api/time/sun", get(sun::sun))
        .route("/api/time/schedules", get(schedules::list).post(schedules::add))
        .route("/api/time/schedules/{id}", delete(schedules::cancel))
        .with_state(desk)
}

/// The game time now.
#[utoipa::path(get, path = "/api/time/current", tag = "time", params(Which),
    responses((status = 200, description = "The time.", body = Current),
        (status = 404, description = "No such clock.")))]
async fn current(State(desk): State<Desk>, Query(which): Query<Which>) -> Answer<Current> {
    Ok(Json(Current::now(desk.face(&which.clock)?)))
}

/// The clocks of the world, its own first.
#[utoipa::path(get, path = "/api/time/clocks", tag = "time",
    responses((status = 200, description = "The clocks.", body = Clocks)))]
async fn clocks(State(desk): State<Desk>, Query(NoQuery {}): Query<NoQuery>) -> Json<Clocks> {
    Json(Clocks::new(&desk))
}

/// The latest commands: who, when, why; and the segments of the clock.
#[utoipa::path(get, path = "/api/time/history", tag = "time", params(Which),
    responses((status = 200, description = "Commands and segments.", body = History),
        (status = 404, description = "No such clock.")))]
async fn history(State(desk): State<Desk>, Query(which): Query<Which>) -> Answer<History> {
    Ok(Json(History::new(desk.face(&which.clock)?)))
}

/// Sets the clock.
#[utoipa::path(post, path = "/api/time/set", tag = "time", params(Which),
    request_body = SetRequest,
    responses((status = 200, description = "The time from then on.", body = Changed),
        (status = 404, description = "No such clock.")))]
async fn set(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    Json(request): Json<SetRequest>,
) -> Answer<Changed> {
    let SetRequest { hour, minute, day, month, year, actor, reason } = request;
    let (wish, by) =
        (SetTime { hour, minute, day, month, year }, By::new(actor.as_deref(), reason.as_deref())?);
    let face = desk.face(&which.clock)?;
    Ok(Json(Changed::new(face, &face.set(&wish, &by).await?)))
}

/// Skips game time.
#[utoipa::path(post, path = "/api/time/skip", tag = "time", params(Which),
    request_body = SkipRequest,
    responses((status = 200, description = "The time from then on.", body = Changed),
        (status = 404, description = "No such clock.")))]
async fn skip(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    Json(request): Json<SkipRequest>,
) -> Answer<Changed> {
    let face = desk.face(&which.clock)?;
    let us = request.us(&face.clockwork.calendar)?;
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    Ok(Json(Changed::new(face, &face.skip(us, &by).await?)))
}

/// Changes how fast the clock runs.
#[utoipa::path(post, path = "/api/time/scale", tag = "time", params(Which),
    request_body = ScaleRequest,
    responses((status = 200, description = "The time from then on.", body = Changed),
        (status = 404, description = "No such clock.")))]
async fn scale(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    Json(request): Json<ScaleRequest>,
) -> Answer<Changed> {
    let ScaleRequest { real_seconds_per_game_hour: seconds, phase_speeds, actor, reason } = request;
    let (wish, by) =
        (Speed { seconds, phase_speeds }, By::new(actor.as_deref(), reason.as_deref())?);
    let face = desk.face(&which.clock)?;
    Ok(Json(Changed::new(face, &face.scale(&wish, &by).await?)))
}

/// Lets the clock run; does nothing if it runs.
#[utoipa::path(post, path = "/api/time/start", tag = "time", params(Which),
    request_body = Option<Turn>,
    responses((status = 200, description = "The time from then on.", body = Changed),
        (status = 404, description = "No such clock.")))]
async fn run(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    OptionalJson(by): OptionalJson<Turn>,
) -> Answer<Changed> {
    turn(&desk, &which, by, false).await
}

/// Stops the clock; does nothing if it stands.
#[utoipa::path(post, path = "/api/time/stop", tag = "time", params(Which),
    request_body = Option<Turn>,
    responses((status = 200, description = "The time from then on.", body = Changed),
        (status = 404, description = "No such clock.")))]
async fn stop(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    OptionalJson(by): OptionalJson<Turn>,
) -> Answer<Changed> {
    turn(&desk, &which, by, true).await
}

async fn turn(desk: &Desk, which: &Which, by: Turn, pause: bool) -> Answer<Changed> {
    let by = by.signed()?;
    let face = desk.face(&which.clock)?;
    Ok(Json(Changed::new(face, &face.turn(pause, &by).await?)))
}

impl Turn {
    fn signed(self) -> Result<By, Problem> {
        By::new(self.actor.as_deref(), self.reason.as_deref())
    }
}

impl SkipRequest {
    fn us(&self, calendar: &Calendar) -> Result<i64, Problem> {
        let [days, hours, minutes, seconds] =
            [self.days, self.hours, self.minutes, self.seconds].map(|count| count.unwrap_or(0));
        Skip { days, hours, minutes, seconds }.us(calendar)
    }
}

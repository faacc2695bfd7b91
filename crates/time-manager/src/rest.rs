//! The clock's REST routes. Not here: the door, the port, what commands do (`clockwork`).

mod document;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};
use worldbus_service::{Json, Problem};
use worldbus_world::{CalendarError, Change, Scale, ScaleError, SetTime, World};

use crate::clockwork::Clockwork;
use document::{Changed, Current};

type Answer<T> = Result<Json<T>, Problem>;

#[derive(Clone)]
struct Shared {
    world: Arc<World>,
    clockwork: Arc<Clockwork>,
}

/// A wish to set the clock. What is left out of the date is today's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetRequest {
    /// 0 to 23.
    hour: i64,
    /// 0 to 59; 0 if left out.
    minute: Option<i64>,
    /// Day of the month, from 1.
    day: Option<i64>,
    /// 1 to 12.
    month: Option<i64>,
    /// Any year within 250,000 of year 0.
    year: Option<i64>,
}

/// A wish for another scale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScaleRequest {
    /// 0.01 to 86400.
    real_seconds_per_game_hour: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(OpenApi)]
#[openapi(paths(current, set, scale, run, stop))]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(world: Arc<World>, clockwork: Arc<Clockwork>) -> Router {
    Router::new()
        .route("/api/time/current", get(current))
        .route("/api/time/set", post(set))
        .route("/api/time/scale", post(scale))
        .route("/api/time/start", post(run))
        .route("/api/time/stop", post(stop))
        .with_state(Shared { world, clockwork })
}

/// The game time now.
#[utoipa::path(get, path = "/api/time/current", tag = "time",
    responses((status = 200, body = Current)))]
async fn current(State(shared): State<Shared>) -> Json<Current> {
    let view = shared.clockwork.view();
    let now = shared.clockwork.now();
    Json(Current::new(&shared.world, view.history.clock(), now))
}

/// Sets the clock.
#[utoipa::path(post, path = "/api/time/set", tag = "time", request_body = SetRequest,
    responses((status = 200, body = Changed), (status = 422, body = Problem)))]
async fn set(State(shared): State<Shared>, Json(request): Json<SetRequest>) -> Answer<Changed> {
    let SetRequest { hour, minute, day, month, year } = request;
    let wish = SetTime { hour, minute, day, month, year };
    let calendar = shared.world.calendar();
    let taken = shared.clockwork.command(|clock, effective| {
        let game = calendar.resolve(clock.game_at(effective), &wish).map_err(no_such_date)?;
        Ok(Some((Change::Set(game), "set")))
    });
    Ok(Json(Changed::new(&shared.world, &taken.await?)))
}

/// Changes how fast the clock runs.
#[utoipa::path(post, path = "/api/time/scale", tag = "time", request_body = ScaleRequest,
    responses((status = 200, body = Changed), (status = 422, body = Problem)))]
async fn scale(State(shared): State<Shared>, Json(request): Json<ScaleRequest>) -> Answer<Changed> {
    let scale = Scale::from_f64(request.real_seconds_per_game_hour).map_err(no_such_scale)?;
    let taken = shared.clockwork.command(|_, _| Ok(Some((Change::Scale(scale), "scale")))).await?;
    Ok(Json(Changed::new(&shared.world, &taken)))
}

/// Lets the clock run; does nothing if it runs.
#[utoipa::path(post, path = "/api/time/start", tag = "time",
    responses((status = 200, body = Changed)))]
async fn run(State(shared): State<Shared>, body: Bytes) -> Answer<Changed> {
    turn(&shared, &body, Change::Start).await
}

/// Stops the clock; does nothing if it stands.
#[utoipa::path(post, path = "/api/time/stop", tag = "time",
    responses((status = 200, body = Changed)))]
async fn stop(State(shared): State<Shared>, body: Bytes) -> Answer<Changed> {
    turn(&shared, &body, Change::Pause).await
}

async fn turn(shared: &Shared, body: &[u8], change: Change) -> Answer<Changed> {
    if !body.is_empty() {
        serde_json::from_slice::<Nothing>(body)
            .map_err(|e| Problem::unprocessable(format!("expected no body or {{}}: {e}")))?;
    }
    let pause = change == Change::Pause;
    let taken = shared.clockwork.command(|clock, _| {
        let reason = if pause { "pause" } else { "resume" };
        Ok((clock.last().paused != pause).then_some((change, reason)))
    });
    Ok(Json(Changed::new(&shared.world, &taken.await?)))
}

fn no_such_date(error: CalendarError) -> Problem {
    let field = error.field;
    Problem::unprocessable(error.to_string()).with_field(field)
}

fn no_such_scale(error: ScaleError) -> Problem {
    let field = "real_seconds_per_game_hour";
    Problem::unprocessable(format!("{field}: {error}")).with_field(field)
}

//! The state's REST routes. Not here: access, the port, what a step does (`model`), what is kept
//! (`store`).

mod changes;
mod commands;
mod document;
mod read;
mod snapshot;

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi;

use crate::desk::Desk;
use worldbus_bus::Bus;
use worldbus_service::{Json, Problem};

type Answer<T> = Result<Json<T>, Problem>;

#[derive(Clone)]
struct Shared {
    desk: Desk,
    bus: Bus,
}

#[derive(OpenApi)]
#[openapi(
    paths(
        commands::commands,
        read::one,
        read::list,
        read::history,
        changes::changes,
        snapshot::snapshot
    ),
    tags((name = "state", description = "The state of a world: entities with fields, changed by \
        atomic steps, at any version that is kept."))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(desk: Desk, bus: Bus) -> Router {
    Router::new()
        .route("/api/state", get(read::list))
        .route("/api/state/commands", post(commands::commands))
        .route("/api/state/changes", get(changes::changes))
        .route("/api/state/history", get(read::history))
        .route("/api/state/snapshot", get(snapshot::snapshot))
        .route("/api/state/{*entity}", get(read::one))
        .with_state(Shared { desk, bus })
}

/// A number of entries within its bounds.
fn limit(found: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    let found = found.unwrap_or(default);
    if (1..=most).contains(&found) {
        return Ok(found);
    }
    let detail = format!("query parameter `limit`: expected 1 to {most}, found {found}");
    Err(Problem::bad_request(detail).with_field("limit"))
}

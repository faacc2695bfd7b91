//! The REST side: publish, history, statistics and the live stream, in JSON, with errors as
//! problem documents.

mod cursor;
mod history;
mod problem;
mod publish;
mod stats;
pub(crate) mod stream;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi as _;

use crate::open::Open;

/// Where a browser's EventSource reads.
pub(crate) const STREAM_PATH: &str = "/api/events/stream";

/// The description of the REST routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(publish::publish, history::history, stats::stats, stream::stream),
    components(schemas(stream::notice::Resumed, stream::notice::Missing)),
    tags((name = "events", description = "Publish events, and read what was published."))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(open: Arc<Open>) -> Router {
    Router::new()
        .route("/api/events/publish", post(publish::publish))
        .route("/api/events/history/{type}", get(history::history))
        .route("/api/events/stats", get(stats::stats))
        .route(STREAM_PATH, get(stream::stream))
        .with_state(open)
}

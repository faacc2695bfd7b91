//! The steps behind a version, as pages or as lines; a client may wait for the next one.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::document::{Changes, StepView};
use super::snapshot::{NDJSON, line};
use super::{Shared, limit};
use crate::store::STEPS_COUNT_MAX;
use worldbus_service::{Json, Problem, Query};

const LIMIT_DEFAULT: usize = 100;
/// A client waits so long for the next step, at the most.
const WAIT_SECONDS_MAX: u64 = 30;

/// Behind which version.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesQuery {
    /// The version that the client has: the steps behind it are wanted.
    #[param(required)]
    from_version: Option<u64>,
    /// At the most; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Without a step yet, wait for one for so long.
    #[param(minimum = 0, maximum = 30)]
    wait_seconds: Option<u64>,
}

/// The steps behind a version, in order, without a gap: what to do to a state of that version to
/// have the present one. With `accept: application/x-ndjson` a line for each step.
#[utoipa::path(get, path = "/api/state/changes", tag = "state", params(ChangesQuery),
    responses((status = 200, description = "The steps.", body = Changes),
        (status = 404, description = "Steps behind that version are not kept any more.")))]
pub(super) async fn changes(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Query(query): Query<ChangesQuery>,
) -> Result<Response, Problem> {
    let from = query.from_version.ok_or_else(|| {
        let detail = "query parameter `from_version`: expected a version of the world";
        Problem::bad_request(detail).with_field("from_version")
    })?;
    let limit = limit(query.limit, LIMIT_DEFAULT, STEPS_COUNT_MAX)?;
    let wait = query.wait_seconds.unwrap_or(0);
    if wait > WAIT_SECONDS_MAX {
        let detail = format!(
            "query parameter `wait_seconds`: expected 0 to {WAIT_SECONDS_MAX}, found {wait}"
        );
        return Err(Problem::bad_request(detail).with_field("wait_seconds"));
    }
    let page = page(&shared, from, limit, Duration::from_secs(wait)).await?;
    let lines = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if !lines.is_some_and(|accept| accept.contains(NDJSON)) {
        return Ok(Json(page).into_response());
    }
    let mut body = Vec::new();
    page.changes.iter().try_for_each(|step| line(&mut body, step))?;
    Ok(([(header::CONTENT_TYPE, NDJSON)], body).into_response())
}

async fn page(
    shared: &Shared,
    from: u64,
    limit: usize,
    wait: Duration,
) -> Result<Changes, Problem> {
    let store = &shared.desk.store;
    // Subscribed before it is read: no step between the two is missed.
    let mut news = store.news();
    let read = || async { store.steps(from, limit).await };
    let mut steps = read().await.map_err(|error| error.into_problem("from_version"))?;
    if steps.is_empty() && !wait.is_zero() {
        drop(tokio::time::timeout(wait, news.wait_for(|version| *version > from)).await);
        steps = read().await.map_err(|error| error.into_problem("from_version"))?;
    }
    let changes = steps.into_iter().map(|step| StepView::new(&shared.desk, step));
    let changes = changes.collect::<Result<Vec<_>, Problem>>()?;
    let next = changes.last().map_or(from, |step| step.version);
    let world_version = shared.world_version().await?;
    Ok(Changes { changes, world_version, next })
}

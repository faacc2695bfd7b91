//! The whole state at one version, as lines, a page at a time as the client takes them. Each page
//! is a short read of that version, so writes go on and nothing waits for a slow client.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header;
use serde::Serialize;

use super::Shared;
use super::document::EntityView;
use crate::store::{StoreError, Wanted};
use worldbus_bus::Bus;
use worldbus_service::{NoQuery, Problem, Query};

/// The media type of lines of JSON.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// Entities of a page.
const PAGE_COUNT: usize = 256;
/// A snapshot waits no longer for the bus.
const CURSOR_MAX: Duration = Duration::from_secs(1);

/// The first line.
#[derive(Debug, Serialize)]
struct Begin<'a> {
    world: &'a str,
    /// All that follows is of this version. `GET /api/state/changes?from_version=` has what comes
    /// behind it, with no gap and no double.
    world_version: u64,
    /// Where the event-bus's streams go on: every `world_state.updated` behind `world_version` is
    /// behind it. Those up to it may be, too: they are known by their version. Left out where the
    /// bus keeps no past, or is away.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// How far a snapshot was given.
struct Given {
    shared: Shared,
    at: u64,
    after: Option<String>,
    is_done: bool,
}

/// The whole state at one version: the first line has it as `world_version`, and the `cursor` with
/// which the event-bus's streams go on; each that follows is an entity.
/// `/api/state/changes?from_version=` goes on behind it, with no gap and no double. It breaks off
/// if that version is forgotten before the client has taken all.
#[utoipa::path(get, path = "/api/state/snapshot", tag = "state",
    responses((status = 200, description = "Lines of JSON.", content_type = NDJSON,
        body = String)))]
pub(super) async fn snapshot(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response, Problem> {
    // First the cursor: what is published of later versions is then behind it.
    let cursor = cursor(&shared.bus).await;
    let at = shared.world_version().await?;
    let mut first = Vec::new();
    line(&mut first, &Begin { world: &shared.desk.world.id, world_version: at, cursor })?;
    let given = Given { shared, at, after: None, is_done: false };
    let pages = stream::try_unfold((given, Some(first)), async |(mut given, first)| {
        let bytes = match first {
            Some(first) => Some(first),
            None => given.page().await?,
        };
        Ok::<_, StoreError>(bytes.map(|bytes| (Bytes::from(bytes), (given, None))))
    });
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(pages)).into_response())
}

async fn cursor(bus: &Bus) -> Option<String> {
    match tokio::time::timeout(CURSOR_MAX, bus.transport().end()).await {
        Ok(Ok(end)) => end?.cursor(),
        Ok(Err(error)) => {
            tracing::debug!(%error, "snapshot without a cursor of the stream");
            None
        }
        Err(_) => None,
    }
}

impl Given {
    /// The next page; none at the end.
    async fn page(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_done {
            return Ok(None);
        }
        let wanted = Wanted { after: self.after.take(), limit: PAGE_COUNT, ..Wanted::default() };
        let page = self.shared.desk.store.list(wanted, self.at).await?;
        self.after = page.next;
        self.is_done = self.after.is_none();
        let mut lines = Vec::new();
        for entity in page.entities {
            // Text and numbers that were read from JSON: it cannot fail.
            drop(line(&mut lines, &EntityView::new(entity, self.at)));
        }
        Ok(Some(lines))
    }
}

/// Adds a line of JSON.
pub(super) fn line(lines: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Problem> {
    serde_json::to_writer(&mut *lines, value).map_err(|error| {
        tracing::error!(%error, "failed to encode an answer");
        Problem::internal("the answer could not be encoded; see the log")
    })?;
    lines.push(b'\n');
    Ok(())
}

//! `GET /api/events/stream`: events as they come, as server-sent events. The `id` of each is a
//! cursor; a client that comes back with it misses nothing and sees nothing twice.
//!
//! The client pulls: nothing is read from the log that it has not taken, so a slow one costs
//! one batch of memory.

mod feed;
mod query;

use crate::open::Open;
use crate::rest::cursor::Cursor;
use crate::rest::problem::of_bus;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use feed::Feed;
use futures_util::stream;
use http::{HeaderMap, header};
use query::Asked;
use std::sync::Arc;
use worldbus_bus::{Capability, Position, ReadSpec};
use worldbus_service::Problem;

/// The header in which a browser sends the id that it saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// A server-sent event.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "for the description; `feed` writes it")]
struct StreamMessage {
    /// A cursor: with it the stream goes on behind this message.
    id: String,
    /// The event type; left out where the message brings only the cursor.
    event: Option<String>,
    /// The event in JSON form, on one line.
    data: Option<String>,
}

/// Events as they come, as server-sent events: `event` is the event type, `data` the JSON form
/// on one line, `id` a cursor.
#[utoipa::path(
    get,
    path = "/api/events/stream",
    tag = "events",
    params(
        ("topic" = Option<Vec<String>>, Query, description = "Topics; all if left out."),
        ("type" = Option<Vec<String>>, Query, description = "Event types; all if left out."),
        ("entity" = Option<Vec<String>>, Query, description = "Entities; all if left out."),
        ("from" = Option<String>, Query, description = "`now`, `start`, or a time, RFC 3339."),
        ("cursor" = Option<String>, Query, description = "Where to go on; before `from`."),
        ("ticket" = Option<String>, Query, description = "In place of the key: `/api/tickets`."),
        ("last-event-id" = Option<String>, Header, description = "The same, from browsers."),
    ),
    responses(
        (
            status = 200,
            description = "The events, until the client or the server closes.",
            body = StreamMessage,
            content_type = "text/event-stream"
        ),
        (status = 501, description = "The bus behind keeps no past."),
        (status = 503, description = "Too many streams are open; retry later."),
    )
)]
pub(super) async fn stream(
    State(open): State<Arc<Open>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::parse(query.as_deref().unwrap_or_default(), &open.catalogue)?;
    let cursor = begin(&open, &asked, &headers).await?;
    let place = open.sse.take().map_err(|error| of_bus(&error))?;
    let spec = ReadSpec { filter: asked.filter.clone(), ..cursor.spec(&asked.topics) };
    let reader = open.transport().read(spec).await.map_err(|error| of_bus(&error))?;
    let feed = Feed::new(open, reader, asked.filter, cursor, place);
    let chunks = stream::unfold(feed, async |mut feed| {
        let chunk = feed.next().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(chunks)).into_response())
}

async fn begin(open: &Open, asked: &Asked, headers: &HeaderMap) -> Result<Cursor, Problem> {
    let last = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?"));
    // A browser that reconnects sends the same URL, and the header is the news.
    if let Some(text) = last.filter(|text| !text.is_empty()).or(asked.cursor.as_deref()) {
        return Cursor::decode(text)
            .map_err(|error| Problem::bad_request(error.to_string()).with_field("cursor"));
    }
    if asked.from != Position::Now {
        return Ok(Cursor::begin(asked.from, &[]));
    }
    open.transport().capabilities().require(Capability::Replay).map_err(|e| of_bus(&e))?;
    let topics = open.transport().topics().await.map_err(|error| of_bus(&error))?;
    Ok(Cursor::begin(Position::Now, &topics))
}

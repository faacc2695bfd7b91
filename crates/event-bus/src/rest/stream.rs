//! `GET /api/events/stream`: events as they come, as server-sent events. The `id` of each is a
//! cursor; a client that comes back with it misses nothing and sees nothing twice.
//!
//! The client pulls: nothing is read from the log before it has taken what came before, and one
//! that takes nothing is cut. What is sent is encoded once for all clients that see the same.

pub(crate) mod encode;
mod feed;
pub(super) mod notice;
mod query;

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};

use crate::open::Open;
use crate::rest::cursor::Cursor;
use crate::rest::problem::of_bus;
use feed::Feed;
use query::Asked;
use worldbus_bus::{Capability, LogEnd, Position, ReadSpec, Topic};
use worldbus_service::Problem;
use worldbus_service::server::Cut;

/// The header in which a browser sends the id that it saw last.
const LAST_EVENT_ID: &str = "last-event-id";
const MEDIA_TYPE: &str = "text/event-stream";
/// How long a browser waits before it reconnects after it was refused.
const REFUSED_RETRY_MS: u32 = 5000;

/// A server-sent event.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "for the description; `feed` writes it")]
struct StreamMessage {
    /// A cursor: with it the stream goes on behind this message.
    id: String,
    /// The event type; `resumed` or `gap` for what the stream reports of itself; left out where the
    /// message brings only the cursor.
    event: Option<String>,
    /// The event in JSON form, on one line; of `resumed` a StreamResumed, of `gap` a StreamGap.
    data: Option<String>,
}

/// Events as they come, as server-sent events: `event` is the event type, `data` the JSON form
/// on one line, `id` a cursor. `resumed` reports that the cursor is of another log, in which the
/// stream goes on by time: events from `from_time` on may have been seen, under the same ids. `gap`
/// reports that some of what was asked for is not there.
#[utoipa::path(
    get,
    path = "/api/events/stream",
    tag = "events",
    params(
        ("topic" = Option<Vec<String>>, Query, description = "Topics; all if left out."),
        ("type" = Option<Vec<String>>, Query, description = "Event types; all if left out."),
        (
            "entity" = Option<Vec<String>>,
            Query,
            description = "Entities; all if left out. A comma within one is written `%2C`."
        ),
        (
            "place" = Option<Vec<String>>,
            Query,
            description = "Places; all if left out. An event that names none is at its entity. A \
                           comma within one is written `%2C`."
        ),
        ("world" = Option<Vec<String>>, Query, description = "Worlds; all if left out."),
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
        (status = 400, description = "A parameter or the cursor is invalid; `field` names it."),
        (status = 501, description = "The bus behind keeps no past."),
        (
            status = 503,
            description = "Too many streams are open; retry later. A client that accepts \
                           `text/event-stream` gets a stream that ends at once instead, so that \
                           a browser's EventSource reconnects."
        ),
    )
)]
pub(super) async fn stream(
    State(open): State<Arc<Open>>,
    cut: Option<Extension<Cut>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Extension(cut) = cut.unwrap_or_default();
    match start(open, query.as_deref().unwrap_or_default(), &headers, cut).await {
        Ok(feed) => Ok(respond(Body::from_stream(stream::unfold(feed, async |mut feed| {
            let text = feed.next().await?;
            Some((Ok::<_, std::convert::Infallible>(text), feed))
        })))),
        Err(problem) if may_come_again(&problem, &headers) => {
            let Problem { detail, .. } = problem;
            Ok(respond(Body::from(format!("retry: {REFUSED_RETRY_MS}\n: {detail}\n\n"))))
        }
        Err(problem) => Err(problem),
    }
}

fn respond(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, [("x-accel-buffering", "no")], body).into_response()
}

/// Whether to refuse by a stream that ends at once: a browser's EventSource reconnects to that, and
/// gives up for ever after any status but 200
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model>). It
/// names the media type in `Accept`.
fn may_come_again(problem: &Problem, headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    problem.status_code() == StatusCode::SERVICE_UNAVAILABLE
        && accepts.flat_map(|value| value.split(',')).any(|one| {
            one.trim().get(..MEDIA_TYPE.len()).is_some_and(|t| t.eq_ignore_ascii_case(MEDIA_TYPE))
        })
}

async fn start(
    open: Arc<Open>,
    query: &str,
    headers: &HeaderMap,
    cut: Cut,
) -> Result<Feed, Problem> {
    let asked = Asked::parse(query, &open.catalogue())?;
    known(&open, &asked.topics).await?;
    within_topics(&open, &asked)?;
    let end = open.transport().end().await.map_err(|error| of_bus(&error))?;
    let mut cursor = begin(&open, &asked, headers, end).await?;
    let place = open.sse.take(cut).map_err(|error| of_bus(&error))?;
    let view = open.encoder.view(asked.filter, asked.worlds);
    let spec = ReadSpec { filter: view.filter.clone(), ..cursor.spec(&asked.topics) };
    let reader = open.transport().read(spec).await.map_err(|error| of_bus(&error))?;
    cursor.enter(end.and_then(|end| end.log));
    Ok(Feed::new(open, reader, view, cursor, place))
}

/// Refuses topics that no event type has and that do not exist: nothing would ever come.
async fn known(open: &Open, topics: &[Topic]) -> Result<(), Problem> {
    let catalogue = open.catalogue();
    let foreign = |topic: &&Topic| !catalogue.topics().any(|name| name == topic.as_str());
    let foreign: Vec<&Topic> = topics.iter().filter(foreign).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let existing = open.transport().topics().await.map_err(|error| of_bus(&error))?;
    match foreign.into_iter().find(|topic| existing.iter().all(|known| known.topic != **topic)) {
        None => Ok(()),
        Some(unknown) => {
            let existing = existing.iter().map(|status| status.topic.as_str());
            let detail = catalogue.unknown_topic(unknown.as_str(), existing);
            Err(Problem::bad_request(detail).with_field("topic"))
        }
    }
}

/// Refuses event types that none of the topics has: nothing of them would ever come.
fn within_topics(open: &Open, asked: &Asked) -> Result<(), Problem> {
    let catalogue = open.catalogue();
    let topics: Vec<&str> = asked.topics.iter().map(Topic::as_str).collect();
    let why = asked.filter.types.iter().find_map(|number| catalogue.elsewhere(*number, &topics));
    why.map_or(Ok(()), |why| Err(Problem::bad_request(why).with_field("type")))
}

async fn begin(
    open: &Open,
    asked: &Asked,
    headers: &HeaderMap,
    end: Option<LogEnd>,
) -> Result<Cursor, Problem> {
    let last = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?"));
    // A browser that reconnects sends the same URL, and the header is the news.
    if let Some(text) = last.filter(|text| !text.is_empty()).or(asked.cursor.as_deref()) {
        return Cursor::decode(text)
            .map_err(|error| Problem::bad_request(error.to_string()).with_field("cursor"));
    }
    if asked.from != Position::Now {
        return Ok(Cursor::begin(asked.from));
    }
    let transport = open.transport();
    transport.capabilities().require(Capability::Replay).map_err(|e| of_bus(&e))?;
    if let Some(end) = end {
        return Ok(Cursor::at_end(end));
    }
    let topics = transport.topics().await.map_err(|error| of_bus(&error))?;
    Ok(Cursor::behind(&topics))
}

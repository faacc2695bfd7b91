//! `GET /api/events/history/{type}`: the latest events of a type.
//!
//! There is no index by type: the topic is read backwards in windows that grow, until there
//! are enough events or the bound on what is read is reached.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::Deserialize;

use crate::open::Open;
use crate::places::{Place, place_lost};
use crate::rest::problem::of_bus;
use worldbus_bus::{Capability, Error, Position, ReadSpec, Topic};
use worldbus_events::{EventType, json};
use worldbus_service::server::Cut;
use worldbus_service::{Path, Problem, Query};

/// Events of an answer, when none are asked for.
const LIMIT_DEFAULT: usize = 100;
/// Events of an answer.
const LIMIT_MAX: usize = 1000;
/// Bytes of an answer's events; older ones are left out beyond.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Batches of the first window; each further one is larger.
const WINDOW_BATCHES: u64 = 64;
const WINDOW_GROWTH: u64 = 4;
/// Batches that one request reads.
const READ_BATCHES_MAX: u64 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    limit: Option<usize>,
}

/// An event in JSON form.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "for the description; worldbus_events::json writes it")]
struct Event {
    /// A UUID: an event has the same one wherever it is seen.
    event_id: String,
    /// The event type by name; by number if this process does not know it.
    event_type: String,
    /// The service that published it.
    source: String,
    world: String,
    /// What it is about.
    entity: Option<String>,
    /// Where it happened, if that is not its entity.
    place: Option<String>,
    timestamp: Timestamp,
    /// proto3 JSON with the field names of the .proto file.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// When an event happened.
#[derive(utoipa::ToSchema)]
#[schema(as = EventTimestamp)]
#[serde(untagged)]
#[allow(dead_code, reason = "for the description")]
pub(super) enum Timestamp {
    /// RFC 3339.
    Text(String),
    /// Milliseconds since the Unix epoch: for years that RFC 3339 cannot say.
    Milliseconds(i64),
}

/// The latest events of a type.
#[derive(utoipa::ToSchema)]
#[schema(as = EventHistory)]
#[allow(dead_code, reason = "for the description; the answer is written as text")]
pub(super) struct History {
    /// In JSON form, from older to newer.
    #[schema(value_type = Vec<Event>)]
    events: Vec<serde_json::Value>,
    /// Whether there are no older ones that a larger limit would find, or the limit was
    /// reached; false if the search ended at its bound.
    complete: bool,
}

/// The latest events of a type, from older to newer.
#[utoipa::path(
    get,
    path = "/api/events/history/{type}",
    tag = "events",
    params(
        ("type" = String, Path, description = "The event type by name."),
        (
            "limit" = Option<usize>,
            Query,
            minimum = 1,
            maximum = 1000,
            description = "Events of the answer; 100 if left out."
        ),
    ),
    responses(
        (status = 200, description = "The latest events.", body = History),
        (status = 404, description = "Unknown event type."),
        (status = 501, description = "The bus behind keeps no past."),
        (status = 503, description = "Too many answers are under way; retry later."),
    )
)]
pub(super) async fn history(
    State(open): State<Arc<Open>>,
    cut: Option<Extension<Cut>>,
    Path(name): Path,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("limit is {limit}; expected 1 to {LIMIT_MAX}");
        return Err(Problem::bad_request(detail).with_field("limit"));
    }
    let catalogue = open.catalogue();
    let event_type = catalogue.by_name(&name).map_err(|e| Problem::not_found(e.to_string()))?;
    let Extension(cut) = cut.unwrap_or_default();
    let place = open.histories.take(cut).map_err(|error| of_bus(&error))?;
    let found = search(&open, event_type, limit).await.map_err(|error| of_bus(&error))?;
    // A client that does not read its answer keeps the place for the time of a stall only.
    if !place.give(found.bytes).await {
        return Err(of_bus(&place_lost()));
    }
    Ok(found.respond(place))
}

/// Events in JSON form, from older to newer.
struct Found {
    events: VecDeque<String>,
    bytes: usize,
    complete: bool,
}

async fn search(open: &Open, event_type: &EventType, limit: usize) -> Result<Found, Error> {
    let transport = open.transport();
    transport.capabilities().require(Capability::Replay)?;
    let topic = Topic::new(event_type.topic())?;
    let mut found = Found { events: VecDeque::new(), bytes: 0, complete: true };
    let topics = transport.topics().await?;
    let Some(status) = topics.into_iter().find(|status| status.topic == topic) else {
        return Ok(found);
    };
    let oldest = status.first_offset.max(status.next_offset.saturating_sub(READ_BATCHES_MAX));
    let (mut end, mut window) = (status.next_offset, WINDOW_BATCHES);
    while end > oldest && found.events.len() < limit && found.bytes < ANSWER_BYTES_MAX {
        let start = end.saturating_sub(window).max(oldest);
        let room = limit - found.events.len();
        let older = read_window(open, event_type, &topic, start..end, room).await?;
        for event in older.into_iter().rev() {
            found.bytes += event.len();
            found.events.push_front(event);
        }
        (end, window) = (start, window.saturating_mul(WINDOW_GROWTH));
    }
    let searched = end <= status.first_offset || found.events.len() == limit;
    found.complete = searched && found.bytes < ANSWER_BYTES_MAX;
    Ok(found)
}

/// The last events of the type in a range of offsets, at most `room`.
async fn read_window(
    open: &Open,
    event_type: &EventType,
    topic: &Topic,
    window: std::ops::Range<u64>,
    room: usize,
) -> Result<VecDeque<String>, Error> {
    // Without a filter: with one the reader would search beyond the window.
    let spec = ReadSpec::topics([topic.clone()], Position::Offset(window.start), false);
    let mut reader = open.transport().read(spec).await?;
    let catalogue = open.catalogue();
    let (mut events, mut bytes) = (VecDeque::new(), 0);
    while let Some(stored) = reader.next().await? {
        if stored.offset >= window.end {
            break;
        }
        for event in stored.batch.iter().filter(|e| e.event_type == event_type.number()) {
            let text = json::event(&event, &catalogue);
            bytes += text.len();
            events.push_back(text);
            while events.len() > room || (bytes > ANSWER_BYTES_MAX && events.len() > 1) {
                bytes -= events.pop_front().map_or(0, |oldest: String| oldest.len());
            }
        }
    }
    Ok(events)
}

impl Found {
    /// The answer, event by event: what was sent is not held any longer, and neither is the place
    /// after the last.
    fn respond(self, place: Place) -> Response {
        let Self { events, bytes, complete } = self;
        let end = if complete { "],\"complete\":true}" } else { "],\"complete\":false}" };
        let begin = "{\"events\":[";
        let commas = events.len().saturating_sub(1);
        let length = begin.len() + bytes + commas + end.len();
        let events = events.into_iter().enumerate().map(|(index, event)| match index {
            0 => event,
            _ => format!(",{event}"),
        });
        let parts =
            std::iter::once(begin.to_owned()).chain(events).chain(std::iter::once(end.to_owned()));
        let parts = parts.map(move |part| {
            let _held = &place;
            Ok::<_, std::convert::Infallible>(part)
        });
        let headers =
            [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_LENGTH, length.to_string())];
        (headers, Body::from_stream(stream::iter(parts))).into_response()
    }
}

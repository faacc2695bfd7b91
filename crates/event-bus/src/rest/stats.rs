//! `GET /api/events/stats`: what the bus holds and how busy it is.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use crate::open::Open;
use crate::rest::problem::of_bus;
use worldbus_service::{Json, NoQuery, Problem, Query};

/// What the bus holds and how busy it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = EventStats)]
pub(super) struct Stats {
    /// The transport behind the event-bus.
    transport: &'static str,
    /// The topics by name.
    topics: Vec<TopicStats>,
    /// Events since the event-bus started, by type.
    types: Vec<TypeStats>,
    /// Dead letters: events that were set aside as they could not be handled. Over SNS and SQS
    /// those of the event-bus's own log and the messages in the dead-letter queues of all
    /// subscriptions, approximate as SQS counts them and up to 10 s old. Null if they could not be
    /// counted; what the event-bus logs has the cause.
    dead_letters: Option<u64>,
    /// Streams that are open.
    streams: Streams,
}

/// What a topic holds.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TopicStats {
    topic: String,
    /// The oldest batch that is kept.
    first_offset: u64,
    /// The number of the next batch.
    next_offset: u64,
    /// Events appended since the topic was created.
    events_total: u64,
    /// Bytes of the batches that are kept.
    bytes: u64,
    /// Events a second of late, over a few seconds.
    events_per_second: f64,
}

/// Events of a type.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TypeStats {
    event_type: String,
    events: u64,
}

/// Streams that are open.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OpenStreams)]
pub(super) struct Streams {
    /// Consumers of subscriptions in other processes.
    subscribers: usize,
    /// Readers in other processes.
    readers: usize,
    /// Clients of the event stream.
    sse: usize,
}

/// What the bus holds and how busy it is.
#[utoipa::path(
    get,
    path = "/api/events/stats",
    tag = "events",
    responses((status = 200, description = "The statistics.", body = Stats))
)]
pub(super) async fn stats(
    State(open): State<Arc<Open>>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<Stats>, Problem> {
    let transport = open.transport();
    let topics = transport.topics().await.map_err(|error| of_bus(&error))?;
    let topics = topics.into_iter().map(|status| TopicStats {
        events_per_second: open.tally.rate(&status.topic),
        topic: status.topic.to_string(),
        first_offset: status.first_offset,
        next_offset: status.next_offset,
        events_total: status.events_total,
        bytes: status.bytes,
    });
    let catalogue = open.catalogue();
    let types = open.tally.by_type().into_iter().map(|(number, events)| TypeStats {
        event_type: catalogue.name_of(number).into_owned(),
        events,
    });
    // All else is known while the engine is away.
    let dead_letters = transport.dead_letter_count().await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the dead letters are not counted");
        None
    });
    Ok(Json(Stats {
        transport: transport.capabilities().transport,
        topics: topics.collect(),
        types: types.collect(),
        dead_letters,
        streams: Streams {
            subscribers: open.subscribers.taken(),
            readers: open.readers.taken(),
            sse: open.sse.taken(),
        },
    }))
}

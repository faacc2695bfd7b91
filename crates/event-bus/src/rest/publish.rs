//! `POST /api/events/publish`: one event in its JSON form.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::open::Open;
use crate::rest::history::Timestamp;
use crate::rest::problem::{of_bus, of_input};
use worldbus_bus::{Outgoing, Topic};
use worldbus_events::json;
use worldbus_service::{Json, NoQuery, Problem, Query};

/// An event to publish.
#[derive(utoipa::ToSchema)]
#[schema(as = PublishRequest)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "for the description; the body is read by worldbus_events::json")]
pub(super) struct PublishBody {
    /// The event type by name, e.g. `weather.changed`; `event_type` is another name of the field.
    #[schema(examples("world_state.updated"))]
    r#type: String,
    /// The payload in proto3 JSON; `{}` is valid.
    #[schema(value_type = Object, examples(json!({})))]
    payload: serde_json::Value,
    /// What the event is about; at most 256 bytes.
    #[schema(max_length = 256)]
    entity: Option<String>,
    /// Where it happened, if that is not its entity; at most 256 bytes.
    #[schema(max_length = 256)]
    place: Option<String>,
    /// When it happened; now if left out.
    timestamp: Option<Timestamp>,
    /// The event's id if it has one already: a UUID, or any text, of which a hash is taken.
    event_id: Option<String>,
    /// Texts by name; at most 16 KiB.
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// An event that is durable.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PublishAnswer)]
pub(super) struct Published {
    /// The id that it got.
    event_id: String,
    /// The event type.
    event_type: String,
    /// The topic that it is on.
    topic: String,
    /// What to know about the event type, if anything: that it is a fact of a service, which
    /// publishing does not make true.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Publishes an event; answers once it is durable.
#[utoipa::path(
    post,
    path = "/api/events/publish",
    tag = "events",
    request_body = PublishBody,
    responses(
        (status = 200, description = "The event is durable.", body = Published),
        (status = 413, description = "The body or the event is too large."),
        (status = 422, description = "Unknown event type, or an invalid field or payload."),
        (status = 503, description = "The bus is unavailable or its disk is full; retry later."),
    )
)]
pub(super) async fn publish(
    State(open): State<Arc<Open>>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Box<RawValue>>,
) -> Result<Json<Published>, Problem> {
    let catalogue = open.catalogue();
    // As it was written: a JSON value would round its numbers.
    let input = json::read(body.get(), &catalogue).map_err(|e| of_input(&e))?;
    for (field, given) in [("source", &input.source), ("world", &input.world)] {
        if given.is_some() {
            let detail = format!("`{field}` is that of the event-bus; leave it out");
            return Err(Problem::unprocessable(detail).with_field(field));
        }
    }
    let event_type = catalogue.by_number(input.event_type).ok_or_else(|| {
        let detail = format!("event type {} is not in the catalogue", input.event_type);
        Problem::unprocessable(detail).with_field("type")
    })?;
    let topic = Topic::new(event_type.topic()).map_err(|error| of_bus(&error))?;
    let outgoing = Outgoing {
        event_type: input.event_type,
        id: input.id,
        timestamp_ms: input.timestamp_ms,
        entity: input.entity.as_deref(),
        place: input.place.as_deref(),
        payload: &input.payload,
        metadata: Some(&input.metadata).filter(|entries| !entries.is_empty()),
        parent: None,
    };
    let pending = open.publisher.enqueue_raw(&topic, outgoing).await;
    let event_id = pending.map_err(|error| of_bus(&error))?.await.map_err(|e| of_bus(&e))?;
    Ok(Json(Published {
        event_id: event_id.to_string(),
        event_type: event_type.name().to_owned(),
        topic: topic.to_string(),
        warning: catalogue.caution(event_type),
    }))
}

//! `POST /api/events/publish`: one event in its JSON form.

use crate::open::Open;
use crate::rest::problem::{of_bus, of_input};
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use worldbus_bus::{Outgoing, Topic};
use worldbus_events::json;
use worldbus_service::{Json, Problem};

/// An event to publish.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "for the description; the body is read by worldbus_events::json")]
pub(super) struct PublishBody {
    /// The event type by name, e.g. `weather.changed`.
    r#type: String,
    /// The payload in proto3 JSON; `{}` is valid.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    /// What the event is about.
    entity: Option<String>,
    /// When it happened, RFC 3339; now, if left out.
    timestamp: Option<String>,
}

/// An event that is durable.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Published {
    /// The id that it got.
    event_id: String,
    /// The event type.
    event_type: String,
    /// The topic that it is on.
    topic: String,
}

/// Publishes an event; answers once it is durable.
#[utoipa::path(
    post,
    path = "/api/events/publish",
    tag = "events",
    request_body = PublishBody,
    responses(
        (status = 200, description = "The event is durable.", body = Published),
        (status = 400, description = "The body is not JSON.", body = Problem),
        (status = 413, description = "The event is too large.", body = Problem),
        (status = 422, description = "Unknown event type, or a wrong payload.", body = Problem),
        (status = 503, description = "Not now: the bus is away or its disk full.", body = Problem),
    )
)]
pub(super) async fn publish(
    State(open): State<Arc<Open>>,
    Json(body): Json<Box<RawValue>>,
) -> Result<Json<Published>, Problem> {
    // As it was written: a JSON value would round its numbers.
    let input = json::read(body.get(), &open.catalogue).map_err(|e| of_input(&e))?;
    for (field, given) in [("source", &input.source), ("world", &input.world)] {
        if given.is_some() {
            let detail = format!("`{field}` is that of the event-bus; leave it out");
            return Err(Problem::unprocessable(detail).with_field(field));
        }
    }
    let event_type = open.catalogue.by_number(input.event_type).ok_or_else(|| {
        let detail = format!("event type {} is not in the catalogue", input.event_type);
        Problem::unprocessable(detail).with_field("type")
    })?;
    let topic = Topic::new(event_type.topic()).map_err(|error| of_bus(&error))?;
    let outgoing = Outgoing {
        event_type: input.event_type,
        id: input.id,
        timestamp_ms: input.timestamp_ms,
        entity: input.entity.as_deref(),
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
    }))
}

//! What the routes answer with. Values of fields are passed on as they are kept, without parsing.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::store::{Entity, Kept};
use worldbus_events::Event as _;
use worldbus_events::v1::{StateOperation, WorldStateUpdated};
use worldbus_service::Problem;
use worldbus_world::GameTime;

/// What a command came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateCommandTaken)]
pub(super) struct CommandTaken {
    /// The world's version that it made. Under a key that came before, that of the first time.
    pub(super) world_version: u64,
}

/// An entity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateEntity)]
pub(super) struct EntityView {
    /// Its name.
    entity: String,
    /// How many steps touched it: what `if_version` compares.
    version: u64,
    /// The version of the world that it was read at.
    world_version: u64,
    /// Its fields, each a JSON value.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    fields: BTreeMap<String, Box<RawValue>>,
}

/// Entities in the order of their names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateEntities)]
pub(super) struct Entities {
    pub(super) entities: Vec<EntityView>,
    /// The version of the world that all of them were read at, on the pages that follow as well.
    pub(super) world_version: u64,
    /// The `cursor` of the next page; `null` on the last one.
    pub(super) next: Option<String>,
}

/// A change of a field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateDelta)]
pub(super) struct Delta {
    entity: String,
    field: String,
    /// `set` or `remove`.
    op: &'static str,
    /// The value from then on; left out for a removal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    value: Option<Box<RawValue>>,
}

/// A step: all its changes at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateStep)]
pub(super) struct StepView {
    /// The world's version from then on.
    pub(super) version: u64,
    /// One less.
    previous_version: u64,
    /// When, by the world's clock; `null` if none was received by then.
    game_time: Option<String>,
    /// The same in whole game minutes since the world's epoch.
    total_minutes: Option<i64>,
    /// Who.
    #[serde(skip_serializing_if = "String::is_empty")]
    actor: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    changes: Vec<Delta>,
}

/// The steps behind a version, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateChanges)]
pub(super) struct Changes {
    pub(super) changes: Vec<StepView>,
    /// The world's version now: at the least that of the last step of this page.
    pub(super) world_version: u64,
    /// The `from_version` that goes on behind this page.
    pub(super) next: u64,
}

/// The latest steps that touched an entity, the newest first, with their changes of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StateHistory)]
pub(super) struct History {
    pub(super) entity: String,
    pub(super) history: Vec<StepView>,
    /// The `before_version` of the next page; `null` on the last one.
    pub(super) next: Option<u64>,
}

impl EntityView {
    pub(super) fn new(entity: Entity, world_version: u64) -> Self {
        let Entity { name, version, fields } = entity;
        let fields = fields.into_iter().map(|(field, value)| (field, value.raw())).collect();
        Self { entity: name, version, world_version, fields }
    }
}

impl StepView {
    /// A step as it is kept.
    ///
    /// # Errors
    /// 500: it cannot be read.
    pub(super) fn new(desk: &Desk, step: Kept) -> Result<Self, Problem> {
        let event = WorldStateUpdated::from_payload(&step.event).map_err(|error| {
            tracing::error!(version = step.version, %error, "failed to decode a step");
            Problem::internal("a step of the world's state is damaged; see the log")
        })?;
        let changes = event.changes.into_iter().filter_map(|change| {
            let operation = change.operation();
            let (entity, field) = change.path.rsplit_once('/')?;
            let value = String::from_utf8(change.value).ok();
            let value = value.and_then(|value| RawValue::from_string(value).ok());
            let (op, value) = match operation {
                StateOperation::Set => ("set", value),
                _ => ("remove", None),
            };
            Some(Delta { entity: entity.to_owned(), field: field.to_owned(), op, value })
        });
        Ok(Self {
            version: step.version,
            previous_version: step.version - 1,
            game_time: step.game.map(|game| desk.date(game)),
            total_minutes: step.game.map(GameTime::minutes),
            actor: step.actor,
            reason: step.reason,
            changes: changes.collect(),
        })
    }

    /// Only with its changes of an entity.
    pub(super) fn of(mut self, entity: &str) -> Self {
        self.changes.retain(|delta| delta.entity == entity);
        self
    }
}

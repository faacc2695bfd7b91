//! `POST /api/state/commands`: steps as JSON.

use std::str::FromStr;

use axum::extract::State;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json_;
use utoipa::ToSchema;

use super::document::CommandTaken;
use super::{Answer, Shared};
use crate::model::{Change, EntityName, FieldName, Op, Refusal, Step, StepParts, Value};
use worldbus_service::{Json, NoQuery, Problem, Query};
use worldbus_simulated::commands::By;
use worldbus_world::GameTime;

/// What a change does.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StateChangeOp)]
enum ChangeOp {
    Set,
    Remove,
    Increment,
}

/// A change of an entity.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = StateChangeRequest)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    /// Segments of `a-z 0-9 - _ . :` with a `/` between.
    #[schema(max_length = 256)]
    entity: String,
    /// Its field; for `remove` it may be left out: the whole entity.
    #[schema(max_length = 64)]
    field: Option<String>,
    #[schema(inline)]
    op: ChangeOp,
    /// The value to set: any JSON of at most 16 KiB; or the number to add.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<serde_json::Value>)]
    value: Option<Json_>,
    /// The version that the entity must have before the step; 0: it must not exist.
    if_version: Option<u64>,
}

/// A step: all its changes are made, or none.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = StateCommandRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandRequest {
    #[schema(min_items = 1, max_items = 256)]
    changes: Vec<ChangeRequest>,
    /// Who wants it, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
    /// The same key again has the first answer and does nothing.
    #[schema(max_length = 128)]
    idempotency_key: Option<String>,
    /// A game minute since the world's epoch: what the step sets is removed then, if it was not set
    /// again since.
    expires_at_game: Option<i64>,
}

/// Changes the state by one atomic step. It is durable when this answers, and published as
/// `world_state.updated` in the order of the versions.
#[utoipa::path(post, path = "/api/state/commands", tag = "state", request_body = CommandRequest,
    responses((status = 200, description = "Made.", body = CommandTaken),
        (status = 409, description = "An entity's version, or a field, is not as expected; \
            nothing was done.")))]
pub(super) async fn commands(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<CommandRequest>,
) -> Answer<CommandTaken> {
    let step = request.step()?;
    let committed = shared.desk.take(step).await?;
    Ok(Json(CommandTaken { world_version: committed.version }))
}

impl CommandRequest {
    fn step(self) -> Result<Step, Problem> {
        let by = By::new(self.actor.as_deref(), self.reason.as_deref())?;
        let changes = self.changes.into_iter().enumerate();
        let changes = changes.map(|(index, change)| {
            change.change().map_err(|(part, why)| {
                Problem::from(Refusal::invalid(format!("changes[{index}].{part}"), why))
            })
        });
        let parts = StepParts {
            changes: changes.collect::<Result<_, _>>()?,
            by,
            expires_at: self.expires_at_game.map(GameTime::from_minutes),
            key: self.idempotency_key,
            ..StepParts::default()
        };
        Ok(Step::new(parts)?)
    }
}

type Wrong = (&'static str, String);

impl ChangeRequest {
    fn change(self) -> Result<Change, Wrong> {
        let entity = EntityName::from_str(&self.entity).map_err(|why| ("entity", why))?;
        let op = match self.op {
            ChangeOp::Set => Op::Set(field(self.field)?, value(self.value, "the value to set")?),
            ChangeOp::Increment => {
                let by = value(self.value, "the number to add")?;
                Op::Increment(field(self.field)?, by)
            }
            ChangeOp::Remove if self.value.is_some() => {
                return Err(("value", "expected none for a removal".to_owned()));
            }
            ChangeOp::Remove => Op::Remove(self.field.map(|name| field(Some(name))).transpose()?),
        };
        Ok(Change { entity, op, if_version: self.if_version })
    }
}

fn field(name: Option<String>) -> Result<FieldName, Wrong> {
    let name = name.ok_or_else(|| ("field", "expected the name of a field".to_owned()))?;
    name.parse().map_err(|why| ("field", why))
}

fn value(json: Option<Json_>, wanted: &str) -> Result<Value, Wrong> {
    let json = json.ok_or_else(|| ("value", format!("expected {wanted}")))?;
    if wanted.contains("number") && !json.is_number() {
        let found = json.to_string();
        return Err(("value", format!("expected {wanted}, found {found:.40}")));
    }
    Value::new(&json).map_err(|why| ("value", why))
}

/// `null` is a value, too.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Json_>, D::Error> {
    Json_::deserialize(from).map(Some)
}

//! What a step of the world's state means: each of its changes for itself. Not here: projections,
//! which write what other events state.

use super::{Envelope, Observation, Observe, fields};
use crate::grammar::Value;
use worldbus_events::{Event, v1};
use worldbus_world::World;

/// Changes of one step that are looked at.
const CHANGE_COUNT_MAX: usize = 256;
/// What a region's entity begins with.
const REGION: &str = "region/";

impl Observe for v1::WorldStateUpdated {
    const HAS_GAME_TIME: bool = false;

    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let changes = self.changes.iter().take(CHANGE_COUNT_MAX).enumerate();
        changes.filter_map(|(index, change)| of_change(index, change, envelope, world)).collect()
    }
}

fn of_change(
    index: usize,
    change: &v1::StateChange,
    envelope: &Envelope<'_>,
    world: &World,
) -> Option<Observation> {
    let (entity, field) = change.path.rsplit_once('/')?;
    let (of, name) = entity.split_once('/').unwrap_or(("", entity));
    let value = serde_json::from_slice::<serde_json::Value>(&change.value).unwrap_or_default();
    let text = match &value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    // Nothing is there then, as after a removal.
    let operation = match value.is_null() {
        true => v1::StateOperation::Remove,
        false => change.operation(),
    };
    let whole = value.as_i64().or_else(|| value.as_f64().map(|number| number as i64));
    let observed = Observation {
        index: u32::try_from(index).ok()?,
        entity: Some(entity.to_owned()),
        ..Observation::new(v1::WorldStateUpdated::NAME, envelope)
    };
    let region = entity.strip_prefix(REGION).unwrap_or_default();
    let observed = observed
        .in_region(world, region)
        .with("of", Value::name(of))
        .with("name", Value::name(name))
        .with("field", Value::name(field))
        .with("operation", fields::operation(operation))
        .with("value", Value::name(&text))
        .with("number", Value::Number(whole.unwrap_or(0)));
    Some(observed)
}

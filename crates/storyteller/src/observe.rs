//! Observations: what an event of the bus means to the chronicle, as fields by name. A pure
//! function of the event, and of the clock for the few events without a game time of their own.
//! Not here: what is written of them (`rules`), receiving (`receive`).

mod fields;
mod npc;
mod schema;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod weather;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grammar::{Shape, Value};
use worldbus_events::{Event, EventId};
use worldbus_world::World;

pub(crate) use schema::{Kind, RECEIVED, kind};

/// What happened, as rules see it. An event may be several: of a step of the state each change is
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observation {
    /// The event type's name.
    pub(crate) on: String,
    /// The event, as 128 bits.
    pub(crate) event: u128,
    /// Which observation of the event it is.
    pub(crate) index: u32,
    /// When it happened: wall time in milliseconds, as the event has it.
    pub(crate) wall_ms: i64,
    /// When it happened in the world: microseconds since the world's epoch.
    pub(crate) game_us: i64,
    /// The region, if it is of one of the world's.
    pub(crate) region: Option<String>,
    /// What it is about, if not the world as a whole.
    pub(crate) entity: Option<String>,
    /// The event's fields.
    pub(crate) fields: BTreeMap<String, Value>,
}

/// What an event has besides its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    /// Its identity.
    pub(crate) id: EventId,
    /// Its timestamp.
    pub(crate) wall_ms: i64,
    /// The game time of the timestamp.
    pub(crate) game_us: i64,
    /// Its entity.
    pub(crate) entity: Option<&'a str>,
    /// Its place, if it has one besides its entity.
    pub(crate) place: Option<&'a str>,
}

/// An event type that the chronicle understands.
pub(crate) trait Observe: Event {
    /// Its events carry their game time; else it is that of their timestamp.
    const HAS_GAME_TIME: bool = true;

    /// What its events mean.
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation>;
}

impl Observation {
    /// One of an event, about the world as a whole at the envelope's game time.
    fn new(on: &str, envelope: &Envelope<'_>) -> Self {
        Self {
            on: on.to_owned(),
            event: envelope.id.to_u128(),
            index: 0,
            wall_ms: envelope.wall_ms,
            game_us: envelope.game_us,
            region: None,
            entity: envelope.entity.map(str::to_owned),
            fields: BTreeMap::new(),
        }
    }

    fn at(self, game_us: i64) -> Self {
        Self { game_us, ..self }
    }

    /// Of a region, if the world has it.
    fn in_region(self, world: &World, id: &str) -> Self {
        let region = world.region_index(id).map(|_| id.to_owned());
        Self { region, ..self }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    /// A field, or one of those that every observation has.
    pub(crate) fn value(&self, field: &str) -> Option<Value> {
        match field {
            "when" => Some(Value::Game(self.game_us)),
            "region" => self.region.clone().map(Value::Text),
            "entity" => self.entity.as_deref().map(Value::name),
            _ => self.fields.get(field).cloned(),
        }
    }
}

/// The shape of a field that every observation has.
pub(crate) fn common_shape(field: &str) -> Option<Shape> {
    match field {
        "when" => Some(Shape::Game),
        "region" | "entity" => Some(Shape::Text),
        _ => None,
    }
}

//! What the chronicle publishes of itself: entries, steps of arcs. Not here: storing, sending.

use serde::{Deserialize, Serialize};

use worldbus_events::{Event, EventId, v1};

/// A piece of the chronicle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its identity, and that of the event that announces it.
    pub(crate) id: EventId,
    /// When it happened in the world.
    pub(crate) game_us: i64,
    /// Where, if not in the world as a whole.
    pub(crate) region: Option<String>,
    /// 0 to 1000.
    pub(crate) significance: u16,
    /// In words.
    pub(crate) text: String,
    /// The story that it belongs to.
    pub(crate) arc: Option<String>,
    /// The rule that wrote it.
    pub(crate) rule: String,
    /// The events that it is about.
    pub(crate) causes: Vec<EventId>,
    /// The wall time of its cause.
    pub(crate) wall_ms: i64,
}

/// A step of an arc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advance {
    /// The identity of the event that announces it.
    pub(crate) id: EventId,
    /// The arc.
    pub(crate) arc: String,
    /// Its kind.
    pub(crate) kind: String,
    /// From 1, of those that are shown.
    pub(crate) number: u32,
    /// Empty at its beginning.
    pub(crate) from: String,
    /// The stage that it reached.
    pub(crate) to: String,
    /// Where.
    pub(crate) region: Option<String>,
    /// When it happened in the world.
    pub(crate) game_us: i64,
    /// It is the last.
    pub(crate) ended: bool,
    /// The wall time of its cause.
    pub(crate) wall_ms: i64,
}

/// What is to be published, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// An entry was written.
    Entry(Entry),
    /// An arc went on.
    Advance(Advance),
}

/// An event, encoded, as it waits to be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publication {
    /// Its type's number.
    pub(crate) event_type: u32,
    /// Its topic.
    pub(crate) topic: String,
    /// Its identity, as 128 bits.
    pub(crate) id: u128,
    /// Its timestamp.
    pub(crate) wall_ms: i64,
    /// What it is about.
    pub(crate) entity: Option<String>,
    /// Where.
    pub(crate) place: Option<String>,
    /// Its payload.
    pub(crate) payload: Vec<u8>,
}

impl Publication {
    /// An event of a type.
    pub(crate) fn new<E: Event>(event: &E, id: EventId, wall_ms: i64) -> Self {
        Self {
            event_type: E::NUMBER,
            topic: E::TOPIC.to_owned(),
            id: id.to_u128(),
            wall_ms,
            entity: None,
            place: None,
            payload: event.encode_to_vec(),
        }
    }

    /// The same about something, at a region.
    pub(crate) fn about(self, entity: Option<String>, place: Option<String>) -> Self {
        Self { entity, place, ..self }
    }
}

impl Entry {
    /// The event that announces it.
    pub(crate) fn publication(&self) -> Publication {
        let event = v1::StoryEntryAdded {
            entry_id: self.id.to_string(),
            game_us: self.game_us,
            region_id: self.region.clone().unwrap_or_default(),
            significance_permille: u32::from(self.significance),
            text: self.text.clone(),
            arc_id: self.arc.clone().unwrap_or_default(),
            rule: self.rule.clone(),
            event_ids: self.causes.iter().map(EventId::to_string).collect(),
        };
        let entity = self.arc.clone().or_else(|| self.region.clone());
        Publication::new(&event, self.id, self.wall_ms).about(entity, self.region.clone())
    }
}

impl Advance {
    /// The event that announces it.
    pub(crate) fn publication(&self) -> Publication {
        let event = v1::StoryArcAdvanced {
            arc_id: self.arc.clone(),
            kind: self.kind.clone(),
            from_stage: self.from.clone(),
            stage: self.to.clone(),
            region_id: self.region.clone().unwrap_or_default(),
            game_us: self.game_us,
            ended: self.ended,
        };
        let entity = Some(self.arc.clone());
        Publication::new(&event, self.id, self.wall_ms).about(entity, self.region.clone())
    }
}

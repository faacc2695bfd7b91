//! An event of the time-manager, ready to be published. Not here: when there is one (`agenda`).

use std::collections::BTreeMap;

use worldbus_bus::{Outgoing, Topic};
use worldbus_events::v1::ScheduleFired;
use worldbus_events::{Event as _, EventId};
use worldbus_world::WallTime;

/// The entry of an event's metadata with the number of missed ones for which it stands.
const COALESCED: &str = "coalesced";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(crate) event_type: u32,
    pub(crate) id: EventId,
    /// The nominal wall time of its boundary.
    pub(crate) wall: WallTime,
    pub(crate) entity: Option<String>,
    pub(crate) payload: Vec<u8>,
    /// Only of scheduled events, which go where their type belongs.
    pub(crate) topic: Option<Topic>,
    /// Follows from a moment of the world's time, and not from what was asked for: of those
    /// that were missed the latest may stand for all.
    pub(crate) recurs: bool,
    /// Not of the content, which is the same on every instance.
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

impl Emission {
    /// Where it stands among others: by time, those of an instant by their ids, so that each
    /// producer's sequences rise; behind them what was scheduled, each as it came.
    pub(crate) fn order(&self) -> (WallTime, bool, i64) {
        let scheduled = self.topic.is_some() || self.event_type == ScheduleFired::NUMBER;
        // Game time before the world's epoch counts down from 0.
        let sequence = self.id.sequence.cast_signed();
        (self.wall, scheduled, if scheduled { 0 } else { sequence })
    }

    /// Marks it as standing for those that are left out.
    pub(crate) fn stands_for(&mut self, left_out: u64) {
        let entry = (COALESCED.to_owned(), left_out.to_string());
        self.metadata = (left_out > 0).then(|| BTreeMap::from([entry]));
    }
}

impl worldbus_simulated::Emission for Emission {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: self.event_type,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            entity: self.entity.as_deref(),
            payload: &self.payload,
            metadata: self.metadata.as_ref(),
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
    }

    fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }
}

//! Identities of what the chronicle publishes: functions of the world, the rules and the causing
//! event, so that every instance gives the same. They rise with those of the cause, as brokers
//! expect that remember what they have seen. Not for: ids of events of other services.

use crate::NAME;
use worldbus_events::{EventId, ProducerId};
use worldbus_world::producer_id;

/// Bits of a sequence for what one event causes.
const SLOT_BITS: u32 = 16;
/// Bits of a slot for the observation's index within its event.
const INDEX_BITS: u32 = 8;

/// Makes ids in one world under one set of rules.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    world: String,
    version: u64,
}

impl Ids {
    /// For a world and the version of its rules.
    pub(crate) fn new(world: &str, version: u64) -> Self {
        Self { world: world.to_owned(), version }
    }

    /// The entry that a rule makes of an observation.
    pub(crate) fn entry(&self, event: u128, index: u32, rule: usize) -> EventId {
        let Ok(cause) = EventId::from_u128(event) else {
            // Not an id of ours: its bits are as good a name.
            return EventId { producer: self.producer(&format!("{event:x}")), sequence: 0 };
        };
        let producer = self.producer(&format!("{:x}", cause.producer.number()));
        let slot = ((rule as u64) << INDEX_BITS) | (u64::from(index) & ((1 << INDEX_BITS) - 1));
        let sequence = cause.sequence.wrapping_mul(1 << SLOT_BITS).wrapping_add(slot);
        EventId { producer, sequence }
    }

    /// The arc that an observation begins.
    pub(crate) fn arc(&self, kind: &str, key: &str, event: u128, index: u32) -> String {
        let hash = self.producer(&format!("{kind}/{key}/{event:x}/{index}"));
        format!("{kind}-{:015x}", hash.number())
    }

    /// The step of an arc, and the entry about it.
    pub(crate) fn step(&self, arc: &str, number: u32) -> (EventId, EventId) {
        let producer = self.producer(arc);
        let id = |which| EventId { producer, sequence: u64::from(number) * 2 + which };
        (id(0), id(1))
    }

    /// Of what is named otherwise: a proposal, an answer, another text.
    pub(crate) fn named(&self, name: &str) -> EventId {
        EventId { producer: self.producer(name), sequence: 0 }
    }

    fn producer(&self, of: &str) -> ProducerId {
        let service = format!("{NAME}/{:x}/{of}", self.version);
        ProducerId::from_bits(producer_id(&self.world, &service, 0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(sequence: u64) -> u128 {
        EventId { producer: ProducerId::from_bits(7), sequence }.to_u128()
    }

    #[test]
    fn ids_differ_by_world_rules_event_observation_and_rule_and_by_nothing_else() {
        let ids = Ids::new("europe", 1);
        let id = ids.entry(cause(1), 0, 0);
        assert_eq!(Ids::new("europe", 1).entry(cause(1), 0, 0), id);
        let others = [
            Ids::new("isles", 1).entry(cause(1), 0, 0),
            Ids::new("europe", 2).entry(cause(1), 0, 0),
            ids.entry(cause(2), 0, 0),
            ids.entry(cause(1), 1, 0),
            ids.entry(cause(1), 0, 1),
        ];
        assert!(!others.contains(&id));
    }

    #[test]
    fn later_causes_have_higher_ids() {
        let ids = Ids::new("europe", 1);
        let sequences: Vec<_> =
            (0..100).map(|sequence| ids.entry(cause(sequence), 3, 9).sequence).collect();
        assert!(sequences.is_sorted());
    }
}

//! Events, names and specs that the checks are made of.

use worldbus_bus::{Position, SubscriptionName, SubscriptionSpec, Topic};
use worldbus_events::{About, Batch, BatchBuilder, EventId, NewEvent, ProducerId};

/// A topic.
pub fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

/// An event id.
pub fn id(producer: u64, sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(producer), sequence }
}

/// A batch of consecutive events whose payloads hold their sequence.
pub fn batch(producer: u64, sequences: std::ops::Range<u64>) -> Batch {
    typed(producer, sequences, 6, None, 8)
}

/// As [`batch`], of a type, about an entity, perhaps at a place, with payloads of a size.
pub fn typed<'a>(
    producer: u64,
    sequences: std::ops::Range<u64>,
    event_type: u32,
    about: impl Into<About<'a>>,
    payload_bytes: usize,
) -> Batch {
    let About { entity, place } = about.into();
    let mut builder = BatchBuilder::new("contract", "world");
    for sequence in sequences {
        let mut payload = sequence.to_le_bytes().to_vec();
        payload.resize(payload_bytes.max(8), producer as u8);
        builder
            .push(NewEvent {
                event_type,
                id: id(producer, sequence),
                timestamp_ms: 1_000,
                entity,
                place,
                payload: &payload,
                metadata: None,
            })
            .unwrap();
    }
    builder.finish().unwrap()
}

/// A subscription of the checks' consumer.
pub fn spec(name: &str, topics: &[&str], start: Position) -> SubscriptionSpec {
    let name = SubscriptionName::new(name).unwrap();
    let topics = topics.iter().map(|name| topic(name)).collect();
    SubscriptionSpec {
        start,
        consumer: "contract".to_owned(),
        ..SubscriptionSpec::new(name, topics)
    }
}

pub(crate) fn sequences(batch: &Batch) -> Vec<u64> {
    batch.iter().map(|event| event.id.sequence).collect()
}

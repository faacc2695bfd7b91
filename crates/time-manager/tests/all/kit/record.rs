//! Remembers what is published to a place, twins too, which its log drops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use worldbus_bus::Topic;
use worldbus_events::{Batch, EventId};
use worldbus_testkit::{Place, Watched};

/// An event but for its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub topic: String,
    pub event_type: u32,
    pub entity: Option<String>,
    pub timestamp_ms: i64,
    pub payload: Vec<u8>,
}

/// What was published by all, and how often something was published again.
#[derive(Debug, Default)]
pub struct Record {
    all: Mutex<(HashMap<EventId, Published>, usize)>,
}

impl Record {
    /// A place, and the record of what is published to it.
    pub async fn place() -> (Place, Arc<Self>) {
        let record = Arc::<Self>::default();
        let noted = Arc::clone(&record);
        let note = move |topic: &Topic, batch: &Batch| {
            noted.note_all(topic, batch);
            std::future::ready(())
        };
        (Place::over(|log| Watched::new(log, note)).await, record)
    }

    fn note_all(&self, topic: &Topic, batch: &Batch) {
        for event in batch.iter() {
            let published = Published {
                topic: topic.to_string(),
                event_type: event.event_type,
                entity: event.entity.map(str::to_owned),
                timestamp_ms: event.timestamp_ms,
                payload: event.payload.to_vec(),
            };
            self.note(event.id, published);
        }
    }

    fn note(&self, id: EventId, published: Published) {
        let mut all = self.all.lock().unwrap();
        let known = all.0.entry(id).or_insert_with(|| published.clone()).clone();
        assert_eq!(known, published, "one id, two contents");
        all.1 += 1;
    }

    /// Different events, and all that were published.
    pub fn counts(&self) -> (usize, usize) {
        let all = self.all.lock().unwrap();
        (all.0.len(), all.1)
    }
}

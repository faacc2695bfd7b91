//! A transport that remembers what is published, twins too, which its log drops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use worldbus_bus::{
    Appended, Capabilities, Consumer, DeadLetter, Error, ReadSpec, Reader, SubscriptionName,
    SubscriptionSpec, Topic, TopicStatus, Transport,
};
use worldbus_events::{Batch, EventId};
use worldbus_transport_embedded::Embedded;

/// An event but for its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub topic: String,
    pub event_type: u32,
    pub entity: Option<String>,
    pub timestamp_ms: i64,
    pub payload: Vec<u8>,
}

/// What was published by all, and how often something was published again.
#[derive(Debug, Default)]
pub struct Record {
    all: Mutex<(HashMap<EventId, Told>, usize)>,
}

impl Record {
    fn note(&self, id: EventId, told: Told) {
        let mut all = self.all.lock().unwrap();
        let known = all.0.entry(id).or_insert_with(|| told.clone()).clone();
        assert_eq!(known, told, "one id, two contents");
        all.1 += 1;
    }

    /// Different events, and all that were published.
    pub fn counts(&self) -> (usize, usize) {
        let all = self.all.lock().unwrap();
        (all.0.len(), all.1)
    }
}

impl Recording {
    pub fn new(log: Embedded, record: Arc<Record>) -> Self {
        Self { log, record }
    }
}

/// Carries what is published, and compares what has one id.
pub struct Recording {
    log: Embedded,
    pub record: Arc<Record>,
}

#[async_trait]
impl Transport for Recording {
    fn capabilities(&self) -> &Capabilities {
        self.log.capabilities()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        for event in batch.iter() {
            let told = Told {
                topic: topic.to_string(),
                event_type: event.event_type,
                entity: event.entity.map(str::to_owned),
                timestamp_ms: event.timestamp_ms,
                payload: event.payload.to_vec(),
            };
            self.record.note(event.id, told);
        }
        self.log.publish(topic, batch).await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.log.subscribe(spec).await
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.log.read(spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.log.topics().await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.log.dead_letters(subscription, limit).await
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.log.replay_dead_letters(subscription, ids).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.log.discard_dead_letters(subscription, ids).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.log.close().await
    }
}

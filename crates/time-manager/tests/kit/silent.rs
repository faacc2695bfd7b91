//! A transport that takes nothing and does not say so.

use async_trait::async_trait;
use worldbus_bus::{
    Appended, Capabilities, Consumer, DeadLetter, Error, ReadSpec, Reader, SubscriptionName,
    SubscriptionSpec, Topic, TopicStatus, Transport,
};
use worldbus_events::Batch;
use worldbus_transport_embedded::Embedded;

/// Carries all but what is published, whose publishers wait for good.
pub struct Silent(pub Embedded);

#[async_trait]
impl Transport for Silent {
    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    async fn publish(&self, _: &Topic, _: Batch) -> Result<Appended, Error> {
        std::future::pending().await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.0.subscribe(spec).await
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.0.read(spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.0.topics().await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.0.dead_letters(subscription, limit).await
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.0.replay_dead_letters(subscription, ids).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.0.discard_dead_letters(subscription, ids).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.0.close().await
    }
}

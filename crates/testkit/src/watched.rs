//! A transport whose publishers a test watches or holds up: all else goes through to the log.
//! Not here: transports that fail (the bus's own tests), or break the contract (`conformance`).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use worldbus_bus::{
    Appended, Capabilities, Consumer, DeadLetter, Error, ReadSpec, Reader, SubscriptionName,
    SubscriptionSpec, SubscriptionStatus, Topic, TopicStatus, Transport,
};
use worldbus_events::Batch;

type First = Box<dyn Fn(&Topic, &Batch) -> BoxFuture<'static, ()> + Send + Sync>;

/// Carries what is published once what a test wants to do first is done.
pub struct Watched {
    log: Arc<dyn Transport>,
    first: First,
}

impl Watched {
    /// A log, and what is done before each publish.
    pub fn new<F>(
        log: Arc<dyn Transport>,
        first: impl Fn(&Topic, &Batch) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let first: First = Box::new(move |topic, batch| Box::pin(first(topic, batch)));
        Arc::new(Self { log, first })
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Watched {
    fn capabilities(&self) -> &Capabilities {
        self.log.capabilities()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        (self.first)(topic, &batch).await;
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

    async fn next_commit(&self) -> Result<Option<u64>, Error> {
        self.log.next_commit().await
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        self.log.subscriptions().await
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        self.log.delete_topic(name, force).await
    }

    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        self.log.delete_subscription(name, force).await
    }

    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.log.dead_letter_page(subscription, after, limit).await
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        self.log.dead_letter_count().await
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

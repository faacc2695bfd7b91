//! A transport that wraps another: it writes what it changes, and the rest passes.
//!
//! Written by hand, each wrapper lists every method of [`Transport`], and one that has a default is
//! left out without a word: the wrapper then answers as an engine that cannot do it. Here the list
//! stands once. [`Wrap`] has each method with a body that passes the call on, and whatever
//! implements it is a [`Transport`]; a test holds that no method of the trait is missing here.
//!
//! Not a macro, so that a wrapper reads as a transport does, and its methods are found by name.
//! Not for consumers, readers and settlers: they have one method or two.

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Appended, Capabilities, Consumer, DeadLetter, LogEnd, ReadSpec, Reader, RegisteredType,
    StudioTypes, SubscriptionSpec, SubscriptionStatus, TopicStatus, Transport,
};
use crate::error::{Error, Kind};
use crate::names::{SubscriptionName, Topic};
use worldbus_events::Batch;

/// A [`Transport`] over another. Each method that is not written does what the same method of
/// the wrapped one does; the contract is that of [`Transport`]. Where both traits are in scope a
/// call is ambiguous on the wrapper itself, and is not on a `dyn Transport`.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use async_trait::async_trait;
/// use worldbus_bus::{Appended, Capabilities, Error, Topic, Transport, Wrap};
/// use worldbus_events::Batch;
///
/// /// Counts what is published.
/// struct Counting {
///     engine: Arc<dyn Transport>,
///     batches: AtomicU64,
/// }
///
/// #[async_trait]
/// impl Wrap for Counting {
///     fn inner(&self) -> Option<&dyn Transport> {
///         Some(&*self.engine)
///     }
///
///     fn capabilities(&self) -> &Capabilities {
///         self.engine.capabilities()
///     }
///
///     async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
///         self.batches.fetch_add(1, Ordering::Relaxed);
///         self.engine.publish(topic, batch).await
///     }
/// }
/// ```
#[async_trait]
pub trait Wrap: Send + Sync + 'static {
    /// What is wrapped; `None` while it is not there yet.
    fn inner(&self) -> Option<&dyn Transport>;

    /// What is wrapped, made if need be: for one that has to be connected to first.
    ///
    /// # Errors
    /// Why it is not there; the call that needs it fails with that.
    async fn reach(&self) -> Result<&dyn Transport, Error> {
        self.inner().ok_or_else(|| Error::retry(Kind::Unavailable, "the engine is not there yet"))
    }

    /// As [`Transport::capabilities`]. To be written, since a wrapper may have fewer.
    fn capabilities(&self) -> &Capabilities;

    /// As [`Transport::messaging_systems`].
    fn messaging_systems(&self) -> (&'static str, &'static str) {
        self.inner().map_or(super::MESSAGING_SYSTEMS, Transport::messaging_systems)
    }

    /// As [`Transport::world`].
    fn world(&self) -> Option<&str> {
        self.inner()?.world()
    }

    /// As [`Transport::publish`].
    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        self.reach().await?.publish(topic, batch).await
    }

    /// As [`Transport::subscribe`].
    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.reach().await?.subscribe(spec).await
    }

    /// As [`Transport::read`].
    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.reach().await?.read(spec).await
    }

    /// As [`Transport::topics`].
    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.reach().await?.topics().await
    }

    /// As [`Transport::end`].
    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        self.reach().await?.end().await
    }

    /// As [`Transport::subscriptions`].
    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        self.reach().await?.subscriptions().await
    }

    /// As [`Transport::delete_topic`].
    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        self.reach().await?.delete_topic(name, force).await
    }

    /// As [`Transport::delete_subscription`].
    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        self.reach().await?.delete_subscription(name, force).await
    }

    /// As [`Transport::studio_types`].
    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        self.reach().await?.studio_types().await
    }

    /// As [`Transport::register_types`].
    async fn register_types(&self, set: Bytes) -> Result<Vec<RegisteredType>, Error> {
        self.reach().await?.register_types(set).await
    }

    /// As [`Transport::dead_letters`].
    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.reach().await?.dead_letters(subscription, limit).await
    }

    /// As [`Transport::dead_letter_page`].
    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.reach().await?.dead_letter_page(subscription, after, limit).await
    }

    /// As [`Transport::dead_letter_count`].
    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        self.reach().await?.dead_letter_count().await
    }

    /// As [`Transport::replay_dead_letters`].
    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.reach().await?.replay_dead_letters(subscription, ids).await
    }

    /// As [`Transport::discard_dead_letters`].
    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.reach().await?.discard_dead_letters(subscription, ids).await
    }

    /// As [`Transport::close`]. What is not there yet is not made for it.
    async fn close(&self) -> Result<(), Error> {
        match self.inner() {
            Some(inner) => inner.close().await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl<W: Wrap> Transport for W {
    fn capabilities(&self) -> &Capabilities {
        Wrap::capabilities(self)
    }

    fn messaging_systems(&self) -> (&'static str, &'static str) {
        Wrap::messaging_systems(self)
    }

    fn world(&self) -> Option<&str> {
        Wrap::world(self)
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        Wrap::publish(self, topic, batch).await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        Wrap::subscribe(self, spec).await
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        Wrap::read(self, spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        Wrap::topics(self).await
    }

    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        Wrap::end(self).await
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        Wrap::subscriptions(self).await
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        Wrap::delete_topic(self, name, force).await
    }

    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        Wrap::delete_subscription(self, name, force).await
    }

    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        Wrap::studio_types(self).await
    }

    async fn register_types(&self, set: Bytes) -> Result<Vec<RegisteredType>, Error> {
        Wrap::register_types(self, set).await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        Wrap::dead_letters(self, subscription, limit).await
    }

    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        Wrap::dead_letter_page(self, subscription, after, limit).await
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        Wrap::dead_letter_count(self).await
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        Wrap::replay_dead_letters(self, subscription, ids).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        Wrap::discard_dead_letters(self, subscription, ids).await
    }

    async fn close(&self) -> Result<(), Error> {
        Wrap::close(self).await
    }
}

#[cfg(test)]
mod tests;

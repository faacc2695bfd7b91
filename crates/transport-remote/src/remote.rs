//! The transport itself: calls, and what they share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::channel::{self, Client};
use crate::consumer::{RemoteConsumer, closed};
use crate::failure::{ask, broken, change};
use crate::options::RemoteOptions;
use crate::publisher;
use crate::reader::{RemoteReader, depends_on_now, fixed};
use crate::settler::Settler;
use worldbus_bus::limits::check_dead_letter_ids;
use worldbus_bus::{
    Appended, Capabilities, Capability, Consumer, DeadLetter, Error, Gather, Kind, LogEnd,
    ReadSpec, Reader, RegisteredType, StudioTypes, SubscriptionName, SubscriptionSpec,
    SubscriptionStatus, Topic, TopicStatus, Transport,
};
use worldbus_events::Batch;
use worldbus_rpc::limits::{CONTROL_BYTES_MAX, PROTOCOL};
use worldbus_rpc::v1;

/// Bytes of a publish entry besides its batch, about.
const ENTRY_BYTES: usize = 80;
/// Bytes of a message around a descriptor set, about.
const FRAME_BYTES: usize = 16;

/// The event-bus of another process.
///
/// Behaves as the transport behind that event-bus, whose capabilities it has. All its parts
/// share one connection.
pub struct Remote {
    client: Client,
    options: RemoteOptions,
    capabilities: Capabilities,
    server_version: String,
    world: String,
    publishes: Gather<v1::PublishEntry, Appended>,
    /// Of the consumers that were opened.
    settlers: Mutex<Vec<Weak<Settler>>>,
    closed: CancellationToken,
}

impl Remote {
    /// Refuses what cannot be the URL of an event-bus; connects to nothing.
    ///
    /// # Errors
    /// `Invalid`, with what was expected.
    pub fn check_url(url: &str) -> Result<(), Error> {
        worldbus_rpc::endpoint(url).map(drop)
    }

    /// Connects to the event-bus at `http://host:port` or `https://host` and asks what it can do.
    ///
    /// # Errors
    /// `Invalid` for an invalid address, `Unavailable` (retry) when nothing answers
    /// there, `Unauthorized` for a wrong key, `Unsupported` when what answers is not an
    /// event-bus; each names what to do.
    pub async fn connect(url: &str, options: RemoteOptions) -> Result<Self, Error> {
        let client = channel::client(url, &options)?;
        let limit = options.connect_timeout;
        let mut stub = client.clone();
        let description = ask(limit, stub.describe(v1::DescribeRequest {}))
            .await
            .map_err(|error| at(url, error))?;
        check_protocol(&description).map_err(|error| at(url, error))?;
        let capabilities = worldbus_rpc::capabilities("remote", &description)?;
        let v1::DescribeResponse { server_version, world, .. } = description;
        tracing::debug!(url, server_version, behind = description.transport, "connected");
        let publishes = publisher::start(client.clone(), options.call_timeout);
        let (settlers, closed) = Default::default();
        Ok(Self {
            client,
            options,
            capabilities,
            server_version,
            world,
            publishes,
            settlers,
            closed,
        })
    }

    /// The version of the event-bus at the time of connecting.
    pub fn server_version(&self) -> &str {
        &self.server_version
    }

    fn open(&self) -> Result<Client, Error> {
        if self.closed.is_cancelled() { Err(closed()) } else { Ok(self.client.clone()) }
    }

    async fn list_topics(&self) -> Result<v1::ListTopicsResponse, Error> {
        let mut client = self.open()?;
        let call = client.list_topics(v1::ListTopicsRequest {});
        ask(self.options.call_timeout, call).await
    }
}

fn topics(response: v1::ListTopicsResponse) -> Result<Vec<TopicStatus>, Error> {
    response.topics.into_iter().map(TryInto::try_into).collect()
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut remote = f.debug_struct("Remote");
        remote.field("options", &self.options).field("capabilities", &self.capabilities);
        remote.finish_non_exhaustive()
    }
}

/// An error of connecting, with the address and what to do.
fn at(url: &str, error: Error) -> Error {
    let context = match error.kind() {
        Kind::Unavailable | Kind::Timeout => format!(
            "{url}: {error}; start one with `worldbus up` or `worldbus event-bus`, \
             or correct WORLDBUS_URL"
        ),
        _ => format!("{url}: {error}"),
    };
    error.with_context(context)
}

/// Refuses an event-bus that lacks what this client does.
fn check_protocol(description: &v1::DescribeResponse) -> Result<(), Error> {
    let v1::DescribeResponse { server_version, protocol, .. } = description;
    if *protocol >= PROTOCOL {
        return Ok(());
    }
    let context = format!(
        "this event-bus is of version {server_version}, whose service has version {protocol}, and \
         this client needs {PROTOCOL}: update the event-bus"
    );
    Err(Error::refused(Kind::Unsupported, context))
}

#[async_trait]
impl Transport for Remote {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn world(&self) -> Option<&str> {
        Some(self.world.as_str()).filter(|world| !world.is_empty())
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        let bytes = batch.bytes().len() + ENTRY_BYTES;
        let batch = batch.bytes().clone();
        self.publishes.send(v1::PublishEntry { topic: topic.to_string(), batch }, bytes).await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        spec.check()?;
        let consumer =
            RemoteConsumer::open(self.open()?, &spec, &self.options, self.closed.clone()).await?;
        let mut settlers = self.settlers.lock().unwrap_or_else(PoisonError::into_inner);
        settlers.retain(|settler| settler.strong_count() > 0);
        settlers.push(Arc::downgrade(consumer.settles()));
        Ok(Box::new(consumer))
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.capabilities.require(Capability::Replay)?;
        spec.check()?;
        let spec = match depends_on_now(&spec) {
            true => {
                let response = self.list_topics().await?;
                let end = response.end();
                fixed(spec, end, &topics(response)?)
            }
            false => spec,
        };
        let reader = RemoteReader::open(self.open()?, spec, &self.options, self.closed.clone());
        Ok(Box::new(reader.await?))
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        topics(self.list_topics().await?)
    }

    async fn end(&self) -> Result<Option<LogEnd>, Error> {
        Ok(self.list_topics().await?.end())
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        let mut client = self.open()?;
        let call = client.list_subscriptions(v1::ListSubscriptionsRequest {});
        let response = ask(self.options.call_timeout, call).await?;
        response.subscriptions.into_iter().map(TryInto::try_into).collect()
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        let mut client = self.open()?;
        let request = v1::DeleteTopicRequest { topic: name.to_string(), force };
        change(self.options.call_timeout, client.delete_topic(request)).await.map(drop)
    }

    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        let mut client = self.open()?;
        let request = v1::DeleteSubscriptionRequest { subscription: name.to_string(), force };
        change(self.options.call_timeout, client.delete_subscription(request)).await.map(drop)
    }

    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        let mut client = self.open()?;
        let call = client.get_catalogue(v1::GetCatalogueRequest {});
        Ok(ask(self.options.call_timeout, call).await?.into())
    }

    async fn register_types(&self, set: Bytes) -> Result<Vec<RegisteredType>, Error> {
        if set.len() + FRAME_BYTES > CONTROL_BYTES_MAX {
            let context = format!(
                "a descriptor set of {} bytes: at most {} fit; leave its source info out, or give \
                 the file to each command by --catalog FILE",
                set.len(),
                CONTROL_BYTES_MAX - FRAME_BYTES
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        let mut client = self.open()?;
        let request = v1::RegisterCatalogueRequest { descriptor_set: set };
        // The same again changes nothing.
        let response = ask(self.options.call_timeout, client.register_catalogue(request)).await?;
        response.types.into_iter().map(TryInto::try_into).collect()
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        let mut client = self.open()?;
        let request = v1::ListDeadLettersRequest {
            subscription: subscription.map(ToString::to_string).unwrap_or_default(),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        let mut stream = ask(self.options.call_timeout, client.list_dead_letters(request)).await?;
        let mut letters = Vec::new();
        while let Some(message) = stream.message().await.map_err(|status| broken(&status))? {
            let letter = message.dead_letter.unwrap_or_default();
            letters.push(letter.try_into()?);
        }
        Ok(letters)
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        check_dead_letter_ids(ids)?;
        let mut client = self.open()?;
        let (subscription, ids) = (subscription.to_string(), ids.to_vec());
        let request = v1::ReplayDeadLettersRequest { subscription, ids };
        let call = client.replay_dead_letters(request);
        Ok(ask(self.options.call_timeout, call).await?.missing)
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        check_dead_letter_ids(ids)?;
        let mut client = self.open()?;
        let (subscription, ids) = (subscription.to_string(), ids.to_vec());
        let request = v1::DiscardDeadLettersRequest { subscription, ids };
        let call = client.discard_dead_letters(request);
        Ok(ask(self.options.call_timeout, call).await?.missing)
    }

    async fn close(&self) -> Result<(), Error> {
        self.closed.cancel();
        self.publishes.close().await;
        let settlers =
            std::mem::take(&mut *self.settlers.lock().unwrap_or_else(PoisonError::into_inner));
        for settler in settlers.iter().filter_map(Weak::upgrade) {
            settler.close().await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_event_bus_is_refused_by_its_version_with_what_to_do() {
        let of = |protocol| v1::DescribeResponse {
            server_version: "0.0.7".to_owned(),
            protocol,
            ..Default::default()
        };
        let error = at("http://bus:7070", check_protocol(&of(0)).unwrap_err());
        assert_eq!((error.kind(), error.fate()), (Kind::Unsupported, worldbus_bus::Fate::Refused));
        for part in ["http://bus:7070", "version 0.0.7", "update the event-bus"] {
            assert!(error.context().contains(part), "{error}");
        }
        check_protocol(&of(PROTOCOL)).unwrap();
        check_protocol(&of(PROTOCOL + 1)).unwrap();
    }
}

//! Capabilities and topics.

use std::time::Duration;

use super::invalid;
use super::spec::milliseconds;
use crate::limits::PROTOCOL;
use crate::v1;
use worldbus_bus::{
    Capabilities, Capability, Error, SubscriptionName, SubscriptionStatus, Topic, TopicStatus,
};

impl From<&Capabilities> for v1::DescribeResponse {
    /// All but the version of the server and its world.
    fn from(capabilities: &Capabilities) -> Self {
        Self {
            server_version: String::new(),
            transport: capabilities.transport.to_owned(),
            capabilities: capabilities.has.iter().map(|&one| to_message(one).into()).collect(),
            payload_bytes_max: capabilities.payload_bytes_max as u64,
            batch_bytes_max: capabilities.batch_bytes_max as u64,
            world: String::new(),
            protocol: PROTOCOL,
            linger_ms: u32::try_from(capabilities.linger.as_millis()).unwrap_or(u32::MAX),
        }
    }
}

/// What the server can do, as capabilities of the transport that speaks to it. Capabilities
/// that this side does not know are left out.
///
/// # Errors
/// `Invalid` if a bound is missing.
pub fn capabilities(
    transport: &'static str,
    message: &v1::DescribeResponse,
) -> Result<Capabilities, Error> {
    let bound = |value: u64, what: &str| match usize::try_from(value) {
        Ok(0) | Err(_) => Err(invalid(format!("{what} is {value} in the message"))),
        Ok(value) => Ok(value),
    };
    Ok(Capabilities {
        transport,
        has: message.capabilities().filter_map(from_message).collect(),
        payload_bytes_max: bound(message.payload_bytes_max, "payload_bytes_max")?,
        batch_bytes_max: bound(message.batch_bytes_max, "batch_bytes_max")?,
        linger: Duration::from_millis(message.linger_ms.into()),
    })
}

fn to_message(capability: Capability) -> v1::Capability {
    match capability {
        Capability::OrderPerProducer => v1::Capability::OrderPerProducer,
        Capability::Replay => v1::Capability::Replay,
        Capability::FilterByType => v1::Capability::FilterByType,
        Capability::FilterByEntity => v1::Capability::FilterByEntity,
        Capability::FilterByPlace => v1::Capability::FilterByPlace,
        Capability::DropDuplicates => v1::Capability::DropDuplicates,
        Capability::LateAck => v1::Capability::LateAck,
        Capability::Delete => v1::Capability::Delete,
        _ => v1::Capability::Unspecified,
    }
}

fn from_message(capability: v1::Capability) -> Option<Capability> {
    match capability {
        v1::Capability::Unspecified => None,
        v1::Capability::OrderPerProducer => Some(Capability::OrderPerProducer),
        v1::Capability::Replay => Some(Capability::Replay),
        v1::Capability::FilterByType => Some(Capability::FilterByType),
        v1::Capability::FilterByEntity => Some(Capability::FilterByEntity),
        v1::Capability::FilterByPlace => Some(Capability::FilterByPlace),
        v1::Capability::DropDuplicates => Some(Capability::DropDuplicates),
        v1::Capability::LateAck => Some(Capability::LateAck),
        v1::Capability::Delete => Some(Capability::Delete),
    }
}

impl From<&TopicStatus> for v1::TopicStatus {
    fn from(status: &TopicStatus) -> Self {
        Self {
            topic: status.topic.to_string(),
            first_offset: status.first_offset,
            next_offset: status.next_offset,
            events_total: status.events_total,
            bytes: status.bytes,
            idle_ms: status.idle.map(milliseconds),
        }
    }
}

impl TryFrom<v1::TopicStatus> for TopicStatus {
    type Error = Error;

    fn try_from(message: v1::TopicStatus) -> Result<Self, Error> {
        Ok(Self {
            topic: Topic::new(&message.topic)?,
            first_offset: message.first_offset,
            next_offset: message.next_offset,
            events_total: message.events_total,
            bytes: message.bytes,
            idle: message.idle_ms.map(Duration::from_millis),
        })
    }
}

impl From<&SubscriptionStatus> for v1::SubscriptionStatus {
    fn from(status: &SubscriptionStatus) -> Self {
        Self {
            subscription: status.name.to_string(),
            topics: status.topics.iter().map(ToString::to_string).collect(),
            batches: status.batches,
            consumers: status.consumers,
            idle_ms: status.idle.map(milliseconds),
        }
    }
}

impl TryFrom<v1::SubscriptionStatus> for SubscriptionStatus {
    type Error = Error;

    fn try_from(message: v1::SubscriptionStatus) -> Result<Self, Error> {
        Ok(Self {
            name: SubscriptionName::new(&message.subscription)?,
            topics: message.topics.iter().map(|name| Topic::new(name)).collect::<Result<_, _>>()?,
            batches: message.batches,
            consumers: message.consumers,
            idle: message.idle_ms.map(Duration::from_millis),
        })
    }
}

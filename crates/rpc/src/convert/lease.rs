//! Leases, what becomes of them, and dead letters.

use std::time::Duration;

use v1::dead_letter::Content;
use v1::outcome::Outcome as Choice;

use super::{invalid, required};
use crate::v1;
use worldbus_bus::{
    DeadContent, DeadEvent, DeadLetter, Error, Lease, Outcome, SubscriptionName, Topic,
};

impl From<&Lease> for v1::Lease {
    fn from(lease: &Lease) -> Self {
        Self {
            subscription: lease.subscription.to_string(),
            topic: lease.topic.to_string(),
            offset: lease.offset,
            attempt: lease.attempt,
        }
    }
}

impl TryFrom<v1::Lease> for Lease {
    type Error = Error;

    fn try_from(message: v1::Lease) -> Result<Self, Error> {
        Ok(Self {
            subscription: SubscriptionName::new(&message.subscription)?,
            topic: Topic::new(&message.topic)?,
            offset: message.offset,
            attempt: message.attempt,
        })
    }
}

impl From<Outcome> for v1::Outcome {
    fn from(outcome: Outcome) -> Self {
        let outcome = match outcome {
            Outcome::Ack => Choice::Ack(v1::outcome::Ack {}),
            Outcome::Nack(delay) => Choice::NackMs(super::spec::milliseconds(delay)),
            Outcome::Release => Choice::Release(v1::outcome::Release {}),
            Outcome::Extend => Choice::Extend(v1::outcome::Extend {}),
        };
        Self { outcome: Some(outcome) }
    }
}

/// The outcome in a message.
///
/// # Errors
/// `Invalid` if it is missing, or one that this side does not know.
pub fn outcome(message: Option<v1::Outcome>) -> Result<Outcome, Error> {
    match required(message, "outcome")?.outcome {
        Some(Choice::Ack(_)) => Ok(Outcome::Ack),
        Some(Choice::NackMs(delay)) => Ok(Outcome::Nack(Duration::from_millis(delay))),
        Some(Choice::Release(_)) => Ok(Outcome::Release),
        Some(Choice::Extend(_)) => Ok(Outcome::Extend),
        None => Err(invalid("outcome is unknown to this event-bus")),
    }
}

impl From<&DeadEvent> for v1::DeadEvent {
    fn from(event: &DeadEvent) -> Self {
        Self {
            index: event.index,
            reason: event.reason.clone(),
            attempts: event.attempts,
            first_failed_ms: event.first_failed_ms,
            last_failed_ms: event.last_failed_ms,
        }
    }
}

impl From<v1::DeadEvent> for DeadEvent {
    fn from(message: v1::DeadEvent) -> Self {
        Self {
            index: message.index,
            reason: message.reason,
            attempts: message.attempts,
            first_failed_ms: message.first_failed_ms,
            last_failed_ms: message.last_failed_ms,
        }
    }
}

impl From<DeadLetter> for v1::DeadLetter {
    fn from(letter: DeadLetter) -> Self {
        let content = match letter.content {
            DeadContent::Event(event) => Content::GameEvent(event),
            DeadContent::Undecoded { content_type, bytes } => {
                Content::Undecoded(v1::Undecoded { content_type, bytes })
            }
        };
        Self {
            id: letter.id,
            subscription: letter.subscription.to_string(),
            topic: letter.topic.map(|topic| topic.to_string()).unwrap_or_default(),
            offset: letter.offset,
            consumer: letter.consumer,
            event: Some((&letter.event).into()),
            content: Some(content),
        }
    }
}

impl TryFrom<v1::DeadLetter> for DeadLetter {
    type Error = Error;

    fn try_from(message: v1::DeadLetter) -> Result<Self, Error> {
        let topic = Some(&message.topic).filter(|name| !name.is_empty());
        let content = match required(message.content, "content")? {
            Content::GameEvent(event) => DeadContent::Event(event),
            Content::Undecoded(v1::Undecoded { content_type, bytes }) => {
                DeadContent::Undecoded { content_type, bytes }
            }
        };
        Ok(Self {
            id: message.id,
            subscription: SubscriptionName::new(&message.subscription)?,
            topic: topic.map(|name| Topic::new(name)).transpose()?,
            offset: message.offset,
            consumer: message.consumer,
            event: required(message.event, "event")?.into(),
            content,
        })
    }
}

//! From a message to the batches that it carries: ours, single GameEvents, JSON events, and any of
//! them in the wrapper of a subscription without raw delivery.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use super::{TOPIC_PARAMETER, Value, attribute, xray};
use crate::names::Names;
use worldbus_bus::Topic;
use worldbus_bus::trace::{self, TraceParent};
use worldbus_events::{Batch, Catalogue, ContentType, codec};

/// A message as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, Value>,
    /// `AWSTraceHeader`, if the message has one.
    pub(crate) trace_header: Option<String>,
}

impl Received {
    /// Bytes of its body and of the batch that it may carry.
    pub(crate) fn bytes(&self) -> usize {
        let binary = self.attributes.values().map(|value| match value {
            Value::Binary(bytes) => bytes.len(),
            Value::Text(_) | Value::Texts(_) => 0,
        });
        self.body.len() + binary.sum::<usize>()
    }
}

/// A batch of a message.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) topic: Topic,
    pub(crate) batch: Batch,
}

/// A message that cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undecodable {
    /// What its bytes were declared to be.
    pub(crate) content_type: String,
    /// Why they are not.
    pub(crate) reason: String,
    /// The bytes.
    pub(crate) bytes: Bytes,
}

/// How SNS wraps what is not delivered raw.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    #[serde(rename = "Type")]
    kind: &'a str,
    topic_arn: String,
    message: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, NotificationAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationAttribute {
    #[serde(rename = "Type")]
    kind: String,
    value: String,
}

/// The batches of a message: one, but for JSON events of several sources, worlds or producers.
/// `bound` are the topics of the subscription: if it is one, that is where a message comes from
/// that does not say so.
pub(crate) fn read(
    received: &Received,
    bound: &[Topic],
    names: &Names,
    catalogue: &Catalogue,
) -> Result<Vec<Decoded>, Undecodable> {
    let (received, of_arn) = match unwrap(received, names) {
        Some((inner, topic)) => (Cow::Owned(inner), topic),
        None => (Cow::Borrowed(received), None),
    };
    let (declared, bytes) = content(&received);
    let undecodable = |reason: String| Undecodable {
        content_type: declared.to_string(),
        reason,
        bytes: bytes.clone(),
    };
    let content_type: ContentType =
        declared.parse().map_err(|error| undecodable(format!("content type {error}")))?;
    let batches = codec::decode_all(content_type, bytes.clone(), catalogue)
        .map_err(|error| undecodable(error.to_string()))?;
    let of_message = of_arn.or_else(|| declared_topic(&declared));
    let of_bound = || <[Topic; 1]>::try_from(bound.to_vec()).ok().map(|[only]| only);
    let decoded = with_context(batches, &received).into_iter().map(|batch| {
        let topic = of_message.clone().or_else(|| topic_of_types(&batch, catalogue));
        topic.or_else(of_bound).map(|topic| Decoded { topic, batch })
    });
    decoded.collect::<Option<_>>().ok_or_else(|| {
        let reason = "no topic in the content type, and an event type that is not in the catalogue";
        undecodable(reason.to_owned())
    })
}

/// The batches, the first event with the context that the message has if none of them has one: so
/// that a trace of a program that knows no batches goes on.
fn with_context(mut batches: Vec<Batch>, received: &Received) -> Vec<Batch> {
    let carries = |batch: &Batch| {
        batch.has_metadata() && batch.iter().any(|event| trace::carried(&event).is_some())
    };
    if batches.iter().any(carries) {
        return batches;
    }
    let text = match received.attributes.get(attribute::TRACE) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let context = text.or_else(|| xray::context(received.trace_header.as_deref()?));
    let context = context.filter(|context: &TraceParent| context.is_sampled());
    if let (Some(context), Some(first)) = (context, batches.first_mut()) {
        *first = first.annotated(trace::TRACEPARENT, &context.to_string());
    }
    batches
}

/// What is declared, and the bytes of that.
fn content(received: &Received) -> (Cow<'_, str>, Bytes) {
    let declared = match received.attributes.get(attribute::CONTENT_TYPE) {
        Some(Value::Text(text)) => Some(Cow::Borrowed(text.as_str())),
        _ => None,
    };
    let binary = |name| match received.attributes.get(name) {
        Some(Value::Binary(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    let defaults =
        [(attribute::BATCH, ContentType::EventBatch), (attribute::EVENT, ContentType::GameEvent)];
    for (name, default) in defaults {
        if let Some(bytes) = binary(name) {
            return (declared.unwrap_or(Cow::Borrowed(default.as_str())), bytes);
        }
    }
    let body = Bytes::copy_from_slice(received.body.as_bytes());
    (declared.unwrap_or(Cow::Borrowed(ContentType::Json.as_str())), body)
}

/// The topic that a content type names.
fn declared_topic(content_type: &str) -> Option<Topic> {
    content_type.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == TOPIC_PARAMETER).then(|| Topic::new(value.trim()).ok())?
    })
}

fn topic_of_types(batch: &Batch, catalogue: &Catalogue) -> Option<Topic> {
    let first = batch.iter().next()?;
    Topic::new(catalogue.by_number(first.event_type)?.topic()).ok()
}

/// The message within an SNS notification, and the topic that it names.
fn unwrap(received: &Received, names: &Names) -> Option<(Received, Option<Topic>)> {
    // What has attributes of its own was delivered raw.
    if !received.attributes.is_empty() || !received.body.trim_start().starts_with('{') {
        return None;
    }
    let notification: Notification<'_> = serde_json::from_str(&received.body).ok()?;
    if notification.kind != "Notification" {
        return None;
    }
    let attributes = notification.message_attributes.into_iter();
    let attributes = attributes.filter_map(|(name, attribute)| {
        let value = match attribute.kind.as_str() {
            "Binary" => Value::Binary(BASE64_STANDARD.decode(attribute.value).ok()?.into()),
            "String.Array" => Value::Texts(attribute.value),
            _ => Value::Text(attribute.value),
        };
        Some((name, value))
    });
    let inner = Received {
        body: notification.message,
        attributes: attributes.collect(),
        trace_header: received.trace_header.clone(),
    };
    Some((inner, names.topic_of_arn(&notification.topic_arn)))
}

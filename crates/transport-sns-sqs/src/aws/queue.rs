//! One SQS queue: the batch calls, entry by entry, in our words.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName,
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use futures_util::FutureExt as _;

use crate::aws::entries::{ENTRY_COUNT_MAX, EntryResults, entrywise};
use crate::aws::failure::{ask, change, of_entry};
use crate::wire::{Message, REQUEST_BYTES_MAX, Received, Value, xray};
use worldbus_bus::{Error, Gather, GatherLimits, Kind};

/// How long an ack waits for others: ten cost as much as one. Until then a crash makes the
/// delivery come again.
pub const ACK_LINGER: Duration = Duration::from_millis(250);
/// What SQS takes as a visibility timeout: 12 hours.
const VISIBILITY_S_MAX: u64 = 43_200;
/// A receive that was not answered this long after its wait was lost.
const RECEIVE_MARGIN: Duration = Duration::from_secs(10);

type SystemAttributes = HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>;

/// A message as SQS gave it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) receipt: String,
    /// Which time it was received, from 1.
    pub(crate) count: u32,
    pub(crate) sent_ms: i64,
    pub(crate) received: Received,
}

/// A queue and the calls to it that gather.
pub(crate) struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
    deletions: Gather<String, ()>,
    visibilities: Gather<(String, Duration), ()>,
}

impl Queue {
    pub(crate) fn new(sqs: aws_sdk_sqs::Client, url: String) -> Arc<Self> {
        let limits =
            |linger| GatherLimits { count_max: ENTRY_COUNT_MAX, bytes_max: usize::MAX, linger };
        let place = (sqs.clone(), url.clone());
        let delete = move |receipts| {
            let (sqs, url) = place.clone();
            async move { Ok(delete(&sqs, &url, receipts).await) }.boxed()
        };
        let place = (sqs.clone(), url.clone());
        let change = move |changes| {
            let (sqs, url) = place.clone();
            async move { Ok(change_visibility(&sqs, &url, changes).await) }.boxed()
        };
        Arc::new(Self {
            sqs,
            url,
            deletions: Gather::start(limits(ACK_LINGER), Box::new(delete)),
            visibilities: Gather::start(limits(Duration::ZERO), Box::new(change)),
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Up to ten messages that are ours for `lease`; waits for one if the queue is empty.
    pub(crate) async fn receive(
        &self,
        count: usize,
        wait: Duration,
        lease: Duration,
    ) -> Result<Vec<Taken>, Error> {
        let count = i32::try_from(count.clamp(1, ENTRY_COUNT_MAX)).unwrap_or(1);
        let request = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(count)
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(lease))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader);
        let limit = aws_sdk_sqs::config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(wait + RECEIVE_MARGIN)
            .build();
        let overriding = aws_sdk_sqs::config::Builder::new().timeout_config(limit);
        let answer = request.customize().config_override(overriding).send().await;
        let answer = answer.map_err(|error| ask(&format!("receive from {}", self.url), error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(taken).collect())
    }

    /// Removes a message. Waits a little for others to go with it.
    pub(crate) async fn delete(&self, receipt: String) -> Result<(), Error> {
        self.deletions.send(receipt, 0).await
    }

    /// Removes messages now.
    pub(crate) async fn delete_all(&self, receipts: Vec<String>) -> Vec<Result<(), Error>> {
        delete(&self.sqs, &self.url, receipts).await
    }

    /// Makes a message visible to others after a while: 0 at once.
    pub(crate) async fn set_visibility(
        &self,
        receipt: String,
        after: Duration,
    ) -> Result<(), Error> {
        self.visibilities.send((receipt, after), 0).await
    }

    /// Puts messages into the queue; durable for those whose result is `Ok`.
    pub(crate) async fn send(&self, messages: &[Message]) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(messages.len());
        while results.len() < messages.len() {
            let rest = &messages[results.len()..];
            let request = &rest[..fitting(rest)];
            results.extend(send(&self.sqs, &self.url, request).await);
        }
        results
    }
}

/// How many messages from the front go into one request; at least one.
fn fitting(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let fits = messages.iter().take(ENTRY_COUNT_MAX).take_while(|message| {
        bytes += message.bytes();
        bytes <= REQUEST_BYTES_MAX
    });
    fits.count().max(1)
}

async fn send(
    sqs: &aws_sdk_sqs::Client,
    url: &str,
    messages: &[Message],
) -> Vec<Result<(), Error>> {
    let what = format!("send to {url}");
    let entry = |index: usize| {
        let Message { body, attributes } = &messages[index];
        let attributes = attributes.iter();
        let attributes: Result<HashMap<_, _>, BuildError> =
            attributes.map(|(name, value)| Ok((name.clone(), attribute(value)?))).collect();
        SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(body)
            .set_message_attributes(Some(attributes?))
            .set_message_system_attributes(trace_header(&messages[index])?)
            .build()
    };
    entrywise(messages.len(), |waiting| {
        let entries = built(waiting.into_iter().map(entry).collect());
        let (request, what) = (sqs.send_message_batch().queue_url(url), &what);
        async move {
            let answer = request.set_entries(Some(entries?)).send().await;
            let answer = answer.map_err(|error| change(what, error))?;
            Ok(entry_results(
                what,
                answer.successful().iter().map(|entry| entry.id()),
                answer.failed(),
            ))
        }
    })
    .await
}

/// The system attribute by which X-Ray knows what the message belongs to.
fn trace_header(message: &Message) -> Result<Option<SystemAttributes>, BuildError> {
    let Some(context) = message.context() else { return Ok(None) };
    let value = MessageSystemAttributeValue::builder().data_type("String");
    let value = value.string_value(xray::header(context)).build()?;
    Ok(Some([(MessageSystemAttributeNameForSends::AwsTraceHeader, value)].into()))
}

async fn delete(
    sqs: &aws_sdk_sqs::Client,
    url: &str,
    receipts: Vec<String>,
) -> Vec<Result<(), Error>> {
    let what = format!("delete from {url}");
    let entry = |index: usize| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
        entry.receipt_handle(&receipts[index]).build()
    };
    entrywise(receipts.len(), |waiting| {
        let entries = built(waiting.into_iter().map(entry).collect());
        let (request, what) = (sqs.delete_message_batch().queue_url(url), &what);
        async move {
            let answer = request.set_entries(Some(entries?)).send().await;
            let answer = answer.map_err(|error| ask(what, error))?;
            Ok(entry_results(
                what,
                answer.successful().iter().map(|entry| entry.id()),
                answer.failed(),
            ))
        }
    })
    .await
}

async fn change_visibility(
    sqs: &aws_sdk_sqs::Client,
    url: &str,
    changes: Vec<(String, Duration)>,
) -> Vec<Result<(), Error>> {
    let what = format!("change visibility in {url}");
    let entry = |index: usize| {
        let (receipt, after): &(String, Duration) = &changes[index];
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
        entry.receipt_handle(receipt).visibility_timeout(seconds(*after)).build()
    };
    entrywise(changes.len(), |waiting| {
        let entries = built(waiting.into_iter().map(entry).collect());
        let (request, what) = (sqs.change_message_visibility_batch().queue_url(url), &what);
        async move {
            let answer = request.set_entries(Some(entries?)).send().await;
            let answer = answer.map_err(|error| ask(what, error))?;
            Ok(entry_results(
                what,
                answer.successful().iter().map(|entry| entry.id()),
                answer.failed(),
            ))
        }
    })
    .await
}

/// The results of the entries of a request, whose ids are their indexes.
fn entry_results<'a>(
    what: &str,
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> EntryResults {
    let taken = successful.filter_map(|id| Some((id.parse().ok()?, Ok(()))));
    let failed = failed.iter().filter_map(|entry| {
        let error = of_entry(what, entry.code(), entry.message(), entry.sender_fault());
        Some((entry.id().parse().ok()?, Err(error)))
    });
    taken.chain(failed).collect()
}

pub(crate) fn built<T>(entries: Result<Vec<T>, BuildError>) -> Result<Vec<T>, Error> {
    entries.map_err(|error| Error::refused(Kind::Invalid, error.to_string()).with_source(error))
}

/// Whole seconds, rounded up: what SQS counts in.
fn seconds(duration: Duration) -> i32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(seconds.min(VISIBILITY_S_MAX)).unwrap_or(i32::MAX)
}

fn attribute(value: &Value) -> Result<MessageAttributeValue, BuildError> {
    let attribute = MessageAttributeValue::builder().data_type(value.data_type());
    match value {
        Value::Text(text) | Value::Texts(text) => attribute.string_value(text),
        Value::Binary(bytes) => attribute.binary_value(Blob::new(&bytes[..])),
    }
    .build()
}

fn taken(message: aws_sdk_sqs::types::Message) -> Taken {
    let number = |name| {
        let system = message.attributes.as_ref();
        system.and_then(|system| system.get(&name)?.parse::<i64>().ok())
    };
    let count = number(MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
    let sent_ms = number(MessageSystemAttributeName::SentTimestamp).unwrap_or_default();
    let trace_header = message.attributes.as_ref();
    let trace_header = trace_header
        .and_then(|system| system.get(&MessageSystemAttributeName::AwsTraceHeader).cloned());
    let attributes = message.message_attributes.unwrap_or_default().into_iter();
    let attributes = attributes.filter_map(|(name, attribute)| {
        let value = match (attribute.binary_value, attribute.string_value) {
            (Some(bytes), _) => Value::Binary(bytes.into_inner().into()),
            (None, Some(text)) if attribute.data_type == "String.Array" => Value::Texts(text),
            (None, Some(text)) => Value::Text(text),
            (None, None) => return None,
        };
        Some((name, value))
    });
    Taken {
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        count: u32::try_from(count.max(1)).unwrap_or(u32::MAX),
        sent_ms,
        received: Received {
            body: message.body.unwrap_or_default(),
            attributes: attributes.collect(),
            trace_header,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up_to_seconds_and_bounded() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_millis(1000)), 1);
        assert_eq!(seconds(Duration::from_secs(100_000)), 43_200);
    }

    #[test]
    fn request_takes_ten_messages_and_256_kib() {
        let message = |bytes| Message { body: "x".repeat(bytes), attributes: [].into() };
        assert_eq!(fitting(&vec![message(1); 25]), 10);
        assert_eq!(fitting(&vec![message(100 << 10); 5]), 2);
        assert_eq!(fitting(&[message(300 << 10)]), 1);
    }
}

//! Publishing: batches of a topic gather into PublishBatch requests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::primitives::Blob;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use futures_util::FutureExt as _;
use futures_util::future::join_all;

use crate::aws::entries::{ENTRY_COUNT_MAX, EntryResults, entrywise};
use crate::aws::failure::{change, of_entry};
use crate::aws::lookup::Lookup;
use crate::aws::queue::built;
use crate::topology::Resources;
use crate::wire::{Message, REQUEST_BYTES_MAX, Value, write, xray};
use worldbus_bus::{Appended, Error, Fate, Gather, GatherLimits, Kind, Topic};
use worldbus_events::{Batch, SharedCatalogue};

/// Topics that one transport publishes to.
const TOPIC_COUNT_MAX: usize = 1024;

/// Publishes to the topics of an installation.
pub(crate) struct Publishing {
    lookup: Arc<Lookup>,
    catalogue: SharedCatalogue,
    topics: Mutex<BTreeMap<Topic, Arc<Gather<Message, ()>>>>,
}

impl Publishing {
    pub(crate) fn new(lookup: Arc<Lookup>, catalogue: SharedCatalogue) -> Self {
        Self { lookup, catalogue, topics: Mutex::default() }
    }

    pub(crate) async fn publish(&self, topic: &Topic, batch: &Batch) -> Result<Appended, Error> {
        let Lookup { options, .. } = &*self.lookup;
        if batch.bytes().len() > options.message_bytes_max {
            let context = format!(
                "a batch of {} bytes for topic {topic}: a message takes {} at most (message_kib \
                 in the bus URL); put large data elsewhere and publish a reference to it",
                batch.bytes().len(),
                options.message_bytes_max
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        let message = write(topic, batch, options.encoding, &self.catalogue.current())?;
        message.check()?;
        let bytes = message.bytes();
        self.gather(topic)?.send(message, bytes).await?;
        Ok(Appended::default())
    }

    /// Waits for what is under way; takes no more.
    pub(crate) async fn close(&self) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        join_all(topics.values().map(|gather| gather.close())).await;
    }

    fn gather(&self, topic: &Topic) -> Result<Arc<Gather<Message, ()>>, Error> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gather) = topics.get(topic) {
            return Ok(Arc::clone(gather));
        }
        if topics.len() >= TOPIC_COUNT_MAX {
            let context =
                format!("topic {topic}: a process publishes to {TOPIC_COUNT_MAX} at most");
            return Err(Error::refused(Kind::Invalid, context));
        }
        let (lookup, name) = (Arc::clone(&self.lookup), topic.clone());
        let call = move |messages| {
            let (lookup, name) = (Arc::clone(&lookup), name.clone());
            async move { send(&lookup, &name, messages).await }.boxed()
        };
        let limits = GatherLimits {
            count_max: ENTRY_COUNT_MAX,
            bytes_max: REQUEST_BYTES_MAX,
            // The publisher lingers, with all its events; a batch that is here need not.
            linger: Duration::ZERO,
        };
        let gather = Arc::new(Gather::start(limits, Box::new(call)));
        topics.insert(topic.clone(), Arc::clone(&gather));
        Ok(gather)
    }
}

/// One PublishBatch request, and others for the entries that it did not take.
async fn send(
    lookup: &Lookup,
    topic: &Topic,
    messages: Vec<Message>,
) -> Result<Vec<Result<(), Error>>, Error> {
    let arn = arn(lookup, topic).await?;
    let what = format!("publish to {arn}");
    // X-Ray knows one context a request; each message has its own in its attribute.
    let header = messages.iter().find_map(Message::context).map(xray::header);
    let results = entrywise(messages.len(), |waiting| {
        let entries = waiting.into_iter().map(|index| entry(index, &messages[index]));
        let entries = built(entries.collect());
        let (request, what) = (lookup.sns.publish_batch().topic_arn(&arn), &what);
        let header = header.clone();
        async move {
            let request = request.set_publish_batch_request_entries(Some(entries?)).customize();
            let request = request.mutate_request(move |request| {
                if let Some(header) = header.clone() {
                    request.headers_mut().insert(xray::HEADER, header);
                }
            });
            let answer = request.send().await.map_err(|error| {
                let error = change(what, error);
                // The topic went away: it may be back, perhaps elsewhere.
                if error.kind() == Kind::NotFound { error.with_fate(Fate::Retry) } else { error }
            })?;
            let taken = answer.successful().iter();
            let taken = taken.filter_map(|entry| Some((entry.id()?.parse().ok()?, Ok(()))));
            let failed = answer.failed().iter().filter_map(|entry| {
                let error = of_entry(what, entry.code(), entry.message(), entry.sender_fault());
                Some((entry.id().parse().ok()?, Err(error)))
            });
            Ok(taken.chain(failed).collect::<EntryResults>())
        }
    })
    .await;
    let gone = |result: &Result<(), Error>| {
        result.as_ref().is_err_and(|error| error.kind() == Kind::NotFound)
    };
    if results.iter().any(gone) {
        lookup.forget();
    }
    Ok(results)
}

/// Where a topic is; created if the URL asks for it.
async fn arn(lookup: &Lookup, topic: &Topic) -> Result<String, Error> {
    match lookup.topic_arn(topic).await {
        Err(error) if error.kind() == Kind::NotFound && lookup.options.create => {
            let resources = Resources { sns: lookup.sns.clone(), sqs: lookup.sqs.clone() };
            resources.create_topic(&lookup.options.names.topic(topic)).await
        }
        // It may be created meanwhile: the publisher tries for a while.
        Err(error) if error.kind() == Kind::NotFound => Err(error.with_fate(Fate::Retry)),
        found => found,
    }
}

fn entry(index: usize, message: &Message) -> Result<PublishBatchRequestEntry, BuildError> {
    let Message { body, attributes } = message;
    let attributes: Result<HashMap<_, _>, BuildError> =
        attributes.iter().map(|(name, value)| Ok((name.clone(), attribute(value)?))).collect();
    let entry = PublishBatchRequestEntry::builder().id(index.to_string()).message(body);
    entry.set_message_attributes(Some(attributes?)).build()
}

fn attribute(value: &Value) -> Result<MessageAttributeValue, BuildError> {
    let attribute = MessageAttributeValue::builder().data_type(value.data_type());
    match value {
        Value::Text(text) | Value::Texts(text) => attribute.string_value(text),
        Value::Binary(bytes) => attribute.binary_value(Blob::new(&bytes[..])),
    }
    .build()
}

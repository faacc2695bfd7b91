//! Batches and what is known about them. Their bytes are shared, never copied.

use bytes::Bytes;
use v1::publish_result::Result as Choice;

use crate::v1;
use worldbus_bus::{
    Appended, Delivered, Error, Lease, Serial, StoredBatch, SubscriptionName, Topic,
};
use worldbus_events::Batch;

/// The batch in a message, checked whole.
///
/// # Errors
/// `Invalid` or `TooLarge`, saying what is wrong with the bytes.
pub fn batch(bytes: Bytes) -> Result<Batch, Error> {
    Batch::decode(bytes).map_err(Error::from)
}

impl From<&StoredBatch> for v1::StoredBatch {
    fn from(stored: &StoredBatch) -> Self {
        Self {
            topic: stored.topic.to_string(),
            offset: stored.offset,
            appended_ms: stored.appended_ms,
            batch: stored.batch.bytes().clone(),
            serial: stored.serial.map(|Serial { commit, index }| v1::Serial { commit, index }),
        }
    }
}

impl TryFrom<v1::StoredBatch> for StoredBatch {
    type Error = Error;

    fn try_from(message: v1::StoredBatch) -> Result<Self, Error> {
        Ok(Self {
            topic: Topic::new(&message.topic)?,
            offset: message.offset,
            appended_ms: message.appended_ms,
            serial: message.serial.map(|v1::Serial { commit, index }| Serial { commit, index }),
            batch: batch(message.batch)?,
        })
    }
}

impl From<&Delivered> for v1::Delivery {
    /// All but the subscription, which the stream implies.
    fn from(delivered: &Delivered) -> Self {
        Self {
            topic: delivered.lease.topic.to_string(),
            offset: delivered.lease.offset,
            attempt: delivered.lease.attempt,
            appended_ms: delivered.appended_ms,
            batch: delivered.batch.bytes().clone(),
        }
    }
}

impl v1::Delivery {
    /// The right to settle it, on a stream of this subscription.
    ///
    /// # Errors
    /// `Invalid` if the topic is not a name.
    pub fn lease(&self, subscription: &SubscriptionName) -> Result<Lease, Error> {
        Ok(Lease {
            subscription: subscription.clone(),
            topic: Topic::new(&self.topic)?,
            offset: self.offset,
            attempt: self.attempt,
        })
    }

    /// The delivery on a stream of this subscription.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` if it is not one.
    pub fn into_delivered(self, subscription: &SubscriptionName) -> Result<Delivered, Error> {
        Ok(Delivered {
            lease: self.lease(subscription)?,
            appended_ms: self.appended_ms,
            batch: batch(self.batch)?,
        })
    }
}

impl From<&Result<Appended, Error>> for v1::PublishResult {
    fn from(result: &Result<Appended, Error>) -> Self {
        let result = match result {
            Ok(appended) => Choice::Appended(v1::Appended {
                offset: appended.offset,
                duplicates: u32::try_from(appended.duplicates.len()).unwrap_or(u32::MAX),
                duplicate_indexes: appended.duplicates.clone(),
            }),
            Err(error) => Choice::Error(error.into()),
        };
        Self { result: Some(result) }
    }
}

impl v1::PublishResult {
    /// The result; `None` if the message has none that this side knows.
    pub fn into_result(self) -> Option<Result<Appended, Error>> {
        Some(match self.result? {
            Choice::Appended(v1::Appended { offset, duplicate_indexes, .. }) => {
                Ok(Appended { offset, duplicates: duplicate_indexes })
            }
            Choice::Error(error) => Err(error.into()),
        })
    }
}

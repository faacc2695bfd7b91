//! How much a consumer may hold at once: so many messages, and so many bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::aws::entries::ENTRY_COUNT_MAX;
use crate::wire::REQUEST_BYTES_MAX;

/// Bytes that a consumer holds, in its buffer and in its handlers. A receive is begun when what
/// it may bring fits.
const HELD_BYTES_MAX: usize = 8 << 20;
/// Estimated bytes of a message before it is there.
const MESSAGE_BYTES: usize = REQUEST_BYTES_MAX;

/// The room of a consumer.
#[derive(Debug)]
pub(crate) struct Room {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// Room that is taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Taking {
    messages: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn new(messages_max: u32) -> Self {
        let messages = Arc::new(Semaphore::new(messages_max.max(1) as usize));
        Self { messages, bytes: Arc::new(Semaphore::new(HELD_BYTES_MAX)) }
    }

    /// Room for at least one message and at most a request of them; waits for it.
    pub(crate) async fn take(&self) -> Option<Taking> {
        let messages = Arc::clone(&self.messages).acquire_owned().await.ok()?;
        let bytes = Arc::clone(&self.bytes);
        let bytes = bytes.acquire_many_owned(MESSAGE_BYTES as u32).await.ok()?;
        let mut taking = Taking { messages, bytes };
        while taking.count() < ENTRY_COUNT_MAX && self.take_another(&mut taking) {}
        Some(taking)
    }

    fn take_another(&self, taking: &mut Taking) -> bool {
        let Ok(message) = Arc::clone(&self.messages).try_acquire_owned() else { return false };
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(MESSAGE_BYTES as u32);
        let Ok(bytes) = bytes else { return false };
        taking.messages.merge(message);
        taking.bytes.merge(bytes);
        true
    }
}

impl Taking {
    /// Messages that have room.
    pub(crate) fn count(&self) -> usize {
        self.messages.num_permits()
    }

    /// The room of one message, of its bytes.
    pub(crate) fn split_one(&mut self, bytes: usize) -> Option<Self> {
        let messages = self.messages.split(1)?;
        let mut estimated = self.bytes.split(MESSAGE_BYTES.min(self.bytes.num_permits()))?;
        // What was estimated too high is given back.
        let too_much = estimated.num_permits().saturating_sub(bytes);
        drop(estimated.split(too_much));
        Some(Self { messages, bytes: estimated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_bounded_in_messages_and_given_back() {
        let room = Room::new(3);
        let mut taking = room.take().await.unwrap();
        assert_eq!(taking.count(), 3);
        let one = taking.split_one(10).unwrap();
        drop(taking);
        assert_eq!(room.take().await.unwrap().count(), 2);
        drop(one);
        assert_eq!(room.take().await.unwrap().count(), 3);
    }

    #[tokio::test]
    async fn room_is_bounded_in_bytes() {
        let room = Room::new(1000);
        let mut held = Vec::new();
        for _ in 0..HELD_BYTES_MAX / MESSAGE_BYTES {
            let mut taking = room.take().await.unwrap();
            held.push(taking.split_one(usize::MAX).unwrap());
        }
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), room.take());
        assert!(waits.await.is_err(), "full");
        held.pop();
        assert_eq!(room.take().await.unwrap().count(), 1);
        drop(held);
        assert_eq!(room.take().await.unwrap().count(), ENTRY_COUNT_MAX);
    }
}

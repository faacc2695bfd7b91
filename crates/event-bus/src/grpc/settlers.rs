//! What settles the deliveries of each subscription that was opened here. A lease outlives the
//! stream that it came on, so this outlives it too.

use crate::limits::SUBSCRIPTION_COUNT_MAX;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use worldbus_bus::{Error, Kind, Lease, Settle, SubscriptionName};

/// Settlers by subscription, and the streams that clients may leave.
#[derive(Default)]
pub(super) struct Settlers {
    settlers: Mutex<HashMap<SubscriptionName, Arc<dyn Settle>>>,
    streams: Mutex<Streams>,
}

#[derive(Default)]
struct Streams {
    count: u64,
    open: HashMap<u64, (u64, CancellationToken)>,
}

impl Settlers {
    /// Remembers who settles for a subscription: any of its consumers may, the latest does.
    pub(super) fn remember(
        &self,
        subscription: &SubscriptionName,
        settler: Arc<dyn Settle>,
    ) -> Result<(), Error> {
        let mut settlers = lock(&self.settlers);
        if settlers.len() >= SUBSCRIPTION_COUNT_MAX && !settlers.contains_key(subscription) {
            let context = format!("{SUBSCRIPTION_COUNT_MAX} subscriptions are open already");
            return Err(Error::refused(Kind::TooLarge, context));
        }
        settlers.insert(subscription.clone(), settler);
        Ok(())
    }

    /// Who settles a delivery.
    ///
    /// # Errors
    /// `Unavailable` (retry) if the subscription was not opened yet: after our restart
    /// settlements may come before the consumer has reconnected.
    pub(super) fn of(&self, lease: &Lease) -> Result<Arc<dyn Settle>, Error> {
        lock(&self.settlers).get(&lease.subscription).map(Arc::clone).ok_or_else(|| {
            let name = &lease.subscription;
            let context = format!(
                "subscription {name} was not opened since the event-bus started; open it first"
            );
            Error::retry(Kind::Unavailable, context)
        })
    }

    /// A token that ends the stream with this number.
    pub(super) fn enter(self: &Arc<Self>, stream_id: u64) -> Stream {
        let leave = CancellationToken::new();
        let mut streams = lock(&self.streams);
        streams.count += 1;
        let rank = streams.count;
        streams.open.insert(stream_id, (rank, leave.clone()));
        Stream { settlers: Arc::clone(self), stream_id, rank, leave }
    }

    /// Ends the stream with this number, if there is one.
    pub(super) fn leave(&self, stream_id: u64) {
        if let Some((_, leave)) = lock(&self.streams).open.get(&stream_id) {
            leave.cancel();
        }
    }
}

/// A stream that a client may leave; forgotten when it ends.
pub(super) struct Stream {
    settlers: Arc<Settlers>,
    stream_id: u64,
    rank: u64,
    pub(super) leave: CancellationToken,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // After a reconnect the number may be that of the next stream already.
        let mut streams = lock(&self.settlers.streams);
        if streams.open.get(&self.stream_id).is_some_and(|(rank, _)| *rank == self.rank) {
            streams.open.remove(&self.stream_id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each update is one insert or remove.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

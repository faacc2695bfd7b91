//! What settles the deliveries of each subscription that was opened here. A lease outlives the
//! stream that it came on, so this outlives it too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::SUBSCRIPTION_COUNT_MAX;
use worldbus_bus::{Error, Kind, Lease, Settle, SubscriptionName};

/// Settlers by subscription.
#[derive(Default)]
pub(super) struct Settlers {
    settlers: Mutex<HashMap<SubscriptionName, Arc<dyn Settle>>>,
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

    /// Drops the settler of a subscription that was deleted.
    pub(super) fn forget(&self, subscription: &SubscriptionName) {
        lock(&self.settlers).remove(subscription);
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each update is one insert.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

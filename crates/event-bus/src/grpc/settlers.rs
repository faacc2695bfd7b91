//! What settles the deliveries of each subscription that was opened here. A lease outlives the
//! stream that it came on, so this outlives it too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;

use crate::grpc::outward;
use crate::limits::SUBSCRIPTION_COUNT_MAX;
use worldbus_bus::{Error, Kind, Lease, Settle, SubscriptionName};
use worldbus_rpc::{outcome, v1};

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

    /// Settles deliveries, each with a result of its own.
    ///
    /// # Errors
    /// `TooLarge` if they are more than `count_max`.
    pub(super) async fn settle(
        &self,
        settlements: Vec<v1::Settlement>,
        count_max: usize,
    ) -> Result<v1::SettleResponse, Error> {
        if settlements.len() > count_max {
            let context = format!("more than {count_max} settlements at once");
            return Err(Error::refused(Kind::TooLarge, context));
        }
        let results = join_all(settlements.into_iter().map(|one| self.settle_one(one))).await;
        let results = results.into_iter().map(|result| v1::SettleResult {
            error: result.err().map(|error| (&outward(error)).into()),
        });
        Ok(v1::SettleResponse { results: results.collect() })
    }

    async fn settle_one(&self, settlement: v1::Settlement) -> Result<(), Error> {
        let lease = Lease::try_from(settlement.lease.unwrap_or_default())?;
        let outcome = outcome(settlement.outcome)?;
        self.of(&lease)?.settle(&lease, outcome).await
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

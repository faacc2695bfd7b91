//! How a delivery ends: what failed is set aside, and then it is acknowledged; or it is handed
//! back. The engine's answers are waited for while the next deliveries are handled.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use crate::calls::Backoff;
use crate::error::{Error, Fate};
use crate::transport::{DeadEvent, Lease, Outcome, Settle};

/// Settling a delivery is tried this often before its lease is left to end.
const SETTLE_ATTEMPTS_MAX: u32 = 5;
/// Deliveries that are handled and whose settlement has no answer yet; more wait.
const SETTLING_COUNT_MAX: usize = 64;

/// What becomes of a delivery.
pub(super) struct Settlement {
    pub(super) settler: Arc<dyn Settle>,
    pub(super) lease: Lease,
    /// Set aside before it is acknowledged; none where it is handed back.
    pub(super) handled: Option<Vec<DeadEvent>>,
}

impl Settlement {
    async fn run(self) {
        let lease = &self.lease;
        let settled = match self.handled {
            Some(dead) => finish(&*self.settler, lease, dead).await,
            None => settle(&*self.settler, lease, Outcome::Release).await,
        };
        if let Err(error) = settled {
            // The delivery comes again; what was handled is dropped as seen.
            tracing::warn!(topic = %lease.topic, offset = lease.offset, %error, "not settled");
        }
    }
}

/// Settlements that the engine has not answered yet.
#[derive(Default)]
pub(super) struct Settling(JoinSet<()>);

impl Settling {
    /// Begins a settlement. Most transports answer at once, and then there is no task.
    pub(super) fn begin(&mut self, settlement: Settlement) {
        let mut settlement = Box::pin(settlement.run());
        if (&mut settlement).now_or_never().is_none() {
            self.0.spawn(settlement);
        }
        while self.0.try_join_next().is_some() {}
    }

    /// Whether another delivery may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < SETTLING_COUNT_MAX
    }

    /// Waits for an answer; returns at once if none is open. Cancel-safe.
    pub(super) async fn next(&mut self) {
        self.0.join_next().await;
    }

    /// Waits for all answers.
    pub(super) async fn end(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

async fn finish(settler: &dyn Settle, lease: &Lease, dead: Vec<DeadEvent>) -> Result<(), Error> {
    if !dead.is_empty() {
        patiently(|| settler.dead_letter(lease, dead.clone())).await?;
    }
    settle(settler, lease, Outcome::Ack).await
}

async fn settle(settler: &dyn Settle, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
    patiently(|| settler.settle(lease, outcome)).await
}

/// Tries what may succeed later, a bounded number of times.
async fn patiently<R>(mut call: impl FnMut() -> R) -> Result<(), Error>
where
    R: Future<Output = Result<(), Error>>,
{
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    for _ in 1..SETTLE_ATTEMPTS_MAX {
        match call().await {
            Err(error) if error.fate() != Fate::Refused => {
                tracing::debug!(%error, "settling is tried again");
                tokio::time::sleep(backoff.next()).await;
            }
            result => return result,
        }
    }
    call().await
}

//! Slots: the subscriptions that the instances of an event-bus share out among themselves, one
//! each. An instance claims a slot in the state store, consumes it while the claim holds, and
//! gives it back at its end; who finds all of them taken waits.
//!
//! Not for: services whose instances compete for the events of one subscription. Not a lock for
//! anything but this: what is lost when two hold a slot is stated at [`GRACE_MS`].

mod claims;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use claims::{Claims, Held};
use worldbus_bus::{SubscriptionName, WallClock};
use worldbus_service::StateStore;
use worldbus_service::health::Condition;
use worldbus_service::part::TaskError;
use worldbus_service::state::{Error, Fate};

/// The most slots that an event-bus has.
pub const SLOT_COUNT_MAX: usize = 16;
/// How long a claim holds that is not renewed.
pub const TERM_MS: u64 = 30_000;
/// How long after its end, by the taker's clock, a claim is another's to take. Half of it is for
/// clocks that differ, half for what its holder had under way. Beyond that two instances may hold
/// one slot, and each of their logs lacks what the other's has, until the renewal of the first
/// fails.
pub const GRACE_MS: u64 = 10_000;

/// A claim is renewed this often, and again this soon when that failed.
const RENEW_EVERY: Duration = Duration::from_secs(10);
const RENEW_AGAIN: Duration = Duration::from_secs(1);
/// How often who waits for a slot looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long giving a slot back may take; then its claim ends by itself.
const RELEASE_MAX: Duration = Duration::from_secs(1);

/// Why a claim was lost whose renewals failed.
const TOO_LATE: &str = "it was not renewed in time";

/// A subscription that this instance may consume.
#[derive(Clone)]
pub struct Slot {
    subscription: SubscriptionName,
    /// The clock, and until when it is ours; `None`: always.
    claim: Option<(Arc<dyn WallClock>, Arc<AtomicI64>)>,
}

impl Slot {
    /// A subscription that no other instance consumes: the caller must know that.
    pub fn sole(subscription: SubscriptionName) -> Self {
        Self { subscription, claim: None }
    }

    /// One whose claim has ended.
    #[cfg(test)]
    pub(crate) fn lost(subscription: SubscriptionName) -> Self {
        let wall: Arc<dyn WallClock> = Arc::new(worldbus_bus::ManualClock::new(0));
        Self { subscription, claim: Some((wall, Arc::default())) }
    }

    /// The subscription.
    pub fn subscription(&self) -> &SubscriptionName {
        &self.subscription
    }

    /// Whether it is this instance's still. Ask before each use: a process may have stood still.
    pub fn is_ours(&self) -> bool {
        let Some((wall, until_us)) = &self.claim else { return true };
        wall.now_us() < until_us.load(Ordering::Acquire)
    }
}

/// The slots of an event-bus, as one instance sees them.
pub struct Slots {
    claims: Claims,
    wall: Arc<dyn WallClock>,
}

impl Slots {
    /// The slots `base`, `base-2`, … up to `count`, of which claims are kept in `state`, which
    /// all instances share. `holder` names this instance to people.
    ///
    /// # Errors
    /// `Invalid` if `base` with a number is no name of a subscription; `Unavailable` if the system
    /// gives no random number.
    pub fn new(
        base: &SubscriptionName,
        count: usize,
        holder: &str,
        state: Arc<dyn StateStore>,
        wall: Arc<dyn WallClock>,
    ) -> Result<Self, worldbus_bus::Error> {
        let names = (1..=count).map(|number| slot_name(base, number)).collect::<Result<_, _>>()?;
        let token = getrandom::u64().map_err(|error| {
            let context = format!("no random number for the claim of a slot: {error}");
            worldbus_bus::Error::retry(worldbus_bus::Kind::Unavailable, context).with_source(error)
        })?;
        Ok(Self { claims: Claims::new(names, holder, token, state, Arc::clone(&wall)), wall })
    }

    /// Claims a slot and runs `work` with it until `shutdown`; claims again when the claim was
    /// lost. The token that `work` is given ends it in either case, and the slot is given back
    /// when it has ended. `condition` holds while there is a claim.
    ///
    /// # Errors
    /// Those of `work`, and those of the store that do not pass.
    pub async fn run<W, F, E>(
        &self,
        shutdown: CancellationToken,
        condition: Condition,
        work: W,
    ) -> Result<(), TaskError>
    where
        W: Fn(Slot, CancellationToken) -> F,
        F: Future<Output = Result<(), E>>,
        E: Into<TaskError>,
    {
        while let Some(mut held) = self.claim(&shutdown, &condition).await? {
            tracing::info!(subscription = %held.name, "slot claimed");
            condition.met();
            let stop = shutdown.child_token();
            let slot = self.slot(&held);
            let until_us = slot.claim.clone().map(|(_, until_us)| until_us).unwrap_or_default();
            let mut work = std::pin::pin!(work(slot, stop.clone()));
            let ended = tokio::select! {
                ended = &mut work => ended,
                lost = self.keep(&mut held, &until_us) => {
                    condition.failed(format!("the claim of slot {} was lost: {lost}", held.name));
                    stop.cancel();
                    work.await
                }
            };
            self.release(held).await;
            ended.map_err(Into::into)?;
        }
        Ok(())
    }

    fn slot(&self, held: &Held) -> Slot {
        let until_us = Arc::new(AtomicI64::new(held.until_us()));
        let claim = Some((Arc::clone(&self.wall), until_us));
        Slot { subscription: held.name.clone(), claim }
    }

    /// Waits for a slot. `None` when the shutdown came first.
    async fn claim(
        &self,
        shutdown: &CancellationToken,
        condition: &Condition,
    ) -> Result<Option<Held>, Error> {
        let mut reported = false;
        while !shutdown.is_cancelled() {
            match self.claims.take().await {
                Ok(Ok(held)) => return Ok(Some(held)),
                Ok(Err(taken)) => {
                    let text = taken.to_string();
                    if !std::mem::replace(&mut reported, true) {
                        tracing::warn!("{text}; waiting for one");
                    }
                    condition.failed(text);
                }
                Err(error) if error.fate() == Fate::Refused => return Err(error),
                Err(error) => condition.failed(format!("no slot can be claimed: {error}")),
            }
            shutdown.run_until_cancelled(self.pause(LOOK_EVERY)).await;
        }
        Ok(None)
    }

    /// Renews a claim again and again; returns why it could not.
    async fn keep(&self, held: &mut Held, until_us: &AtomicI64) -> String {
        let mut pause = RENEW_EVERY;
        loop {
            self.pause(pause).await;
            let ends_us = held.until_us();
            let renewed = tokio::select! {
                biased;
                () = self.wall.sleep_until_us(ends_us) => return TOO_LATE.to_owned(),
                renewed = self.claims.renew(held) => renewed,
            };
            match renewed {
                Ok(Ok(())) => {
                    until_us.store(held.until_us(), Ordering::Release);
                    pause = RENEW_EVERY;
                }
                Ok(Err(other)) => {
                    until_us.store(i64::MIN, Ordering::Release);
                    return other;
                }
                Err(error) => {
                    tracing::warn!(%error, "a claim is renewed again soon");
                    pause = RENEW_AGAIN;
                }
            }
        }
    }

    async fn release(&self, held: Held) {
        let subscription = held.name.clone();
        match tokio::time::timeout(RELEASE_MAX, self.claims.release(held)).await {
            Ok(Ok(())) => tracing::info!(%subscription, "slot given back"),
            Ok(Err(error)) => tracing::warn!(%subscription, %error, "slot not given back"),
            Err(_) => tracing::warn!(%subscription, "slot not given back in time"),
        }
    }

    /// By the wall clock, which tests move; by a timer too, since the wall clock may stand.
    async fn pause(&self, by: Duration) {
        let by_us = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        tokio::select! {
            () = self.wall.sleep_until_us(self.wall.now_us().saturating_add(by_us)) => {}
            () = tokio::time::sleep(by) => {}
        }
    }
}

/// The subscription of the slot of a number, from 1: `event-bus`, `event-bus-2`, …
///
/// # Errors
/// `Invalid` if that is too long for a name.
pub fn slot_name(
    base: &SubscriptionName,
    number: usize,
) -> Result<SubscriptionName, worldbus_bus::Error> {
    match number {
        1 => Ok(base.clone()),
        _ => SubscriptionName::new(&format!("{base}-{number}")),
    }
}

//! The durable subscription of a service: what competing instances receive one of, also after
//! downtime. Not here: what every instance reads (`follow`).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use worldbus_bus::{Bus, Capability, Error, Fate, Position, Router};

/// A new subscription and a reader begin this far back, so that the latest repetition of an
/// announcement is there.
const LOOK_BACK_MS: i64 = 60_000;
/// What failed is opened again after this.
pub(super) const REOPEN_DELAY: Duration = Duration::from_secs(1);

/// What a service does when the bus refuses its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfRefused {
    /// It ends: without the subscription it does not work.
    Fail,
    /// It works without, and retries after this: an operator has to act first, for instance deploy
    /// a topology that has the subscription.
    RetryAfter(Duration),
}

/// Runs the subscription `name` until the shutdown, with the handlers that `handlers` adds; opens
/// it again where it fails. A new one begins a minute back, or now where the transport keeps no
/// past.
///
/// # Errors
/// What the bus refuses, with [`IfRefused::Fail`]; what `handlers` returns.
pub async fn subscribe(
    bus: &Bus,
    name: &str,
    handlers: impl Fn(Router) -> Result<Router, Error>,
    if_refused: IfRefused,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let start = if replays(bus) { look_back(bus) } else { Position::Now };
    loop {
        let router = handlers(Router::new(bus, name)?.start(start).consumer(name))?;
        let Err(error) = router.run(shutdown.clone()).await else { return Ok(()) };
        let is_refused = error.fate() == Fate::Refused && !shutdown.is_cancelled();
        let delay = match if_refused {
            IfRefused::Fail if is_refused => return Err(error),
            IfRefused::RetryAfter(delay) if is_refused => delay,
            _ => REOPEN_DELAY,
        };
        let retry_s = delay.as_secs();
        tracing::warn!(%error, retry_s, "subscription {name} failed; retrying");
        if shutdown.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return Ok(());
        }
    }
}

pub(super) fn replays(bus: &Bus) -> bool {
    bus.transport().capabilities().can(Capability::Replay)
}

pub(super) fn look_back(bus: &Bus) -> Position {
    Position::TimeMs(bus.wall().now_us() / 1000 - LOOK_BACK_MS)
}

//! What handling takes, whichever event is next: handlers, leases, and one delivery after the
//! other. Not here: several at a time (`flow`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::handled::Handled;
use super::handler::{BoxHandler, Handler as _};
use super::message::Message;
use super::seen::SeenWindow;
use super::settlement::Settlement;
use crate::bus::Bus;
use crate::error::Kind;
use crate::transport::{DeadEvent, Delivered, Filter, Lease, Outcome, Settle};
use worldbus_events::EventId;

/// How long handlers under way at shutdown may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// All that handling a delivery needs: shared between tasks, as a consumer is not.
pub(super) struct Work {
    pub(super) settler: Arc<dyn Settle>,
    pub(super) handlers: BTreeMap<u32, BoxHandler>,
    /// The entities and places whose events are handled.
    pub(super) within: Filter,
    pub(super) lease: Duration,
    /// The events that were handled.
    pub(super) seen: Mutex<SeenWindow>,
    pub(super) bus: Bus,
}

impl Work {
    /// Handles one delivery; what becomes of it then.
    pub(super) async fn deliver(
        &self,
        delivered: Delivered,
        shutdown: &CancellationToken,
    ) -> Settlement {
        let lease = delivered.lease.clone();
        let handled = tokio::select! {
            // First: most often it is done at once, and then no timer is set.
            biased;
            dead = self.handle(delivered) => Some(dead),
            () = self.keep(&lease) => None,
            () = drain_ends(shutdown) => None,
        };
        self.settlement(lease, handled)
    }

    pub(super) fn settlement(&self, lease: Lease, handled: Option<Vec<DeadEvent>>) -> Settlement {
        Settlement { settler: Arc::clone(&self.settler), lease, handled }
    }

    /// The events that no retry mended, in order.
    async fn handle(&self, delivered: Delivered) -> Vec<DeadEvent> {
        let delivered = Arc::new(delivered);
        let mut dead = Vec::new();
        let mut handled = Handled::of(&self.seen, &delivered.batch);
        for view in delivered.batch.iter().filter(|view| self.within.admits_event(view)) {
            let Some(handler) = self.handlers.get(&view.event_type) else {
                continue;
            };
            if handled.contains(view.id) {
                metrics::counter!("worldbus_duplicates_dropped_total").increment(1);
                continue;
            }
            let ended = self.handle_event(handler, Message::new(&delivered, &view)).await;
            dead.extend(handled.ended(ended));
        }
        dead
    }

    /// The id of an event that was handled, or what no retry mended.
    pub(super) async fn handle_event(
        &self,
        handler: &BoxHandler,
        message: Message,
    ) -> Result<EventId, DeadEvent> {
        let Err(error) = handler.handle(message.clone()).await else { return Ok(message.id) };
        let subscription = message.subscription().to_string();
        tracing::warn!(subscription, event_id = %message.id, %error, "dead letter");
        metrics::counter!("worldbus_poison_events_total", "subscription" => subscription)
            .increment(1);
        let now_ms = self.bus.wall().now_us() / 1000;
        Err(DeadEvent {
            index: message.index(),
            reason: error.to_string(),
            attempts: error.attempts(),
            first_failed_ms: error.first_failed_ms().unwrap_or(now_ms),
            last_failed_ms: now_ms,
        })
    }

    /// Extends the lease again and again; returns if it is lost, so that no one works on
    /// what another consumer holds.
    async fn keep(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(self.extend_after()).await;
            if !self.extend(lease).await {
                return;
            }
        }
    }

    /// How long after its beginning a lease is extended.
    pub(super) fn extend_after(&self) -> Duration {
        self.lease / 3
    }

    /// Extends a lease; whether it may still be ours.
    pub(super) async fn extend(&self, lease: &Lease) -> bool {
        match self.settler.settle(lease, Outcome::Extend).await {
            Err(error) if error.kind() == Kind::LeaseLost => return false,
            Err(error) => tracing::debug!(%error, "lease not extended"),
            Ok(()) => {}
        }
        true
    }
}

/// Returns when what is under way at the shutdown has had its time.
pub(super) async fn drain_ends(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(DRAIN_MAX).await;
}

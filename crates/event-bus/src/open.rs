//! What all requests to the event-bus share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::limits::{LIST_COUNT_MAX, READ_COUNT_MAX, SSE_COUNT_MAX, SUBSCRIBE_COUNT_MAX};
use crate::places::Places;
use crate::registry::Registry;
use crate::rest::stream::encode::Encoder;
use crate::tally::Tally;
use worldbus_bus::{Bus, Publisher, Transport};
use worldbus_events::Catalogue;

/// What came onto the log less than this ago, in milliseconds, is the present: it is in memory once
/// for all streams.
const PRESENT_MS_MAX: u64 = 200;

/// An open event-bus.
pub(crate) struct Open {
    pub(crate) bus: Bus,
    pub(crate) publisher: Publisher,
    pub(crate) registry: Arc<Registry>,
    /// The world of events that name none.
    pub(crate) world: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tally: Tally,
    pub(crate) subscribers: Places,
    pub(crate) readers: Places,
    pub(crate) sse: Places,
    pub(crate) histories: Places,
    pub(crate) lists: Places,
    /// Of the events of all SSE clients.
    pub(crate) encoder: Encoder,
}

impl Open {
    pub(crate) fn new(
        bus: Bus,
        publisher: Publisher,
        registry: Arc<Registry>,
        world: String,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            bus,
            publisher,
            encoder: Encoder::new(registry.shared().clone()),
            registry,
            world,
            shutdown,
            tally: Tally::default(),
            subscribers: Places::new("subscribe", SUBSCRIBE_COUNT_MAX),
            readers: Places::new("read", READ_COUNT_MAX),
            sse: Places::new("sse", SSE_COUNT_MAX),
            histories: Places::new("history", LIST_COUNT_MAX),
            lists: Places::new("dead-letters", LIST_COUNT_MAX),
        }
    }

    /// Cuts clients that do not read, until shutdown.
    pub(crate) async fn cut_stalled(&self) {
        let Self { subscribers, readers, sse, histories, lists, .. } = self;
        let all = [subscribers, readers, sse, histories, lists];
        let watching = futures_util::future::join_all(all.map(Places::watch));
        self.shutdown.run_until_cancelled(watching).await;
    }

    /// The event types as they are known now.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.registry.shared().current()
    }

    /// Whether who has read up to what was appended then is behind the present.
    pub(crate) fn is_behind(&self, appended_ms: i64) -> bool {
        let now_ms = self.bus.wall().now_us().div_euclid(1000);
        now_ms.abs_diff(appended_ms) >= PRESENT_MS_MAX
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        self.bus.transport()
    }
}

//! What all requests to the event-bus share.

use crate::limits::{Places, READ_COUNT_MAX, SSE_COUNT_MAX, SUBSCRIBE_COUNT_MAX};
use crate::tally::Tally;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use worldbus_bus::{Bus, Publisher, Transport};
use worldbus_events::Catalogue;

/// An open event-bus.
pub(crate) struct Open {
    pub(crate) bus: Bus,
    pub(crate) publisher: Publisher,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tally: Tally,
    pub(crate) subscribers: Places,
    pub(crate) readers: Places,
    pub(crate) sse: Places,
}

impl Open {
    pub(crate) fn new(
        bus: Bus,
        publisher: Publisher,
        catalogue: Arc<Catalogue>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            bus,
            publisher,
            catalogue,
            shutdown,
            tally: Tally::default(),
            subscribers: Places::new("subscribe", SUBSCRIBE_COUNT_MAX),
            readers: Places::new("read", READ_COUNT_MAX),
            sse: Places::new("sse", SSE_COUNT_MAX),
        }
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        self.bus.transport()
    }
}

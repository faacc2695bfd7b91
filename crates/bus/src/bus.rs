//! The bus: a transport with a clock, from which publishers and routers are made.

use crate::error::Error;
use crate::publish::{Publisher, PublisherOptions};
use crate::transport::Transport;
use crate::wall::{SystemClock, WallClock};
use std::fmt;
use std::sync::Arc;

/// An open bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    transport: Arc<dyn Transport>,
    wall: Arc<dyn WallClock>,
}

impl Bus {
    /// A bus over a transport, on the system's wall clock.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_wall_clock(transport, Arc::new(SystemClock::default()))
    }

    /// A bus over a transport, on another wall clock.
    pub fn with_wall_clock(transport: Arc<dyn Transport>, wall: Arc<dyn WallClock>) -> Self {
        Self { transport, wall }
    }

    /// A publisher for a service in a world, with the default options.
    pub fn publisher(&self, source: &str, world: &str) -> Publisher {
        self.publisher_with(PublisherOptions::new(source, world))
    }

    /// A publisher with options.
    pub fn publisher_with(&self, options: PublisherOptions) -> Publisher {
        Publisher::new(self.clone(), options)
    }

    /// What carries the batches.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The clock that events are stamped with.
    pub fn wall(&self) -> &Arc<dyn WallClock> {
        &self.wall
    }

    /// Closes the transport: what is under way becomes durable, new calls fail as `Closed`.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn close(&self) -> Result<(), Error> {
        self.transport.close().await
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("transport", &self.transport.capabilities().transport)
            .finish_non_exhaustive()
    }
}

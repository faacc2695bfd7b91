//! The bus: a transport with a clock, and a spool if it has one. Publishers and routers are made
//! of it; it knows neither.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::spool::Spool;
use crate::transport::Transport;
use crate::wall::{SystemClock, WallClock};

/// An open bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    transport: Arc<dyn Transport>,
    wall: Arc<dyn WallClock>,
    spool: Option<Arc<Spool>>,
}

impl Bus {
    /// A bus over a transport, on the system's wall clock.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self::with_wall_clock(transport, Arc::new(SystemClock::default()))
    }

    /// A bus over a transport, on another wall clock.
    pub fn with_wall_clock(transport: Arc<dyn Transport>, wall: Arc<dyn WallClock>) -> Self {
        Self { transport, wall, spool: None }
    }

    /// The same bus with a spool: where
    /// [`Publisher::publish_or_spool`](crate::Publisher::publish_or_spool) puts events while the
    /// engine is away. `log` is a transport of this process alone, on its disk, that keeps a
    /// batch until it is settled; the embedded one, opened as a queue. It holds `bytes_max`
    /// bytes of batches at the most; beyond them publishers wait. What an earlier process left
    /// in it is drained from now on, in order, into the engine of this bus.
    ///
    /// # Errors
    /// `Invalid` if `bytes_max` is less than one batch of the log; those of the log.
    pub async fn with_spool(self, log: Arc<dyn Transport>, bytes_max: u64) -> Result<Self, Error> {
        let Self { transport, wall, spool: before } = self;
        // Its drains end with it.
        drop(before);
        let spool = Spool::open(Arc::clone(&transport), log, Arc::clone(&wall), bytes_max).await?;
        Ok(Self { transport, wall, spool: Some(Arc::new(spool)) })
    }

    /// Waits while the engine takes what waits in the spool. Returns how many batches are left:
    /// 0 when it is empty or the bus has none, more when the engine is away. What is left is
    /// durable, and drained when a bus is opened with the same spool again.
    ///
    /// # Errors
    /// `Unavailable` or `Damaged` if the spool's disk failed, so that nothing is drained any
    /// more.
    pub async fn spool_drained(&self) -> Result<u64, Error> {
        match &self.spool {
            Some(spool) => spool.drained().await,
            None => Ok(0),
        }
    }

    pub(crate) fn spool(&self) -> Option<&Arc<Spool>> {
        self.spool.as_ref()
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
    /// What is in the spool stays there for the next start.
    ///
    /// # Errors
    /// Those of the transport, or of the spool.
    pub async fn close(&self) -> Result<(), Error> {
        let spooled = match &self.spool {
            Some(spool) => spool.close().await,
            None => Ok(()),
        };
        self.transport.close().await.and(spooled)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("transport", &self.transport.capabilities().transport)
            .finish_non_exhaustive()
    }
}

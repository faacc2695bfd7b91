//! What the suite is run against: a transport, how fast its engine is, and what else a test can
//! do to the engine behind it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use worldbus_bus::{Error, Topic, Transport};

/// How long a condition may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// An engine under test. An `Arc` of a transport is one that cannot be restarted and has no door
/// for foreign bytes; a test kit that can do more implements the rest. What it cannot do is
/// skipped, by name, in the report.
pub trait Engine: Send + Sync + 'static {
    /// The transport that is open now. Topics and subscriptions must not be in use.
    fn transport(&self) -> Arc<dyn Transport>;

    /// How fast the engine is.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Stops the engine in order and starts it again with all that is durable. Then
    /// [`Engine::transport`] is open again; it may be another one.
    fn restart(&self) -> Option<BoxFuture<'_, ()>> {
        None
    }

    /// Puts bytes that are no batch into a topic, past all checks of this side. `Err` if the
    /// engine refuses them at its door.
    fn inject(&self, topic: &Topic, bytes: Bytes) -> Option<BoxFuture<'_, Result<(), Error>>> {
        let _ = (topic, bytes);
        None
    }

    /// Checks that are known to fail and why: name and reason, which the matrix shows.
    fn exempt(&self) -> &[(&'static str, &'static str)] {
        &[]
    }
}

impl<T: Transport> Engine for Arc<T> {
    fn transport(&self) -> Arc<dyn Transport> {
        Self::clone(self)
    }
}

/// How fast an engine is: what checks wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The shortest lease, and delay of a nack, that the engine counts. Long compared with the
    /// way of a delivery.
    pub lease: Duration,
    /// After so long without a delivery none is under way.
    pub quiet: Duration,
    /// How long anything may take.
    pub deadline: Duration,
}

impl Default for Pace {
    /// Leases of 150 ms, quiet after 60 ms, [`DEADLINE`].
    fn default() -> Self {
        Self {
            lease: Duration::from_millis(150),
            quiet: Duration::from_millis(60),
            deadline: DEADLINE,
        }
    }
}

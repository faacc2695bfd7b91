//! What wakes a ticker before its time: something changed on which its next step may depend.

use std::sync::Arc;

use tokio::sync::watch;

/// Wakes the ticker that subscribed to it. Clones wake the same one; calls between two steps
/// are one.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<watch::Sender<()>>);

impl Wake {
    /// There may be another step than before.
    pub fn wake(&self) {
        self.0.send_replace(());
    }

    /// Changes with each [`Wake::wake`] from now on.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

//! What follows the announcements of clock and weather, for the service and for each request.
//! Not here: what is kept of them (`town`).

use std::sync::Arc;

use crate::weather::SharedOverrides;
use worldbus_simulated::SharedClock;
use worldbus_simulated::follow::Follower;

/// What follows the announcements that people follow from.
#[derive(Clone, Debug)]
pub(crate) struct Followers {
    pub(crate) clock: Arc<Follower<SharedClock>>,
    pub(crate) weather: Arc<Follower<SharedOverrides>>,
}

impl Followers {
    /// Receives all that was announced before this was called.
    pub(crate) async fn catch_up(&self) {
        tokio::join!(self.clock.catch_up(), self.weather.catch_up());
    }
}

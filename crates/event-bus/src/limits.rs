//! What clients may hold open here at once. Beyond it they are told to come again.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use worldbus_bus::{Error, Kind};

/// Open subscriptions over gRPC.
pub const SUBSCRIBE_COUNT_MAX: usize = 512;
/// Open readers over gRPC.
pub const READ_COUNT_MAX: usize = 512;
/// Open event streams over SSE.
pub const SSE_COUNT_MAX: usize = 512;
/// Subscriptions whose deliveries can be settled. They are remembered beyond their streams.
pub const SUBSCRIPTION_COUNT_MAX: usize = 4096;

/// A number of places for streams of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    kind: &'static str,
    max: usize,
    free: Arc<Semaphore>,
}

/// A place that a stream takes; counted while it lives.
#[derive(Debug)]
pub(crate) struct Place {
    kind: &'static str,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(kind: &'static str, max: usize) -> Self {
        Self { kind, max, free: Arc::new(Semaphore::new(max)) }
    }

    pub(crate) fn take(&self) -> Result<Place, Error> {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            let context =
                format!("{} streams of kind {} are open already; come again", self.max, self.kind);
            return Err(Error::retry(Kind::Unavailable, context));
        };
        metrics::gauge!("worldbus_streams_open", "kind" => self.kind).increment(1.0);
        Ok(Place { kind: self.kind, _permit: permit })
    }

    /// Streams that are open now.
    pub(crate) fn taken(&self) -> usize {
        self.max - self.free.available_permits()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("worldbus_streams_open", "kind" => self.kind).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_run_out_and_come_back() {
        let places = Places::new("test", 2);
        let (first, _second) = (places.take().expect("free"), places.take().expect("free"));
        let error = places.take().expect_err("full");
        assert_eq!((error.kind(), places.taken()), (Kind::Unavailable, 2));
        drop(first);
        assert!(places.take().is_ok());
    }
}

//! Computations of requests whose cost grows with the request or with the world: off the async
//! threads, on which everything else of the process runs, and few at once, so that some of the
//! machine stays free. Not here: how much one of them may ask for (each route bounds that), what
//! a simulated service announces (its ticker does not wait behind requests), writes of the state.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use metrics::counter;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::observe::panics;
use crate::{Json, Problem};

/// Of so many cores one computes for requests, but at least one does.
const CORES_PER_PLACE: usize = 2;
/// Requests that wait for a place at a time; those beyond are answered 503.
pub const WAITING_COUNT_MAX: usize = 64;

/// The places for computations of one process; clones share them.
#[derive(Debug, Clone)]
pub struct Work {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Work {
    /// A place for every two cores, and [`WAITING_COUNT_MAX`] requests that wait.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new((cores / CORES_PER_PLACE).max(1), WAITING_COUNT_MAX)
    }
}

impl Work {
    /// Places for so many computations at once, and for so many requests that wait for one.
    pub fn new(at_once: usize, waiting_max: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once)),
            queue: Arc::new(Semaphore::new(waiting_max)),
        }
    }

    /// Computes an answer and encodes it as JSON, once there is a place for it; in order of
    /// arrival. Cancel-safe: who no longer waits frees its place, at the latest when what is
    /// computed already is done.
    ///
    /// # Errors
    /// 503 where as many wait as may; else those of `compute`.
    pub async fn answer<T: Serialize>(
        &self,
        compute: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.run(move || compute().map(|answer| Json(answer).into_response())).await?
    }

    /// As [`Work::answer`], for what is not JSON.
    ///
    /// # Errors
    /// 503 where as many wait as may.
    pub async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.place().await?;
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            // Given back when this is done, whether or not a request waits for it.
            let _place = place;
            span.in_scope(|| panics::of_client_now(compute))
        });
        done.await.map_err(|error| match error.try_into_panic() {
            // As if it had run here: the connection ends, and no other.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Problem::unavailable("the server is shutting down"),
        })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let Ok(_waiting) = self.queue.try_acquire() else {
            counter!("worldbus_work_refusals_total").increment(1);
            return Err(Problem::unavailable(
                "too many requests that take long to compute wait already; nothing was done; try \
                 again later, or ask for less at once",
            ));
        };
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_| Problem::unavailable("the server is shutting down"))
    }
}

#[cfg(test)]
mod tests;

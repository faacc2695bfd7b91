//! The task that emits each event when its wall time comes, and what was missed before. Not here:
//! which events there are (the service), patience with the bus (`emit`), how far it came
//! (`checkpoint`).

use std::sync::Arc;

use metrics::{counter, histogram};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::causes::Causes;
use crate::checkpoint::{Checkpoint, Progress};
use crate::emit::{Emitted, Emitter};
use worldbus_bus::{Error, Outgoing, Topic, WallClock};

/// An event of a simulated service, ready to be published.
pub trait Emission: Send + Sync + 'static {
    /// The event.
    fn outgoing(&self) -> Outgoing<'_>;

    /// The nominal wall time of its boundary, in microseconds since the Unix epoch.
    fn wall_us(&self) -> i64;

    /// Where it goes if not to the service's own topic: an event that the service was asked to
    /// publish. One that the bus refuses is logged and left out.
    fn topic(&self) -> Option<&Topic> {
        None
    }
}

/// What is to be done now.
#[derive(Debug)]
pub struct Step<E> {
    /// What is to be emitted, in order. The service bounds how much at a time.
    pub events: Vec<E>,
    /// Where the service is once that is durable; none while it knows too little to emit.
    pub reached: Option<Checkpoint>,
    /// When to look again, in microseconds since the Unix epoch; none while only news can bring
    /// another step.
    pub next_us: Option<i64>,
}

/// A service whose events follow from what it knows and the wall time.
pub trait Simulated: Send + 'static {
    /// Its events.
    type Emission: Emission;

    /// What is to be done now if everything up to `durable` is; none in a new world.
    fn step(
        &mut self,
        durable: Option<Checkpoint>,
    ) -> impl Future<Output = Step<Self::Emission>> + Send;

    /// Everything up to `reached` is published and durable.
    fn published(&mut self, _reached: Checkpoint) {}
}

/// The task of one simulated service in one world.
#[derive(Debug)]
pub struct Ticker<S, V> {
    /// What it emits.
    pub simulated: S,
    /// Changes whenever there may be another step than before.
    pub news: watch::Receiver<V>,
    /// Publishes it.
    pub emitter: Emitter,
    /// How far it came.
    pub progress: Progress,
    /// What it emits because of what.
    pub causes: Causes,
}

impl<S: Simulated, V: Send + Sync> Ticker<S, V> {
    /// Does step after step until the shutdown, and keeps how far it came.
    ///
    /// # Errors
    /// Those of [`Emitter::emit`].
    pub async fn run(
        mut self,
        wall: Arc<dyn WallClock>,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        loop {
            self.news.mark_unchanged();
            let step;
            (self.simulated, step) = off_thread(self.simulated, self.progress.durable()).await;
            if let Some(reached) = step.reached {
                let cause = |event: &S::Emission| self.causes.at(event.wall_us());
                let causes: Vec<_> = step.events.iter().map(cause).collect();
                let events = step.events.iter().zip(&causes);
                let events: Vec<_> = events
                    .map(|(event, cause)| {
                        let outgoing = Outgoing { parent: cause.as_ref(), ..event.outgoing() };
                        (event.topic(), outgoing)
                    })
                    .collect();
                if self.emitter.emit(events, &shutdown).await? == Emitted::Interrupted {
                    break;
                }
                self.count(&step.events, wall.now_us());
                self.simulated.published(reached);
                self.progress.reach(reached).await;
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = self.news.changed() => {}
                () = wall.sleep_until_us(step.next_us.unwrap_or(i64::MAX)) => {}
            }
        }
        self.progress.save().await;
        Ok(())
    }

    fn count(&self, events: &[S::Emission], now_us: i64) {
        let topic = self.emitter.topic();
        let topic = || topic.to_string();
        counter!("worldbus_emitted_events_total", "topic" => topic())
            .increment(events.len() as u64);
        let lag = histogram!("worldbus_boundary_lag_seconds", "topic" => topic());
        for event in events {
            lag.record(now_us.saturating_sub(event.wall_us()).max(0) as f64 / 1e6);
        }
    }
}

/// Takes a step on a thread of its own: in a large world it computes for seconds, which would hold
/// up whatever else the async thread is for. It waits behind nothing that requests compute.
async fn off_thread<S: Simulated>(
    mut simulated: S,
    durable: Option<Checkpoint>,
) -> (S, Step<S::Emission>) {
    let runtime = Handle::current();
    let stepped = tokio::task::spawn_blocking(move || {
        let step = runtime.block_on(simulated.step(durable));
        (simulated, step)
    });
    match stepped.await.map_err(JoinError::try_into_panic) {
        Ok(stepped) => stepped,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is ending, and this task with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

//! Publishes the steps that are not published yet, in the order of their versions. The sequence of
//! an event is its version and its producer the database's: published again after a crash it has
//! the same id, and the bus or the consumer drops it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{Kept, STEPS_COUNT_MAX, Store, StoreError};
use worldbus_bus::trace::TraceParent;
use worldbus_bus::{Error, Outgoing};
use worldbus_events::v1::WorldStateUpdated;
use worldbus_events::{Event as _, EventId, ProducerId};
use worldbus_service::health::Condition;
use worldbus_simulated::{Emitted, Emitter};

/// After a failure of the database it is tried again after this.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Publishes from a store.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) emitter: Emitter,
    pub(crate) condition: Condition,
}

/// Why the outbox ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error(transparent)]
    Bus(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Outbox {
    /// Publishes what comes until the shutdown; first what was left from before.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> Result<(), Ended> {
        let mut news = self.store.news();
        loop {
            news.mark_unchanged();
            let published = self.publish_all(&shutdown);
            tokio::select! {
                biased;
                error = self.store.broken() => return Err(error.into()),
                published = published => match published {
                    Ok(Emitted::Durable) => self.condition.met(),
                    Ok(Emitted::Interrupted) => return Ok(()),
                    Err(Ended::Store(error)) if error.may_pass() => {
                        self.condition.failed(error.to_string());
                        let delay = tokio::time::sleep(RETRY_DELAY);
                        if shutdown.run_until_cancelled(delay).await.is_none() {
                            return Ok(());
                        }
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                error = self.store.broken() => return Err(error.into()),
                changed = news.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    /// Publishes until nothing is left. What is durable on the bus is out of the outbox.
    async fn publish_all(&self, shutdown: &CancellationToken) -> Result<Emitted, Ended> {
        let producer = ProducerId::from_bits(self.store.producer());
        let mut published = self.store.versions().await?.published;
        loop {
            let steps = self.store.steps(published, STEPS_COUNT_MAX).await?;
            let texts: Vec<_> = steps.iter().map(|step| (metadata(step), parent(step))).collect();
            let events = steps.iter().zip(&texts);
            let events: Vec<_> = events
                .map(|(step, (metadata, parent))| {
                    (None, outgoing(producer, step, metadata, parent.as_ref()))
                })
                .collect();
            // Also without an event: then the bus is as good as reached.
            if self.emitter.emit(events, shutdown).await? == Emitted::Interrupted {
                return Ok(Emitted::Interrupted);
            }
            let Some(last) = steps.last().map(|step| step.version) else {
                return Ok(Emitted::Durable);
            };
            self.store.published(last).await?;
            // The database takes writes, however much waits behind.
            self.condition.met();
            published = last;
        }
    }
}

fn outgoing<'a>(
    producer: ProducerId,
    step: &'a Kept,
    metadata: &'a BTreeMap<String, String>,
    parent: Option<&'a TraceParent>,
) -> Outgoing<'a> {
    Outgoing {
        event_type: WorldStateUpdated::NUMBER,
        id: Some(EventId { producer, sequence: step.version }),
        timestamp_ms: Some(step.wall.0.div_euclid(1_000)),
        entity: step.entity.as_deref(),
        payload: &step.event,
        metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
        parent,
        ..Outgoing::default()
    }
}

fn metadata(step: &Kept) -> BTreeMap<String, String> {
    let entries = [("actor", &step.actor), ("reason", &step.reason)];
    let given = entries.into_iter().filter(|(_, text)| !text.is_empty());
    given.map(|(name, text)| (name.to_owned(), text.clone())).collect()
}

fn parent(step: &Kept) -> Option<TraceParent> {
    step.trace.as_deref()?.parse().ok()
}

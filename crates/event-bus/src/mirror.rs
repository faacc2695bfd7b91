//! A log of one's own next to an engine that keeps no past: what passes there is written here as it
//! comes, and served from here, to readers and subscriptions alike. What is published goes to the
//! engine first, and is read when it came back.
//!
//! Not for: engines that replay; those are served as they are.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::slots::Slot;
use worldbus_bus::trace::{self, Consuming};
use worldbus_bus::{
    Appended, Backoff, Capabilities, Consumer, Delivered, Error, Fate, Kind, Outcome, Settle,
    SubscriptionSpec, Topic, Transport, Wrap,
};
use worldbus_events::{Batch, EventView};

/// Batches that are taken ahead of the log.
const IN_FLIGHT_MAX: u32 = 64;
/// Pauses while the log takes nothing, e.g. on a full disk, or the engine is away.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// An engine with a log next to it.
pub struct Mirror {
    engine: Arc<dyn Transport>,
    log: Arc<dyn Transport>,
    capabilities: Capabilities,
}

impl Mirror {
    /// An engine whose events are kept in `log`.
    pub fn new(engine: Arc<dyn Transport>, log: Arc<dyn Transport>) -> Self {
        let (of_engine, of_log) = (engine.capabilities(), log.capabilities());
        let capabilities = Capabilities {
            transport: of_engine.transport,
            payload_bytes_max: of_engine.payload_bytes_max.min(of_log.payload_bytes_max),
            batch_bytes_max: of_engine.batch_bytes_max.min(of_log.batch_bytes_max),
            linger: of_engine.linger,
            ..of_log.clone()
        };
        Self { engine, log, capabilities }
    }

    /// Writes what comes from the engine into the log until `shutdown`, by a subscription of the
    /// engine's to all of `topics`; acks what is durable in the log. Each log needs a
    /// subscription of its own, since the instances of one would share the events; so it ends, and
    /// hands back what it has, when the slot is not ours any more. `state` is given the error while
    /// the engine is away, be it at the opening or while it is polled, and `None` once it is there.
    ///
    /// # Errors
    /// Those that another attempt would meet as well: of [`Transport::subscribe`], of
    /// [`Consumer::next`], and `Damaged` and the like if the log has failed.
    pub async fn fill(
        &self,
        slot: Slot,
        topics: Vec<Topic>,
        shutdown: CancellationToken,
        state: impl Fn(Option<&Error>) + Sync,
    ) -> Result<(), Error> {
        let subscription = slot.subscription().clone();
        let spec = SubscriptionSpec {
            in_flight_max: IN_FLIGHT_MAX,
            consumer: subscription.to_string(),
            ..SubscriptionSpec::new(subscription, topics)
        };
        let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        while !shutdown.is_cancelled() {
            let ended = match self.engine.subscribe(spec.clone()).await {
                Ok(consumer) => {
                    state(None);
                    pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
                    let outage = consumer.outage();
                    tokio::select! {
                        ended = self.copy(consumer, &slot, &shutdown) => ended,
                        never = pass_on(outage, &state) => match never {},
                    }
                }
                Err(error) => Err(error),
            };
            let Err(error) = ended else { break };
            if error.fate() == Fate::Refused {
                return Err(error);
            }
            tracing::warn!(%error, "the engine is away");
            state(Some(&error));
            shutdown.run_until_cancelled(tokio::time::sleep(pauses.next())).await;
        }
        Ok(())
    }

    /// Copies deliveries until the shutdown, or until the slot is not ours any more; then hands
    /// back what is under way.
    async fn copy(
        &self,
        mut consumer: Box<dyn Consumer>,
        slot: &Slot,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let settler = consumer.settler();
        let result = loop {
            let delivered = match shutdown.run_until_cancelled(consumer.next()).await {
                None => break Ok(()),
                Some(Err(error)) => break Err(error),
                Some(Ok(delivered)) => delivered,
            };
            let spans = self.spans(&delivered);
            let kept = match slot.is_ours() {
                true => keep(&*self.log, &*settler, &delivered, shutdown).await,
                false => Ok(false),
            };
            let outcome = match kept {
                // That it is in our log is not enough if another's waits for it.
                Ok(kept) if kept && slot.is_ours() => Outcome::Ack,
                Ok(_) => Outcome::Release,
                // It does not come again and again: in the end it is a dead letter.
                Err(error) if is_of_the_batch(&error) => {
                    trace::failed(&spans, &format!("{:?}", error.kind()), &error);
                    tracing::warn!(%error, topic = %delivered.lease.topic, "not kept");
                    Outcome::Nack(PAUSE_MAX)
                }
                Err(error) => break Err(error),
            };
            if let Err(error) = settler.settle(&delivered.lease, outcome).await {
                // It comes again; the log drops what it has.
                tracing::debug!(%error, "not settled");
            }
            if !slot.is_ours() {
                break Ok(());
            }
        };
        if let Err(error) = consumer.close().await {
            tracing::debug!(%error, "deliveries were not handed back; their leases will end");
        }
        result
    }

    /// A span for each event that carries a context: it came this far.
    fn spans(&self, delivered: &Delivered) -> Vec<Span> {
        let Delivered { lease, batch, .. } = delivered;
        if !trace::is_on() || !batch.has_metadata() {
            return Vec::new();
        }
        let consuming = Consuming {
            system: self.engine.messaging_systems().1,
            topic: &lease.topic,
            subscription: &lease.subscription,
            attempt: lease.attempt,
        };
        let span = |event: EventView<'_>| {
            let parent = trace::carried(&event)?;
            trace::processing(consuming, event.id, event.event_type, parent)
        };
        batch.iter().filter_map(span).collect()
    }
}

/// Passes on each outage that a consumer notices, and its end.
async fn pass_on(
    outage: Option<watch::Receiver<Option<Error>>>,
    state: &(impl Fn(Option<&Error>) + Sync),
) -> Infallible {
    if let Some(mut outage) = outage {
        while outage.changed().await.is_ok() {
            let error = outage.borrow_and_update().clone();
            state(error.as_ref());
        }
    }
    std::future::pending().await
}

/// Whether the log refuses this batch, and would take another.
fn is_of_the_batch(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::TooLarge)
}

/// Appends a batch to the log, however long that takes; what is there already is left out. Whether
/// it did: not if the log took nothing until the shutdown. What is under way then is waited for:
/// to hand back what the log has would give it to the next instance as well.
async fn keep(
    log: &dyn Transport,
    settler: &dyn Settle,
    delivered: &Delivered,
    shutdown: &CancellationToken,
) -> Result<bool, Error> {
    let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        match log.publish(&delivered.lease.topic, delivered.batch.clone()).await {
            Ok(_) => return Ok(true),
            Err(error) if error.fate() == Fate::Refused => return Err(error),
            Err(error) => tracing::warn!(%error, "the log takes nothing; trying again"),
        }
        let pause = tokio::time::sleep(pauses.next());
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return Ok(false);
        }
        if let Err(error) = settler.settle(&delivered.lease, Outcome::Extend).await {
            tracing::debug!(%error, "lease not extended");
        }
    }
}

/// What is not about the engine is about the log.
#[async_trait]
impl Wrap for Mirror {
    fn inner(&self) -> Option<&dyn Transport> {
        Some(&*self.log)
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn messaging_systems(&self) -> (&'static str, &'static str) {
        (self.engine.messaging_systems().0, self.log.messaging_systems().1)
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        self.engine.publish(topic, batch).await
    }

    /// Those of the log and those that the engine holds; unknown if one of them keeps no count.
    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        let (log, engine) =
            tokio::try_join!(self.log.dead_letter_count(), self.engine.dead_letter_count())?;
        Ok(log.zip(engine).map(|(log, engine)| log + engine))
    }

    async fn close(&self) -> Result<(), Error> {
        // The log must be closed even if the engine takes its time.
        let (log, engine) = tokio::join!(self.log.close(), self.engine.close());
        log.and(engine)
    }
}

#[cfg(test)]
mod tests;

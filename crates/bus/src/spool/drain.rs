//! One topic of the spool on its way to the engine: in order, with patience, each batch acked
//! once the engine has it. What the engine will never take is set aside, so that it does not
//! block the line.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::calls::Backoff;
use crate::error::{Error, Fate, Kind};
use crate::names::{SubscriptionName, Topic};
use crate::transport::{
    Consumer, DeadEvent, Delivered, Lease, Outcome, Position, Settle, SubscriptionSpec, Transport,
};
use worldbus_events::Batch;

/// A batch is offered again after this long at first, and this long at the most.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);
/// How soon a batch comes again that the last process held when it ended.
const LEASE: Duration = Duration::from_secs(1);
/// How often the log is asked whether what it kept was settled long ago, while something of
/// unknown standing is in line.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The drain stops: the bus is being closed, or the log failed.
struct Stopped;

/// Opens the topic's one subscription; it is named as the topic.
pub(super) async fn subscribe(
    log: &dyn Transport,
    topic: &Topic,
) -> Result<Box<dyn Consumer>, Error> {
    let name = SubscriptionName::new(topic.as_str())?;
    log.subscribe(SubscriptionSpec {
        start: Position::Start,
        lease: LEASE,
        // A lease that ends while the engine is away is still ours: there is no other consumer.
        attempts_max: u32::MAX,
        // One: what comes later must not overtake it.
        in_flight_max: 1,
        consumer: "spool".to_owned(),
        ..SubscriptionSpec::new(name, vec![topic.clone()])
    })
    .await
}

/// Drains until the bus is closed or the log fails.
pub(super) async fn run(shared: Arc<Shared>, topic: Topic, mut consumer: Box<dyn Consumer>) {
    let drain = Drain { shared: &shared, topic: &topic, settler: consumer.settler() };
    loop {
        let in_line = shared.state.borrow().waits(&topic);
        let delivered = tokio::select! {
            () = shared.closing.cancelled() => break,
            delivered = consumer.next() => delivered,
            () = tokio::time::sleep(LOOK_EVERY), if in_line => {
                drain.look().await;
                continue;
            }
        };
        let done = match delivered {
            Ok(delivered) => drain.pass_on(delivered).await,
            Err(error) => drain.failed(error),
        };
        if done.is_err() {
            break;
        }
    }
    // The log hands back what is left when it is opened again.
    let _ = consumer.close().await;
}

struct Drain<'a> {
    shared: &'a Shared,
    topic: &'a Topic,
    settler: Arc<dyn Settle>,
}

impl Drain<'_> {
    /// Takes note of what the log has removed, which was settled.
    async fn look(&self) {
        let topics = self.shared.log.topics().await.unwrap_or_default();
        if let Some(status) = topics.iter().find(|status| status.topic == *self.topic) {
            self.shared.advance(self.topic, status.first_offset);
        }
    }

    async fn pass_on(&self, Delivered { lease, batch, .. }: Delivered) -> Result<(), Stopped> {
        self.shared.advance(self.topic, lease.offset);
        let dead = match self.offer(&batch).await {
            Ok(None) => Vec::new(),
            Ok(Some(error)) => self.sift(&batch, error).await?,
            Err(Stopped) => {
                // If that fails, the lease ends soon.
                let _ = self.settler.settle(&lease, Outcome::Release).await;
                return Err(Stopped);
            }
        };
        let drained = (batch.len() - dead.len()) as u64;
        if !dead.is_empty() {
            self.set_aside(&lease, dead).await?;
        }
        self.settler.settle(&lease, Outcome::Ack).await.or_else(|error| self.failed(error))?;
        self.shared.advance(self.topic, lease.offset + 1);
        let topic = self.topic.to_string();
        metrics::counter!("worldbus_spool_drained_events_total", "topic" => topic)
            .increment(drained);
        if !self.shared.state.borrow().waits(self.topic) {
            tracing::info!(topic = %self.topic, "the spool of this topic is drained");
        }
        self.shared.report().await;
        Ok(())
    }

    /// Offers a batch until the engine has it (`None`) or refuses it for good.
    async fn offer(&self, batch: &Batch) -> Result<Option<Error>, Stopped> {
        let mut backoff = Backoff::new(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
        let engine = &self.shared.engine;
        loop {
            let published = tokio::select! {
                () = self.shared.closing.cancelled() => return Err(Stopped),
                published = engine.publish(self.topic, batch.clone()) => published,
            };
            let error = match published {
                Ok(_) => {
                    self.shared.set_away(false);
                    return Ok(None);
                }
                Err(error) if error.is_of_the_events() => return Ok(Some(error)),
                Err(error) if error.kind() == Kind::Closed => return Err(Stopped),
                Err(error) => error,
            };
            if error.fate() == Fate::Refused {
                tracing::warn!(topic = %self.topic, %error, "the engine refuses; events wait");
            } else {
                tracing::debug!(topic = %self.topic, %error, "the spool waits for the engine");
            }
            self.shared.set_away(true);
            tokio::select! {
                () = self.shared.closing.cancelled() => return Err(Stopped),
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
    }

    /// Offers the events of a refused batch one by one; those that are refused.
    async fn sift(&self, batch: &Batch, error: Error) -> Result<Vec<DeadEvent>, Stopped> {
        let mut dead = Vec::new();
        for index in 0..batch.len() as u32 {
            let refused = match batch.retain(|event| event.index == index) {
                Some(one) if batch.len() > 1 => self.offer(&one).await?,
                _ => Some(error.clone()),
            };
            if let Some(error) = refused {
                let now_ms = self.shared.wall.now_us().div_euclid(1000);
                dead.push(DeadEvent {
                    index,
                    reason: format!("the engine refused it: {error}"),
                    attempts: 1,
                    first_failed_ms: now_ms,
                    last_failed_ms: now_ms,
                });
            }
        }
        Ok(dead)
    }

    async fn set_aside(&self, lease: &Lease, dead: Vec<DeadEvent>) -> Result<(), Stopped> {
        let (events, reason) = (dead.len(), dead[0].reason.clone());
        let mut backoff = Backoff::new(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
        while let Err(error) = self.settler.dead_letter(lease, dead.clone()).await {
            if error.fate() != Fate::Retry {
                return self.failed(error);
            }
            tokio::select! {
                () = self.shared.closing.cancelled() => return Err(Stopped),
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
        tracing::error!(
            topic = %self.topic, events, reason,
            "spooled events were refused and set aside as dead letters of the spool"
        );
        let topic = self.topic.to_string();
        metrics::counter!("worldbus_spool_refused_events_total", "topic" => topic)
            .increment(events as u64);
        Ok(())
    }

    fn failed(&self, error: Error) -> Result<(), Stopped> {
        if error.kind() != Kind::Closed {
            self.shared.fail(error);
        }
        Err(Stopped)
    }
}

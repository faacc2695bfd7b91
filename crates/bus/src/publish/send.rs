//! What becomes of a lane's batches: tried until the engine has them, or spooled where that is
//! wished, or failed. One at a time, so that order holds, and none behind a failure where that is
//! asked for.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::completion::{Answers, Held, Taken};
use super::lane::{Lane, Sealed, Wish};
use super::{PublisherOptions, parts, spans};
use crate::bus::Bus;
use crate::calls::Backoff;
use crate::error::{Error, Fate, Kind};
use crate::spool::{Spool, Way};
use crate::trace;
use crate::transport::Appended;
use worldbus_events::Batch;

/// Attempts to publish a batch wait this long at first, and this long at the most.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);
/// What is tried for longer than this is warned of, once.
const WARN_AFTER: Duration = Duration::from_millis(500);

/// Empties a lane until it is closed.
pub(super) async fn flush(lane: &Lane, bus: Bus, options: PublisherOptions) {
    let linger = options.linger.unwrap_or(bus.transport().capabilities().linger);
    loop {
        match lane.next() {
            Ok(mut sealed) => {
                let begun = Instant::now();
                let spans = std::mem::take(&mut sealed.spans);
                let Sealed { batch, cost, completion, .. } = &sealed;
                record(lane, batch);
                let span = spans::sending(&**bus.transport(), lane.topic(), batch, &spans);
                let delivery = Delivery::new(lane, &bus, &options, &sealed);
                let delivered = parts::deliver(batch.clone(), |part| delivery.deliver(part));
                let answers = delivered.instrument(span.clone()).await;
                if let Some(error) = failed(lane, batch.len(), &answers) {
                    let kind = format!("{:?}", error.kind());
                    trace::failed(spans.iter().chain([&span]), &kind, error);
                }
                drop((spans, span));
                completion.finish(answers);
                lane.room.add_permits(*cost);
                // A timer, also one that is due, waits for the next tick of a millisecond. Not only
                // where events wait already: one that comes at this moment would go at once.
                if !linger.is_zero() && lane.may_grow() {
                    tokio::select! {
                        () = tokio::time::sleep_until(begun + linger) => {}
                        () = lane.closing.cancelled() => {}
                    }
                }
            }
            Err(true) => break,
            Err(false) => {
                lane.filled.notified().await;
                if !linger.is_zero() {
                    tokio::time::sleep(linger).await;
                }
            }
        }
    }
    lane.drained.send_replace(true);
}

/// What the delivery of a batch needs, whole or in parts.
struct Delivery<'a> {
    lane: &'a Lane,
    bus: &'a Bus,
    options: &'a PublisherOptions,
    wish: Wish,
    /// From when its first event came, not from when its turn did: what waits behind a batch that
    /// the engine does not take gives up with it, not one after the other.
    deadline: Instant,
    /// Never cancelled, if nothing else asks for it.
    halt: CancellationToken,
}

impl<'a> Delivery<'a> {
    fn new(lane: &'a Lane, bus: &'a Bus, options: &'a PublisherOptions, sealed: &Sealed) -> Self {
        let halt = options.halt.clone().unwrap_or_default();
        let (wish, deadline) = (sealed.wish, sealed.since + options.timeout);
        Self { lane, bus, options, wish, deadline, halt }
    }

    async fn deliver(&self, batch: Batch) -> Result<Taken, Error> {
        if self.halt.is_cancelled() {
            return Err(halted());
        }
        let delivered = self.to_engine_or_spool(&batch).await;
        if delivered.as_ref().is_err_and(|error| error.fate() != Fate::Refused) {
            self.halt.cancel();
        }
        delivered
    }

    async fn to_engine_or_spool(&self, batch: &Batch) -> Result<Taken, Error> {
        let (deadline, topic) = (self.deadline, self.lane.topic());
        let Some(spool) = self.bus.spool() else {
            return self.send(batch, deadline).await;
        };
        if self.wish == Wish::Durable {
            spool.pass(topic, deadline).await?;
            return self.send(batch, deadline).await;
        }
        let mut cause = None;
        if spool.way(topic).await == Way::Engine {
            match self.send(batch, deadline).await {
                Ok(taken) => {
                    spool.engine_is(false);
                    return Ok(taken);
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(%topic, %error, "the engine is away; spooling");
                    cause = Some(error);
                }
            }
            spool.engine_is(true);
        }
        let spooled = self.to_spool(spool, batch).await;
        spooled.map_err(|error| neither(cause.as_ref(), error))?;
        Ok(Taken { by: Held::Spool, duplicates: Vec::new() })
    }

    /// Appends a batch to the spool. When the publisher is being closed, a full one is waited for
    /// no longer than the engine would be.
    async fn to_spool(&self, spool: &Spool, batch: &Batch) -> Result<(), Error> {
        let give_up = async {
            self.lane.closing.cancelled().await;
            tokio::time::sleep(self.options.timeout).await;
        };
        spool.append(self.lane.topic(), batch.clone(), give_up).await
    }

    /// Publishes a batch, again and again while that can help.
    async fn send(&self, batch: &Batch, deadline: Instant) -> Result<Taken, Error> {
        let result = self.attempts(batch, deadline).await;
        self.lane.set_retrying(None);
        result
    }

    async fn attempts(&self, batch: &Batch, deadline: Instant) -> Result<Taken, Error> {
        let mut backoff = Backoff::new(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
        let topic = self.lane.topic();
        let (begun, mut warned, mut unknown) = (Instant::now(), false, false);
        loop {
            let error = match self.bus.transport().publish(topic, batch.clone()).await {
                // What an attempt of ours may have appended is no duplicate of an earlier publish.
                Ok(_) if unknown => return Ok(Taken { by: Held::Engine, duplicates: Vec::new() }),
                Ok(Appended { duplicates, .. }) => {
                    return Ok(Taken { by: Held::Engine, duplicates });
                }
                Err(error) => error,
            };
            unknown |= error.fate() == Fate::Unknown;
            let delay = backoff.next();
            let error = if unknown { error.with_fate(Fate::Unknown) } else { error };
            if is_final(&error) || Instant::now() + delay >= deadline {
                return Err(error);
            }
            metrics::counter!("worldbus_publish_retries_total", "topic" => topic.to_string())
                .increment(1);
            if !warned && begun.elapsed() >= WARN_AFTER {
                warned = true;
                let left_s = deadline.saturating_duration_since(Instant::now()).as_secs();
                tracing::warn!(%topic, %error, left_s, "publish failed; still retrying");
            } else {
                tracing::debug!(%topic, %error, ?delay, "publish failed; retrying");
            }
            self.lane.set_retrying(Some(error.clone()));
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.halt.cancelled() => return Err(error),
            }
        }
    }
}

fn halted() -> Error {
    let context = "not sent, since an event before it failed; publish it again behind that one";
    Error::retry(Kind::Unavailable, context)
}

/// Neither the engine nor the spool took it. The engine may later, whatever became of the spool.
fn neither(cause: Option<&Error>, error: Error) -> Error {
    let unknown =
        error.fate() == Fate::Unknown || cause.is_some_and(|cause| cause.fate() == Fate::Unknown);
    let fate = if unknown { Fate::Unknown } else { Fate::Retry };
    let context = match cause {
        Some(cause) => format!("the engine is away ({cause}), and it cannot be spooled: {error}"),
        None => format!("the engine is away, and it cannot be spooled: {error}"),
    };
    error.with_context(context).with_fate(fate)
}

fn is_final(error: &Error) -> bool {
    error.fate() == Fate::Refused || error.kind() == Kind::Closed
}

/// Counts and logs what failed; the first error, if there is any.
fn failed<'a>(lane: &Lane, events: usize, answers: &'a Answers) -> Option<&'a Error> {
    let (mut begin, mut first) = (0, None);
    for (end, answer) in answers {
        let count = events.min(*end) - begin;
        begin = events.min(*end);
        let Err(error) = answer else { continue };
        first = first.or(Some(error));
        metrics::counter!("worldbus_publish_failed_total", "topic" => lane.topic().to_string())
            .increment(count as u64);
        tracing::warn!(topic = %lane.topic(), events = count, %error, "publish failed");
    }
    first
}

fn record(lane: &Lane, batch: &Batch) {
    let (events, bytes) = (batch.len(), batch.bytes().len());
    let metrics = lane.metrics();
    metrics.events_total.increment(events as u64);
    metrics.batch_events.record(events as f64);
    metrics.batch_bytes.record(bytes as f64);
    tracing::debug!(topic = %lane.topic(), events, bytes, "batch published");
}

//! What becomes of a lane's batches: tried until the engine has them, or spooled where that is
//! wished, or failed. One at a time, so that order holds.

use super::PublisherOptions;
use super::completion::Held;
use super::lane::{Lane, Sealed, Wish};
use crate::backoff::Backoff;
use crate::bus::Bus;
use crate::error::{Error, Fate, Kind};
use crate::spool::{Spool, Way};
use crate::trace;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument as _;
use worldbus_events::Batch;

/// Attempts to publish a batch wait this long at first, and this long at the most.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);

/// Empties a lane until it is closed.
pub(super) async fn flush(lane: Arc<Lane>, bus: Bus, options: PublisherOptions) {
    let linger = options.linger.unwrap_or(bus.transport().capabilities().linger);
    loop {
        match lane.next() {
            Ok(sealed) => {
                let begun = Instant::now();
                let Sealed { batch, wish, cost, spans, completion } = sealed;
                record(&lane, &batch);
                let span = trace::sending(&bus, lane.topic(), &batch, &spans);
                let delivered = deliver(&lane, &bus, &batch, wish, options.timeout);
                let result = delivered.instrument(span.clone()).await;
                if let Err(error) = &result {
                    failed(&lane, &batch, error);
                    let kind = format!("{:?}", error.kind());
                    trace::failed(spans.iter().chain([&span]), &kind, error);
                }
                drop((spans, span));
                completion.finish(result);
                lane.room.add_permits(cost);
                if lane.gathers() {
                    // What gathered meanwhile lingers as what comes to an idle publisher does.
                    tokio::time::sleep_until(begun + linger).await;
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

async fn deliver(
    lane: &Lane,
    bus: &Bus,
    batch: &Batch,
    wish: Wish,
    timeout: Duration,
) -> Result<Held, Error> {
    let deadline = Instant::now() + timeout;
    let Some(spool) = bus.spool() else {
        return send(lane, bus, batch, deadline).await.map(|()| Held::Engine);
    };
    if wish == Wish::Durable {
        spool.pass(lane.topic(), deadline).await?;
        return send(lane, bus, batch, deadline).await.map(|()| Held::Engine);
    }
    let mut cause = None;
    if spool.way(lane.topic()).await == Way::Engine {
        match send(lane, bus, batch, deadline).await {
            Ok(()) => {
                spool.engine_is(false);
                return Ok(Held::Engine);
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(topic = %lane.topic(), %error, "the engine is away; spooling");
                cause = Some(error);
            }
        }
        spool.engine_is(true);
    }
    to_spool(lane, spool, batch, timeout).await.map_err(|error| neither(cause.as_ref(), &error))?;
    Ok(Held::Spool)
}

/// Appends a batch to the spool. When the publisher is being closed, a full one is waited for
/// no longer than the engine would be.
async fn to_spool(
    lane: &Lane,
    spool: &Spool,
    batch: &Batch,
    timeout: Duration,
) -> Result<(), Error> {
    let give_up = async {
        lane.closing.cancelled().await;
        tokio::time::sleep(timeout).await;
    };
    spool.append(lane.topic(), batch.clone(), give_up).await
}

/// Neither the engine nor the spool took it. The engine may later, whatever the spool says.
fn neither(cause: Option<&Error>, error: &Error) -> Error {
    let unknown =
        error.fate() == Fate::Unknown || cause.is_some_and(|cause| cause.fate() == Fate::Unknown);
    let fate = if unknown { Fate::Unknown } else { Fate::Retry };
    let context = match cause {
        Some(cause) => format!("the engine is away ({cause}), and it cannot be spooled: {error}"),
        None => format!("the engine is away, and it cannot be spooled: {error}"),
    };
    Error::retry(error.kind(), context).with_fate(fate)
}

/// Publishes a batch, again and again while that can help.
async fn send(lane: &Lane, bus: &Bus, batch: &Batch, deadline: Instant) -> Result<(), Error> {
    let mut backoff = Backoff::new(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
    let mut unknown = false;
    loop {
        let error = match bus.transport().publish(lane.topic(), batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        unknown |= error.fate() == Fate::Unknown;
        let delay = backoff.next();
        let error = if unknown { error.with_fate(Fate::Unknown) } else { error };
        if is_final(&error) || Instant::now() + delay >= deadline {
            return Err(error);
        }
        metrics::counter!("worldbus_publish_retries_total", "topic" => lane.topic().to_string())
            .increment(1);
        tracing::debug!(topic = %lane.topic(), %error, ?delay, "publish is tried again");
        tokio::time::sleep(delay).await;
    }
}

fn is_final(error: &Error) -> bool {
    error.fate() == Fate::Refused || error.kind() == Kind::Closed
}

fn failed(lane: &Lane, batch: &Batch, error: &Error) {
    metrics::counter!("worldbus_publish_failed_total", "topic" => lane.topic().to_string())
        .increment(batch.len() as u64);
    tracing::warn!(topic = %lane.topic(), events = batch.len(), %error, "publish failed");
}

fn record(lane: &Lane, batch: &Batch) {
    let (events, bytes) = (batch.len(), batch.bytes().len());
    let topic = || lane.topic().to_string();
    metrics::counter!("worldbus_published_events_total", "topic" => topic())
        .increment(events as u64);
    metrics::histogram!("worldbus_batch_events", "topic" => topic()).record(events as f64);
    metrics::histogram!("worldbus_batch_bytes", "topic" => topic()).record(bytes as f64);
    tracing::debug!(topic = %lane.topic(), events, bytes, "batch published");
}

//! Publishes ready batches, as one does who forwards what others encoded: all are made before the
//! clock starts, and each place in the window is a producer of its own, with one batch in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinSet;

use super::arguments::End;
use super::load::Load;
use super::tally::Tally;
use worldbus_bus::{Bus, Error, Kind};
use worldbus_events::v1::TimeUpdated;
use worldbus_events::{Batch, BatchBuilder, Event as _, EventId, NewEvent, ProducerId};
use worldbus_service::CancellationToken;

/// The batches of a run.
pub(super) struct Ready {
    /// Those of each producer, in order, by number.
    lanes: Vec<Vec<(u64, Batch)>>,
    /// When each batch was sent, by number, in nanoseconds from the origin.
    pub(super) sent: Arc<Sent>,
}

/// When batches were sent.
pub(super) struct Sent {
    batch_events: u64,
    nanos: Vec<AtomicU64>,
}

impl Sent {
    /// When this batch was.
    pub(super) fn at(&self, batch: &Batch) -> Option<Duration> {
        let number = batch.first_id().sequence / self.batch_events;
        let nanos = self.nanos.get(usize::try_from(number).ok()?)?;
        Some(Duration::from_nanos(nanos.load(Relaxed)))
    }
}

/// Encodes the batches of a load.
pub(super) fn encode(load: &Load, batch_events: u32, seed: u64) -> Result<Ready, Error> {
    let End::Events(events) = load.end else { unreachable!("batches have a number") };
    let count = events.div_ceil(u64::from(batch_events));
    let lane_count = load.window.min(count as usize);
    let mut lanes = vec![Vec::new(); lane_count];
    let mut builder = BatchBuilder::new(&load.source, &load.world);
    let mut payload = Vec::new();
    for number in 0..count {
        let lane = number as usize % lane_count;
        // A producer id of 58 bits, not 0, for each lane.
        let producer = ProducerId::from_bits(seed.wrapping_add(lane as u64) | 1 << 40);
        let first = number * u64::from(batch_events);
        for sequence in first..events.min(first + u64::from(batch_events)) {
            load.write_payload(sequence, Duration::ZERO, &mut payload);
            builder
                .push(NewEvent {
                    event_type: TimeUpdated::NUMBER,
                    id: EventId { producer, sequence },
                    timestamp_ms: 1_795_000_000_000 + sequence as i64,
                    entity: None,
                    place: None,
                    payload: &payload,
                    metadata: None,
                })
                .map_err(|error| Error::refused(Kind::Invalid, error.to_string()))?;
        }
        lanes[lane].extend(builder.finish().map(|batch| (number, batch)));
    }
    let nanos = (0..count).map(|_| AtomicU64::new(0)).collect();
    let sent = Arc::new(Sent { batch_events: u64::from(batch_events), nanos });
    Ok(Ready { lanes, sent })
}

/// Publishes all, or until `stop`; how many events were sent.
///
/// # Errors
/// That of a batch that failed; then the others stop as well.
pub(super) async fn publish(
    load: &Arc<Load>,
    bus: &Bus,
    ready: Ready,
    tally: &Arc<Tally>,
    stop: &CancellationToken,
) -> Result<u64, Error> {
    let mut lanes = JoinSet::new();
    let stop = stop.child_token();
    for batches in ready.lanes {
        let (load, bus, tally) = (Arc::clone(load), bus.clone(), Arc::clone(tally));
        let (sent, stop) = (Arc::clone(&ready.sent), stop.clone());
        lanes.spawn(async move { lane(&load, &bus, batches, &sent, &tally, &stop).await });
    }
    let (mut events, mut failed) = (0, None);
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok(Ok(sent)) => events += sent,
            Ok(Err(error)) => failed = Some(error),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
        if failed.is_some() {
            stop.cancel();
        }
    }
    failed.map_or(Ok(events), Err)
}

/// Publishes the batches of one producer, one after the other.
async fn lane(
    load: &Load,
    bus: &Bus,
    batches: Vec<(u64, Batch)>,
    sent: &Sent,
    tally: &Tally,
    stop: &CancellationToken,
) -> Result<u64, Error> {
    let mut events = 0;
    for (number, batch) in batches {
        let count = batch.len() as u64;
        let due = load.due(number * sent.batch_events);
        if let Some(wait) = due.and_then(|due| due.checked_sub(tally.now())) {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        if stop.is_cancelled() {
            break;
        }
        let from = load.timed_from(due, tally.now());
        sent.nanos[number as usize].store(from.as_nanos() as u64, Relaxed);
        bus.transport().publish(&load.topics[load.topic(number)], batch).await?;
        tally.published.add(tally.now(), from, count);
        events += count;
    }
    Ok(events)
}

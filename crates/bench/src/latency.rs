//! How long one event takes: end to end at 1,000 events a second, and to its durable answer
//! when nothing else is in flight, next to the disk's own append and sync.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::disk;
use crate::report::{Row, median, percentile};
use crate::stream::tick;
use worldbus::events::v1::TimeUpdated;
use worldbus::{Bus, HandlerError, Message, Router};

const PACED_EVENTS: u64 = 5_000;
const PACE: Duration = Duration::from_millis(1);
const SINGLE_EVENTS: u64 = 2_000;

pub(crate) async fn rows(worldbus: &Path, runs: usize) -> Result<Vec<Row>> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let (mut remote_ack, mut embedded_ack, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let broker = Broker::start(worldbus, "event-bus")?;
        let publishing = worldbus::connect(&broker.url(), None).await?;
        let consuming = worldbus::connect(&broker.url(), None).await?;
        let micros = end_to_end(&publishing, &consuming).await?;
        p50.push(percentile(&micros, 0.5) / 1000.0);
        p99.push(percentile(&micros, 0.99) / 1000.0);
        remote_ack.push(median(&acks(&publishing).await?) / 1000.0);
        drop(broker);
        let data = tempfile::tempdir_in(".")?;
        let bus = worldbus::connect(&format!("embedded:{}", data.path().display()), None).await?;
        embedded_ack.push(median(&acks(&bus).await?) / 1000.0);
        bus.close().await?;
        floor.push(median(&disk::append_and_sync(data.path(), SINGLE_EVENTS)?) / 1000.0);
    }
    let times = vec![median(&embedded_ack) / median(&floor)];
    Ok(vec![
        Row::new("latency: end to end at 1,000/s, two processes, p50", "ms", p50, "<= 0.35"),
        Row::new("latency: the same, p99", "ms", p99, "<= 2"),
        Row::new("latency: append and fdatasync of a 4 KiB page, p50", "ms", floor, ""),
        Row::new("latency: durable answer, embedded, p50", "ms", embedded_ack, ""),
        Row::new("latency: the answer over append and fdatasync", "x", times, "<= 1.3"),
        Row::new("latency: durable answer, two processes, p50", "ms", remote_ack, ""),
    ])
}

/// Microseconds from publish to handler of each event, paced.
async fn end_to_end(publishing: &Bus, consuming: &Bus) -> Result<Vec<f64>> {
    let origin = Instant::now();
    let micros = Arc::new(Mutex::new(Vec::with_capacity(PACED_EVENTS as usize)));
    let seen = Arc::clone(&micros);
    let done = CancellationToken::new();
    let all = done.clone();
    let router =
        Router::new(consuming, "bench-latency")?.on(move |event: TimeUpdated, _: Message| {
            let sent = Duration::from_micros(event.total_minutes as u64);
            let took = origin.elapsed().saturating_sub(sent);
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(took.as_nanos() as f64 / 1000.0);
            if seen.len() as u64 == PACED_EVENTS {
                all.cancel();
            }
            async { Ok::<(), HandlerError>(()) }
        })?;
    let router = tokio::spawn(router.open().await?.run(done));
    let publisher = publishing.publisher("bench", "europe");
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for minute in 0..PACED_EVENTS {
        pace.tick().await;
        let mut event = tick(minute);
        event.total_minutes = origin.elapsed().as_micros() as i64;
        // The answer is awaited at the end: the handler is what is timed.
        drop(publisher.enqueue(None, &event).await?);
    }
    router.await??;
    publisher.close().await;
    Ok(std::mem::take(&mut *micros.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Microseconds to the durable answer of each event, one at a time.
async fn acks(bus: &Bus) -> Result<Vec<f64>> {
    let publisher = bus.publisher("bench-single", "europe");
    let mut micros = Vec::with_capacity(SINGLE_EVENTS as usize);
    for minute in 0..SINGLE_EVENTS {
        let begun = Instant::now();
        publisher.publish(&tick(minute)).await?;
        micros.push(begun.elapsed().as_nanos() as f64 / 1000.0);
    }
    publisher.close().await;
    Ok(micros)
}

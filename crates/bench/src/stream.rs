//! Typed publish, one event a call with a thousand in flight, to typed handler, durable.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::report::Row;
use worldbus::events::v1::TimeUpdated;
use worldbus::{Bus, HandlerError, Message, Router};

const IN_FLIGHT: usize = 1000;

pub(crate) async fn embedded(events: u64, runs: usize) -> Result<Row> {
    let mut rates = Vec::new();
    for _ in 0..runs {
        let data = tempfile::tempdir_in(".")?;
        let bus = worldbus::connect(&format!("embedded:{}", data.path().display()), None).await?;
        rates.push(rate(&bus, &bus, events).await?);
        bus.close().await?;
    }
    Ok(Row::new("embedded: publish to handler, acked", "events/s", rates, ">= 2 M"))
}

pub(crate) async fn remote(worldbus: &Path, events: u64, runs: usize) -> Result<Row> {
    let mut rates = Vec::new();
    for _ in 0..runs {
        let broker = Broker::start(worldbus, "event-bus")?;
        let publishing = worldbus::connect(&broker.url(), None).await?;
        let consuming = worldbus::connect(&broker.url(), None).await?;
        rates.push(rate(&publishing, &consuming, events).await?);
    }
    Ok(Row::new("remote: the same across two processes", "events/s", rates, ">= 1 M"))
}

/// Events a second, from the first publish until the last is handled and acknowledged.
async fn rate(publishing: &Bus, consuming: &Bus, events: u64) -> Result<f64> {
    let handled = Arc::new(AtomicU64::new(0));
    let all = Arc::new(Notify::new());
    let (count, done) = (Arc::clone(&handled), Arc::clone(&all));
    let router = Router::new(consuming, "bench")?.on(move |_: TimeUpdated, _: Message| {
        if count.fetch_add(1, Ordering::Relaxed) + 1 == events {
            done.notify_one();
        }
        async { Ok::<(), HandlerError>(()) }
    })?;
    let shutdown = CancellationToken::new();
    let router = tokio::spawn(router.open().await?.run(shutdown.clone()));
    let publisher = publishing.publisher("bench", "europe");
    let begun = Instant::now();
    let mut pending = VecDeque::with_capacity(IN_FLIGHT);
    for minute in 0..events {
        if pending.len() == IN_FLIGHT
            && let Some(oldest) = pending.pop_front()
        {
            let oldest: worldbus::Pending = oldest;
            oldest.await?;
        }
        pending.push_back(publisher.enqueue(None, &tick(minute)).await?);
    }
    for pending in pending {
        pending.await?;
    }
    all.notified().await;
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    shutdown.cancel();
    router.await??;
    Ok(rate)
}

pub(crate) fn tick(minute: u64) -> TimeUpdated {
    TimeUpdated {
        total_minutes: 500_000 + minute as i64,
        hour: (minute / 60 % 24) as u32,
        minute: (minute % 60) as u32,
        phase: 2,
    }
}

//! Our way over SNS and SQS, in a process of its own: a publisher at a steady pace, and a router.
//! Not for: counting what it costs, which the proxy in front of AWS does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use worldbus::events::v1::{Phase, TimeUpdated};
use worldbus::{HandlerError, Message, Router};

/// What is published, and how.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    pub(crate) encoding: &'a str,
    pub(crate) events: u64,
    /// Events a second.
    pub(crate) pace: f64,
    pub(crate) linger_ms: u32,
}

/// Publishes and handles ticks; prints the seconds from the first to the last.
pub(crate) async fn run(load: Load<'_>) -> Result<()> {
    let Load { encoding, events, pace, linger_ms } = load;
    let url = format!(
        "sns-sqs://us-east-1?prefix=bench&create=true&linger_ms={linger_ms}&encoding={encoding}"
    );
    // The timer counts in milliseconds.
    let at_once = (pace / 1000.0).ceil() as u64;
    let bus = worldbus::connect(&url, None).await?;
    let (handled, all) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let (count, done) = (Arc::clone(&handled), Arc::clone(&all));
    let router = Router::new(&bus, "bench")?.on(move |_: TimeUpdated, _: Message| {
        if count.fetch_add(1, Ordering::Relaxed) + 1 == events {
            done.notify_one();
        }
        std::future::ready(Ok::<(), HandlerError>(()))
    })?;
    let router = router.open().await?;
    let shutdown = CancellationToken::new();
    let routing = tokio::spawn(router.run(shutdown.clone()));
    let publisher = bus.publisher("time-manager", "europe");
    let begun = Instant::now();
    for number in 0..events {
        let minute = i64::try_from(number)?;
        let tick = TimeUpdated {
            total_minutes: 84_961 + minute,
            hour: u32::try_from(minute / 60 % 24)?,
            minute: u32::try_from(minute % 60)?,
            phase: Phase::Night.into(),
        };
        // The answers come by batches; the last is enough for all, since they leave in order.
        let pending = publisher.enqueue(None, &tick).await?;
        if number + 1 == events {
            pending.await?;
        } else if number % at_once == 0 {
            let due = begun + Duration::from_secs_f64((number + at_once) as f64 / pace);
            tokio::time::sleep_until(due.into()).await;
        }
    }
    let waiting = tokio::time::timeout(Duration::from_secs(60), all.notified());
    waiting
        .await
        .with_context(|| format!("{} of {events} events came", handled.load(Ordering::Relaxed)))?;
    let seconds = begun.elapsed().as_secs_f64();
    shutdown.cancel();
    routing.await??;
    bus.close().await?;
    println!("{seconds}");
    Ok(())
}

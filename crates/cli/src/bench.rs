//! `worldbus bench`: a load of one's own choice on the engine at a URL, through the same API that
//! services use: how many events a second, and how long each takes to its durable answer and to
//! its handler.
//!
//! Not for: figures of this repository next to those of peers, which `cargo xtask bench` makes by
//! this command; and not for a service's own load, which has its own handlers.

mod arguments;
mod batches;
mod cost;
mod engine;
mod events;
mod histogram;
mod intervals;
mod load;
mod report;
mod subscribers;
mod tally;

use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::output::failure::{FAILED, complain};
use crate::output::format::Format;
use crate::session::connection;
use crate::{output, session};
use engine::Engine;
use load::Load;
use report::Report;
use subscribers::Subscribers;
use tally::Tally;
use worldbus_bus::Error;
use worldbus_service::{CancellationToken, shutdown};

pub(crate) use arguments::BenchArguments;

/// The world of its events, where the bus names none.
const WORLD: &str = "europe";
/// How long without any event until what was not handled is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same behind a signal.
const PATIENCE_INTERRUPTED: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs the load and prints what it found.
pub(crate) async fn run(arguments: BenchArguments) -> Result<ExitCode> {
    let Some(client) = session::client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    arguments.check()?;
    let url = connection::parse(&client.url)?;
    let stop = shutdown::on_signal().context("cannot listen for signals")?;
    if !cost::accepted(&url, &arguments)? {
        complain("nothing was published");
        return Ok(ExitCode::from(FAILED));
    }
    let seed = RandomState::new().hash_one(std::process::id());
    let engine = Engine::open(&url, &client, &arguments, seed as u32).await?;
    let world = engine.bus.transport().world().unwrap_or(WORLD).to_owned();
    let load = Load::new(&arguments, engine.topics.clone(), &engine.source, &world);
    let outcome = measure(&engine, Arc::new(load), seed, &arguments, &stop).await;
    // Also behind a failure.
    let deleted = match arguments.keep {
        true => Ok(false),
        false => engine.clean().await,
    };
    let transport = engine.bus.transport().capabilities().transport;
    let closed = engine.close().await;
    let explain = |error| connection::explain(&client.url, error);
    let (sent, tally) = outcome.map_err(explain)?;
    let deleted = deleted.map_err(explain)?;
    closed.map_err(explain)?;
    let interrupted = stop.is_cancelled();
    let report = Report { url: client.url, transport, sent, interrupted, deleted };
    let document = report.json(&arguments, &tally);
    output::page(&result(&arguments, &document, || report.text(&arguments, &tally)))?;
    if !deleted {
        complain("its topics and subscriptions stay: they begin with worldbus-bench");
    }
    Ok(match report.not_handled(&tally) > 0 && !interrupted {
        true => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// The result as it is written; behind intervals it is a line as they are, or a page of its own.
fn result(arguments: &BenchArguments, document: &Value, text: impl FnOnce() -> String) -> String {
    let format = arguments.format;
    match (arguments.every(), format) {
        (None, _) => format.page(document, text),
        (Some(_), Format::Json) => format!("{document}\n"),
        (Some(_), Format::Text) => format!("\n{}", text()),
    }
}

/// Publishes the load and waits until it is handled, or a signal ends it; how many events were
/// sent, and what was counted.
async fn measure(
    engine: &Engine,
    load: Arc<Load>,
    seed: u64,
    arguments: &BenchArguments,
    stop: &CancellationToken,
) -> Result<(u64, Arc<Tally>), Error> {
    let ready = match load.batch_events {
        Some(events) => Some(batches::encode(&load, events, seed)?),
        None => None,
    };
    let tally = Arc::new(Tally::new(arguments.subscribers));
    let sent = ready.as_ref().map(|ready| &ready.sent);
    let (buses, names) = (&engine.consuming, &engine.subscriptions);
    let mut subscribers = Subscribers::open(buses, names, &load, &tally, sent).await?;
    // From here on it counts.
    tally.now();
    let progress = match arguments.every() {
        Some(every) => tokio::spawn(intervals::print(Arc::clone(&tally), every, arguments.format)),
        None => tokio::spawn(report::progress(Arc::clone(&tally))),
    };
    let published = match ready {
        Some(ready) => batches::publish(&load, &engine.bus, ready, &tally, stop).await,
        None => events::publish(&load, &engine.bus, &tally, stop).await,
    };
    let handled = match &published {
        Ok(sent) => all_handled(*sent, &tally, &mut subscribers, stop).await,
        Err(_) => Ok(()),
    };
    progress.abort();
    let _ = progress.await;
    let closed = subscribers.close().await;
    let sent = published?;
    handled.and(closed)?;
    Ok((sent, tally))
}

/// Waits until each subscription has handled all events, or none came for a while.
async fn all_handled(
    sent: u64,
    tally: &Tally,
    subscribers: &mut Subscribers,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let (mut before, mut since) = (tally.deliveries(), tally.now());
    while !tally.handled.is_empty() && tally.handled_by_all() < sent {
        if let Some(error) = subscribers.failed() {
            return Err(error);
        }
        let deliveries = tally.deliveries();
        if deliveries > before {
            (before, since) = (deliveries, tally.now());
        }
        let patience = if stop.is_cancelled() { PATIENCE_INTERRUPTED } else { PATIENCE };
        if tally.now().saturating_sub(since) > patience {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

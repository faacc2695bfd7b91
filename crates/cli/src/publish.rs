//! `worldbus publish`: events from the command line or standard input, the id of each on standard
//! output once it is durable, in the bus or in the spool, in the order of input.
//!
//! Many events are under way at once, within named limits: a thread reads lines, this task hands
//! them to publishers, another awaits the answers in order.

mod answers;
mod arguments;
mod lines;
mod senders;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::mpsc;

use crate::output::failure::{FAILED, WrongUse, complain, sentence};
use crate::output::format::Format;
use crate::session::{catalogue, connection};
use crate::{session, settings};
use answers::{Answers, Outcome, Sent};
use lines::Line;
use senders::Senders;
use worldbus_bus::{Bus, Error, Kind, Receipt, counted};
use worldbus_events::{Catalogue, json};
use worldbus_service::{CancellationToken, shutdown};

pub(crate) use arguments::PublishArguments;

/// Events that were handed to publishers and not answered yet.
const IN_FLIGHT_COUNT_MAX: usize = 8192;
/// How long the bus has for an event before it is spooled, if there is a spool.
const SPOOL_AFTER: Duration = Duration::from_secs(2);

/// Publishes the events of the command line or of standard input.
pub(crate) async fn run(arguments: PublishArguments) -> Result<ExitCode> {
    let Some(settings) = session::client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let client = &settings.client;
    let own = catalogue::load(&client.types.catalog)?;
    let known = single(&arguments, &own);
    let shutdown = shutdown::on_signal().context("cannot listen for signals")?;
    let bus = match (connection::open_with_spool(&settings, &own).await, &known) {
        (Err(_), Err(_)) => return known.map(|_| ExitCode::SUCCESS),
        (bus, _) => bus?,
    };
    let (catalogue, single) = match known {
        Ok(Some(event)) => (own, Some(event)),
        // Lines, or an event that only the bus may know.
        _ => {
            let catalogue = types_of_bus(&settings, &bus, own).await?;
            let event = single(&arguments, &catalogue)?;
            (catalogue, event)
        }
    };
    let patience = settings.spool_dir.as_ref().map(|_| SPOOL_AFTER);
    let mut senders = Senders::new(bus.clone(), &arguments, patience);
    let code = match single {
        Some(event) => {
            let sent = publish_one(&mut senders, &event, &catalogue).await;
            let receipt = sent.map_err(|error| connection::explain(&client.url, error))?;
            answers::print_one(receipt, arguments.format)?;
            ExitCode::SUCCESS
        }
        None => publish_lines(senders, catalogue, shutdown.clone(), arguments.format).await?,
    };
    if let Some(dir) = &settings.spool_dir {
        drain(&bus, dir, &shutdown).await?;
    }
    bus.close().await.map_err(|error| connection::explain(&client.url, error))?;
    Ok(code)
}

/// The event types that the bus knows besides ours; ours alone while it is away and events are
/// spooled.
async fn types_of_bus(
    settings: &settings::Publish,
    bus: &Bus,
    own: Arc<Catalogue>,
) -> Result<Arc<Catalogue>> {
    match catalogue::of_bus(&settings.client.url, bus, &own).await {
        Err(error) if settings.spool_dir.is_some() && is_away(&error) => {
            tracing::warn!("event types of the bus not read: {}", sentence(&error));
            Ok(own)
        }
        catalogue => catalogue,
    }
}

fn is_away(error: &anyhow::Error) -> bool {
    let of_bus = error.downcast_ref::<Error>();
    of_bus.is_some_and(|error| matches!(error.kind(), Kind::Unavailable | Kind::Timeout))
}

/// Waits while the bus takes what is in the spool; reports if something stays there.
async fn drain(bus: &Bus, dir: &Path, shutdown: &CancellationToken) -> Result<()> {
    let left = tokio::select! {
        left = bus.spool_drained() => left.context("the spool is not drained")?,
        () = shutdown.cancelled() => 1,
    };
    if left > 0 {
        let dir = dir.display();
        complain(&format!(
            "events wait in the spool {dir}: they are handed on by the next \
             `worldbus publish --spool-dir {dir}`, also with `--stdin < /dev/null`"
        ));
    }
    Ok(())
}

/// The event that the command line describes, checked before a bus is opened.
fn single(arguments: &PublishArguments, catalogue: &Catalogue) -> Result<Option<json::Input>> {
    let (Some(event_type), Some(payload)) = (&arguments.event_type, &arguments.payload) else {
        return Ok(None);
    };
    let read = json::read_payload(event_type, payload, catalogue);
    let (event_type, payload) = read.map_err(|error| WrongUse(error.to_string()))?;
    Ok(Some(json::Input { event_type, payload, ..json::Input::default() }))
}

async fn publish_one(
    senders: &mut Senders,
    event: &json::Input,
    catalogue: &Catalogue,
) -> Result<Receipt, Error> {
    senders.send(event, catalogue).await?.await
}

/// Publishes a line after the other until the end of input, a signal, or an error that is not the
/// line's own: then nothing behind it is sent any more, so that a second run may begin there.
async fn publish_lines(
    mut senders: Senders,
    catalogue: Arc<Catalogue>,
    shutdown: CancellationToken,
    format: Format,
) -> Result<ExitCode> {
    let mut lines = lines::from_stdin()?;
    let (sent, waiting) = mpsc::channel::<Sent>(IN_FLIGHT_COUNT_MAX);
    let stop = shutdown.child_token();
    let answers = tokio::spawn(Answers::new(waiting, stop.clone(), format).run());
    let mut bad = 0u64;
    loop {
        let line = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            line = lines.recv() => line,
        };
        let Some(Line { number, text }) = line else { break };
        let event = text.and_then(|text| json::read(&text, &catalogue).map_err(|e| e.to_string()));
        let event = match event {
            Ok(event) => event,
            Err(reason) => {
                bad += 1;
                complain(&format!("line {number}: {reason}"));
                continue;
            }
        };
        let pending = senders.send(&event, &catalogue).await;
        if sent.send(Sent { number, pending }).await.is_err() {
            break;
        }
    }
    drop(sent);
    let outcome = answers.await.context("the task of answers ended")??;
    Ok(conclude(bad, &outcome, &shutdown))
}

fn conclude(bad: u64, outcome: &Outcome, shutdown: &CancellationToken) -> ExitCode {
    let bad = bad + outcome.refused;
    if let Some(stopped) = &outcome.stopped {
        complain(&stopped.to_string());
    } else if shutdown.is_cancelled() {
        complain("stopped by a signal: what is behind the last id printed was not published");
    }
    if outcome.duplicates > 0 {
        let events = counted(outcome.duplicates, "event", "events");
        complain(&format!("{events} published before, by id: nothing was added for them"));
    }
    if bad > 0 {
        let bad = counted(bad, "bad line", "bad lines");
        complain(&format!("{bad}; {} published", counted(outcome.published, "event", "events")));
    }
    match bad == 0 && outcome.stopped.is_none() && !shutdown.is_cancelled() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FAILED),
    }
}

//! The serving commands: which services run in this process, over which bus.
//!
//! The one place that chooses transports. `up` and `event-bus` own an embedded log; the single
//! services use the event-bus of another process.

mod alone;
mod banner;
mod checks;
mod event_bus;
mod event_types;
mod ground;
mod own_bus;
pub(crate) mod services;
mod settings;
mod up;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio::time::{Instant, timeout_at};

use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use crate::session::configuration;
use checks::Serving;
use ground::{Ground, wall};
use worldbus_bus::Bus;
use worldbus_service::config::{Flags, Loaded, Settings};
use worldbus_service::part::Host;
use worldbus_service::{Part, start};
use worldbus_world::World;

pub(crate) use event_bus::{EventBus, run as event_bus};
pub(crate) use ground::world_of;
pub(crate) use up::{HELP as HELP_OF_UP, Up, run as up};

/// How long after the beginning of a shutdown the bus must be closed. The process has five seconds
/// to end.
const CLOSED_MS_MAX: u64 = 4_700;

/// The command line of a serving command.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments<S: Settings> {
    /// How to write, on standard output, where it listens
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<S>,
}

/// What a serving command starts with.
struct Start<S: Serving> {
    loaded: Loaded<S>,
    /// The world that the settings name.
    world: World,
    /// What the check left.
    checked: S::Checked,
}

/// What to start with, unless the settings were only to be printed.
fn load<S: Serving>(flags: &Flags<S>) -> Result<Option<Start<S>>> {
    let loaded = configuration::load(flags)?;
    let (world, checked) = checks::check(&loaded)?;
    if flags.print_config {
        output::page(&loaded.print())?;
        return Ok(None);
    }
    Ok(Some(Start { loaded, world, checked }))
}

/// Why a service that was prepared does not start.
fn not_started(name: &str, error: start::Error) -> anyhow::Error {
    match error {
        start::Error::Setting { .. } => WrongUse(error.to_string()).into(),
        error => anyhow::Error::new(error).context(format!("cannot start the {name}")),
    }
}

/// Serves until a signal, then drains and closes the bus.
async fn serve(ground: Ground, bus: Bus, parts: Vec<Part>) -> Result<ExitCode> {
    let mut watch = Some(wall::watch(&ground, Arc::clone(bus.wall())));
    let parts = parts.into_iter().map(|part| watch.take().into_iter().fold(part, Part::with_task));
    let host = Host::new(ground.name, ground.access).with_readiness(ground.readiness);
    let host = parts.fold(host, Host::with);
    let begun = async {
        ground.shutdown.cancelled().await;
        Instant::now()
    };
    // The host cancels the token, too, if it ends by itself.
    let (ended, begun) = tokio::join!(host.run(ground.listener, ground.shutdown.clone()), begun);
    let end = begun + Duration::from_millis(CLOSED_MS_MAX);
    let spans = async {
        if let Some(traces) = ground.traces {
            traces.close(end.saturating_duration_since(Instant::now())).await;
        }
    };
    let (closed, ()) = tokio::join!(timeout_at(end, bus.close()), spans);
    ended?;
    if let Some(panic) = ground.panics.first() {
        bail!("{panic}: this is a bug; what was acknowledged is kept: start again");
    }
    match closed {
        Ok(closed) => closed.context("cannot close the bus")?,
        Err(_) => tracing::warn!("the bus was not closed in time; the next start recovers it"),
    }
    Ok(ExitCode::SUCCESS)
}

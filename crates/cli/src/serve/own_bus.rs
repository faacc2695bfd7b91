//! The embedded bus of `up` and `event-bus`: opened once, its health told by `/readyz`, and the
//! process ended when its disk has failed.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use worldbus_bus::{Bus, Error, SystemClock, WallClock};
use worldbus_service::config::{Common, Origin, Resolved};
use worldbus_service::health::Condition;
use worldbus_service::{CancellationToken, part::Task};
use worldbus_transport_embedded::{Embedded, Health, Options};

use super::ground::Ground;
use crate::failure::WrongUse;

const SCHEME: &str = "embedded:";

/// A bus that this process owns.
pub(super) struct OwnBus {
    pub(super) bus: Bus,
    log: Embedded,
}

impl OwnBus {
    /// Opens the log that the settings name.
    pub(super) async fn open(command: &str, from: &Resolved, common: &Common) -> Result<Self> {
        let dir = dir(command, from, common)?;
        // Recovering what a crash left behind takes a while.
        let wall: Arc<dyn WallClock> = Arc::new(SystemClock::default());
        let options = Options { clock: Arc::clone(&wall), ..Options::default() };
        let open = move || Embedded::open(dir, options);
        let log = tokio::task::spawn_blocking(open).await.context("opening the bus")??;
        Ok(Self { bus: Bus::with_wall_clock(Arc::new(log.clone()), wall), log })
    }

    /// Tells by a condition whether the log takes batches; ends the process when it has failed.
    pub(super) fn watch(&self, ground: &Ground) -> Task {
        let condition = ground.readiness.condition("log");
        Task::new("log health", watch(self.log.clone(), condition, ground.shutdown.clone()))
    }
}

async fn watch(
    log: Embedded,
    condition: Condition,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let mut health = log.health();
    loop {
        match &*health.borrow_and_update() {
            Health::Writable => condition.met(),
            Health::Full(error) => condition.failed(error.to_string()),
            Health::Failed(error) => return Err(error.clone()),
            _ => condition.failed("the log does not take batches"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            changed = health.changed() => if changed.is_err() { return Ok(()) },
        }
    }
}

/// The folder of the log. `WORLDBUS_URL` may name an event-bus for the clients in the same
/// environment; who serves one has the default then.
fn dir(command: &str, from: &Resolved, common: &Common) -> Result<PathBuf> {
    let url = common.url.as_str();
    match url.strip_prefix(SCHEME) {
        Some("") => Err(WrongUse("--url embedded: needs a folder: embedded:DIR".to_owned()).into()),
        Some(dir) => Ok(PathBuf::from(dir)),
        None if matches!(from.origin("url"), Some(Origin::Variable(_))) => {
            tracing::info!(url, "WORLDBUS_URL names a bus for clients; this process has its own");
            Ok(common.data_dir.join("bus"))
        }
        None => {
            let text = format!(
                "{command} has a bus of its own: --url takes embedded:DIR here, not {url:?}; \
                 leave it out for {}/bus",
                common.data_dir.display()
            );
            Err(WrongUse(text).into())
        }
    }
}

//! The embedded bus of `up` and `event-bus`: opened once, its health told by `/readyz`, and the
//! process ended when its disk has failed. Over an engine that keeps no past, the event-bus keeps
//! its own in it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::event_bus::Source;
use super::ground::Ground;
use super::services::all_descriptions;
use super::settings::Retention;
use crate::output::failure::WrongUse;
use crate::session::connection;
use worldbus::BusUrl;
use worldbus_bus::{Bus, Error, SubscriptionName, SystemClock, Topic, WallClock};
use worldbus_event_bus::Mirror;
use worldbus_events::{Catalogue, SharedCatalogue};
use worldbus_service::config::{Common, Origin, Resolved};
use worldbus_service::health::Condition;
use worldbus_service::{CancellationToken, part::Task};
use worldbus_transport_embedded::{Embedded, Health, Options};

/// A bus that this process owns.
pub(super) struct OwnBus {
    pub(super) bus: Bus,
    log: Embedded,
    /// What the log is a copy of, if it is one.
    mirror: Option<Arc<Mirror>>,
}

impl OwnBus {
    /// Opens the log in a directory, to keep what the settings say. It keeps places for the topics
    /// of the catalogue and for the subscriptions of the services.
    pub(super) async fn open(
        dir: PathBuf,
        retention: &Retention,
        catalogue: &SharedCatalogue,
    ) -> Result<Self> {
        // Recovering what a crash left behind takes a while.
        let wall: Arc<dyn WallClock> = Arc::new(SystemClock::default());
        let catalogue = catalogue.clone();
        let options = Options {
            clock: Arc::clone(&wall),
            topics_kept: Arc::new(move || topics(&catalogue.current())),
            subscriptions_kept: all_descriptions()
                .map(|service| SubscriptionName::new(service.name))
                .collect::<Result<_, _>>()?,
            ..retention.options()
        };
        let open = move || Embedded::open(dir, options);
        let log = tokio::task::spawn_blocking(open).await.context("opening the bus")??;
        Ok(Self { bus: Bus::with_wall_clock(Arc::new(log.clone()), wall), log, mirror: None })
    }

    /// Opens the bus of an event-bus: a log of its own, or one beside the engine that the URL
    /// names.
    pub(super) async fn open_for_event_bus(
        url: &BusUrl,
        dir: PathBuf,
        retention: &Retention,
        catalogue: &SharedCatalogue,
    ) -> Result<Self> {
        if !matches!(url, BusUrl::SnsSqs(_)) {
            return Self::open(dir, retention, catalogue).await;
        }
        let engine = connection::open_at(url, None, catalogue.clone()).await?;
        let own = Self::open(dir, retention, catalogue).await?;
        let log = Arc::clone(own.bus.transport());
        let mirror = Arc::new(Mirror::new(Arc::clone(engine.transport()), log));
        let bus = Bus::with_wall_clock(Arc::clone(&mirror) as _, Arc::clone(own.bus.wall()));
        Ok(Self { bus, mirror: Some(mirror), ..own })
    }

    /// Whether its log is a copy of what passes in an engine elsewhere.
    pub(super) fn is_copy(&self) -> bool {
        self.mirror.is_some()
    }

    /// Fills the log from the engine, if it is a copy; `/readyz` tells whether it can.
    pub(super) fn fill(
        &self,
        ground: &Ground,
        source: Source,
        catalogue: &Catalogue,
    ) -> Result<Option<Task>> {
        let Some(mirror) = self.mirror.clone() else { return Ok(None) };
        let topics = topics(catalogue);
        let engine = ground.readiness.condition("engine");
        let fill = move |slot, stop| {
            let (mirror, topics, engine) = (Arc::clone(&mirror), topics.clone(), engine.clone());
            let state = move |error: Option<&Error>| match error {
                None => engine.met(),
                Some(error) => engine.failed(error.to_string()),
            };
            async move { mirror.fill(slot, topics, stop, state).await }
        };
        let shutdown = ground.shutdown.clone();
        Ok(Some(match source {
            Source::Sole(slot) => Task::new("fill log", fill(slot, shutdown)),
            Source::Slots(slots) => {
                let condition = ground.readiness.condition("slot");
                let fill = async move { slots.run(shutdown, condition, fill).await };
                Task::new("fill log", fill)
            }
        }))
    }

    /// Tells by a condition whether the log takes batches; ends the process when it has failed.
    pub(super) fn watch(&self, ground: &Ground) -> Task {
        let condition = ground.readiness.condition("log");
        Task::new("log health", watch(self.log.clone(), condition, ground.shutdown.clone()))
    }
}

/// The topics of a catalogue, which takes no name that is none.
fn topics(catalogue: &Catalogue) -> Vec<Topic> {
    catalogue.topics().filter_map(|name| Topic::new(name).ok()).collect()
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

/// The folder of the log of a command that has a bus of its own. `WORLDBUS_URL` may name an
/// event-bus for the clients in the same environment; who serves one has the default then.
pub(super) fn dir(command: &str, from: &Resolved, common: &Common) -> Result<PathBuf> {
    let url = common.url.as_str();
    let from_environment = matches!(from.origin("url"), Some(Origin::Variable(_)));
    match connection::parse(url)? {
        BusUrl::Embedded(dir) => Ok(dir),
        _ if from_environment => {
            tracing::info!(url, "WORLDBUS_URL names a bus for clients; this process has its own");
            Ok(common.data_dir.join("bus"))
        }
        _ => {
            let text = format!(
                "{command} has a bus of its own: --url takes embedded:DIR here, not {url:?}; \
                 leave it out for {}/bus",
                common.data_dir.display()
            );
            Err(WrongUse(text).into())
        }
    }
}

/// The same of an event-bus, which may have its log beside SNS and SQS.
pub(super) fn dir_of_event_bus(from: &Resolved, common: &Common) -> Result<PathBuf> {
    if matches!(connection::parse(&common.url)?, BusUrl::SnsSqs(_)) {
        return Ok(common.data_dir.join("bus"));
    }
    dir("worldbus event-bus", from, common)
}

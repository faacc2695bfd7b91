//! Where a run happens: connections to the engine, names of the run's own, and their removal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::arguments::BenchArguments;
use super::load::TOPICS_EACH;
use crate::session::{catalogue, connection};
use crate::settings::Client;
use worldbus::BusUrl;
use worldbus_bus::{Bus, Capability, Error, Kind, SubscriptionName, Topic};
use worldbus_events::Catalogue;

/// What all names of ours begin with.
const PREFIX: &str = "worldbus-bench";
/// How long an engine may take to notice that our consumers are gone.
const CLOSED_AFTER_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An engine, and what a run has in it.
pub(super) struct Engine {
    /// Publishes.
    pub(super) bus: Bus,
    /// A connection for each subscription, as services have; an embedded log is opened once.
    pub(super) consuming: Vec<Bus>,
    pub(super) topics: Vec<Topic>,
    /// Of each subscriber, one for each [`TOPICS_EACH`] topics.
    pub(super) subscriptions: Vec<Vec<SubscriptionName>>,
    /// The source of its events.
    pub(super) source: String,
    /// Until it is closed.
    _made: Option<Made>,
}

/// A log that was made for the run, removed with its folder.
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        // Nothing was in the folder before the run.
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "not removed");
        }
    }
}

impl Engine {
    /// Connects, and chooses names.
    pub(super) async fn open(
        url: &BusUrl,
        client: &Client,
        arguments: &BenchArguments,
        run: u32,
    ) -> Result<Self> {
        let own = catalogue::load(&client.types.catalog)?;
        let made = made(url, arguments.keep)?;
        let bus = connect(url, client, &own).await?;
        let mut consuming = Vec::new();
        for _ in 0..arguments.subscribers {
            consuming.push(match url {
                BusUrl::Embedded(_) => bus.clone(),
                _ => connect(url, client, &own).await?,
            });
        }
        // What cannot be deleted is used again by the next run.
        let run = match bus.transport().capabilities().can(Capability::Delete) {
            true => format!("{PREFIX}-{run:08x}"),
            false => PREFIX.to_owned(),
        };
        let topics = (0..arguments.topics).map(|index| Topic::new(&format!("{run}-{index}")));
        let topics = topics.collect::<Result<Vec<_>, _>>()?;
        let subscription = |index: u32, part: usize| match part {
            0 => SubscriptionName::new(&format!("{run}-{index}")),
            part => SubscriptionName::new(&format!("{run}-{index}-{part}")),
        };
        let parts = topics.len().div_ceil(TOPICS_EACH);
        let subscriptions = (0..arguments.subscribers)
            .map(|index| (0..parts).map(|part| subscription(index, part)).collect())
            .collect::<Result<_, _>>()?;
        Ok(Self { bus, consuming, topics, subscriptions, source: run, _made: made })
    }

    /// Deletes what the run made, where the engine can; whether it did.
    pub(super) async fn clean(&self) -> Result<bool, Error> {
        if !self.bus.transport().capabilities().can(Capability::Delete) {
            return Ok(false);
        }
        for name in self.subscriptions.iter().flatten() {
            let delete = || self.bus.transport().delete_subscription(name, true);
            let end = tokio::time::Instant::now() + CLOSED_AFTER_MAX;
            loop {
                match delete().await {
                    Err(error) if error.kind() == Kind::InUse => {
                        if tokio::time::Instant::now() > end {
                            return Err(error);
                        }
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                    deleted => break missing_is_well(deleted)?,
                }
            }
        }
        for topic in &self.topics {
            missing_is_well(self.bus.transport().delete_topic(topic, true).await)?;
        }
        Ok(true)
    }

    /// Closes all connections, then removes a log that was made for the run.
    pub(super) async fn close(self) -> Result<(), Error> {
        for bus in &self.consuming {
            bus.close().await?;
        }
        self.bus.close().await
    }
}

async fn connect(url: &BusUrl, client: &Client, own: &Arc<Catalogue>) -> Result<Bus> {
    connection::open_at(url, client.api_key.as_ref(), Arc::clone(own).into()).await
}

/// A run that was cut short may not have come to some of its topics.
fn missing_is_well(deleted: Result<(), Error>) -> Result<(), Error> {
    match deleted {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        deleted => deleted,
    }
}

/// The folder of a log that is about to be made, as it is missing or empty; any other that holds
/// no log is refused.
fn made(url: &BusUrl, keep: bool) -> Result<Option<Made>> {
    let BusUrl::Embedded(path) = url else { return Ok(None) };
    if is_vacant(path).with_context(|| format!("cannot read {}", path.display()))? {
        return Ok((!keep).then(|| Made(path.clone())));
    }
    connection::check_log(url)?;
    Ok(None)
}

fn is_vacant(path: &Path) -> std::io::Result<bool> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

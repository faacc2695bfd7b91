//! How a verb that uses a bus begins: settings, logs, an open bus, the event types that it knows,
//! and errors that say what to do. Not here: what a serving command begins with (`serve::ground`).

pub(crate) mod by;
pub(crate) mod catalogue;
pub(crate) mod configuration;
pub(crate) mod connection;
pub(crate) mod number;
pub(crate) mod rest;

use std::sync::Arc;

use anyhow::Result;

use crate::output;
use crate::settings::{Client, Publish};
use worldbus_bus::{Bus, Error};
use worldbus_events::Catalogue;
use worldbus_service::config::{Flags, Loaded, Settings};
use worldbus_service::logging;

/// An open bus and how to speak of it.
pub(crate) struct Session {
    pub(crate) bus: Bus,
    pub(crate) url: String,
    /// Ours, those of `--catalog`, and those that the bus knows.
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Session {
    /// Opens the bus that the settings name; `None` after `--print-config`.
    pub(crate) async fn open(flags: &Flags<Client>) -> Result<Option<Self>> {
        let Some(client) = client(flags)? else { return Ok(None) };
        let own = catalogue::load(&client.types.catalog)?;
        let bus = connection::open(&client, &own).await?;
        let catalogue = catalogue::of_bus(&client.url, &bus, &own).await?;
        Ok(Some(Self { bus, url: client.url, catalogue }))
    }

    /// The error with what to do.
    pub(crate) fn explain(&self, error: Error) -> anyhow::Error {
        connection::explain(&self.url, error)
    }
}

/// Settings of a verb that uses a bus.
pub(crate) trait OfClient: Settings {
    fn of_client(&self) -> &Client;
}

impl OfClient for Client {
    fn of_client(&self) -> &Client {
        self
    }
}

impl OfClient for Publish {
    fn of_client(&self) -> &Client {
        &self.client
    }
}

/// The settings, with logs going; `None` after `--print-config`.
pub(crate) fn client<S: OfClient>(flags: &Flags<S>) -> Result<Option<S>> {
    let settings = settings(flags)?;
    if let Some(settings) = &settings {
        let client = settings.of_client();
        logging::init(&client.log, client.log_format);
    }
    Ok(settings)
}

/// The settings; `None` after `--print-config`.
pub(crate) fn settings<S: Settings>(flags: &Flags<S>) -> Result<Option<S>> {
    Ok(loaded(flags)?.map(|loaded| loaded.settings))
}

/// The settings with their origins; `None` after `--print-config`.
pub(crate) fn loaded<S: Settings>(flags: &Flags<S>) -> Result<Option<Loaded<S>>> {
    let loaded = configuration::load(flags)?;
    if flags.print_config {
        output::page(&loaded.print())?;
        return Ok(None);
    }
    Ok(Some(loaded))
}

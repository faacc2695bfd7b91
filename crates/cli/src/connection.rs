//! From settings to an open bus, with errors that say what to do about it.

use std::sync::Arc;

use anyhow::Result;
use worldbus::{ConnectOptions, SpoolOptions};
use worldbus_bus::{Bus, Error, Kind};
use worldbus_events::{Catalogue, SharedCatalogue};
use worldbus_service::Secret;

use crate::catalogue;
use crate::failure::WrongUse;
use crate::settings::{Client, Publish};

/// Opens the bus of a client that wants an answer now.
pub(crate) async fn open(client: &Client, catalogue: &Arc<Catalogue>) -> Result<Bus> {
    open_at(&client.url, client.api_key.as_ref(), Arc::clone(catalogue).into()).await
}

/// The same with the event types that the bus knows beside those of `--catalog`.
pub(crate) async fn open_knowing(client: &Client) -> Result<(Bus, Arc<Catalogue>)> {
    let own = catalogue::load(&client.catalog)?;
    let bus = open(client, &own).await?;
    let catalogue = catalogue::of_bus(&client.url, &bus, &own).await?;
    Ok((bus, catalogue))
}

/// Opens the bus at `url`.
pub(crate) async fn open_at(
    url: &str,
    api_key: Option<&Secret>,
    catalogue: SharedCatalogue,
) -> Result<Bus> {
    let options = ConnectOptions {
        api_key: api_key.map(|key| key.expose().to_owned()),
        catalogue: Some(catalogue),
        ..ConnectOptions::default()
    };
    worldbus::connect_with(url, options).await.map_err(|error| explain(url, error))
}

/// Opens the bus for a publisher, with its spool if it has one.
pub(crate) async fn open_with_spool(settings: &Publish, catalogue: &Arc<Catalogue>) -> Result<Bus> {
    let client = &settings.client;
    let api_key = client.api_key.as_ref().map(|key| key.expose().to_owned());
    let bytes_max = settings.spool_bytes_max;
    let spool = settings.spool_dir.clone().map(|dir| SpoolOptions { dir, bytes_max });
    let options = ConnectOptions { api_key, catalogue: Some(Arc::clone(catalogue).into()), spool };
    let bus = worldbus::connect_with(&client.url, options).await;
    bus.map_err(|error| explain(&client.url, error))
}

/// The error with what to do, as far as it does not say so itself.
pub(crate) fn explain(url: &str, error: Error) -> anyhow::Error {
    let advice = match error.kind() {
        // The transport itself says what to do.
        Kind::Unavailable | Kind::Timeout | Kind::InUse => return error.into(),
        Kind::Invalid => return WrongUse(error.to_string()).into(),
        Kind::Unauthorized => format!("{url} asks for its API key: set WORLDBUS_API_KEY"),
        _ => format!("cannot use {url}"),
    };
    anyhow::Error::new(error).context(advice)
}

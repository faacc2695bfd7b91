//! From settings to an open bus, with errors that say what to do about it.

use std::sync::Arc;

use anyhow::Result;

use crate::output::failure::WrongUse;
use crate::settings::{Client, Publish};
use worldbus::{BusUrl, ConnectOptions, SpoolOptions};
use worldbus_bus::{Bus, Error, Kind};
use worldbus_events::{Catalogue, SharedCatalogue};
use worldbus_service::Secret;
use worldbus_transport_embedded::Embedded;

/// Where a data directory has its log.
const LOG_OF_DATA_DIR: &str = "bus";

/// Opens the bus of a client that wants an answer now.
pub(crate) async fn open(client: &Client, catalogue: &Arc<Catalogue>) -> Result<Bus> {
    let url = parse(&client.url)?;
    check_log(&url)?;
    open_at(&url, client.api_key.as_ref(), Arc::clone(catalogue).into()).await
}

/// Opens the bus at `url`.
pub(crate) async fn open_at(
    url: &BusUrl,
    api_key: Option<&Secret>,
    catalogue: SharedCatalogue,
) -> Result<Bus> {
    let options = ConnectOptions {
        api_key: api_key.map(|key| key.expose().to_owned()),
        catalogue: Some(catalogue),
        ..ConnectOptions::default()
    };
    worldbus::connect_with(url, options).await.map_err(|error| explain(&url.to_string(), error))
}

/// Opens the bus for a publisher, with its spool if it has one.
pub(crate) async fn open_with_spool(settings: &Publish, catalogue: &Arc<Catalogue>) -> Result<Bus> {
    let client = &settings.client;
    let url = parse(&client.url)?;
    check_log(&url)?;
    let api_key = client.api_key.as_ref().map(|key| key.expose().to_owned());
    let bytes_max = settings.spool_bytes_max;
    let spool = settings.spool_dir.clone().map(|dir| SpoolOptions { dir, bytes_max });
    let options = ConnectOptions { api_key, catalogue: Some(Arc::clone(catalogue).into()), spool };
    let bus = worldbus::connect_with(url, options).await;
    bus.map_err(|error| explain(&client.url, error))
}

/// The bus that a setting names, before anything is opened.
pub(crate) fn parse(url: &str) -> Result<BusUrl, WrongUse> {
    url.parse().map_err(|error: Error| WrongUse(error.to_string()))
}

/// A client makes no log: it would answer from an empty one wherever its path is mistyped.
pub(crate) fn check_log(url: &BusUrl) -> Result<(), WrongUse> {
    let BusUrl::Embedded(path) = url else { return Ok(()) };
    if Embedded::is_in(path) {
        return Ok(());
    }
    let dir = path.display();
    let inner = path.join(LOG_OF_DATA_DIR);
    if Embedded::is_in(&inner) {
        let (inner, url) = (inner.display(), BusUrl::embedded(&inner));
        let text = format!("{dir} holds no log, but {inner} does: use --url {url}");
        return Err(WrongUse(text));
    }
    let found = if path.exists() { "holds no log" } else { "does not exist" };
    Err(WrongUse(format!(
        "{url}: {dir} {found}, and clients make none: check the path (`worldbus up` has its log \
         in DATA_DIR/{LOG_OF_DATA_DIR}), or start `worldbus event-bus` there first"
    )))
}

/// The error with what to do, as far as it does not say so itself.
pub(crate) fn explain(url: &str, error: Error) -> anyhow::Error {
    let advice = match error.kind() {
        // The transport itself states what to do.
        Kind::Unavailable | Kind::Timeout | Kind::InUse => return error.into(),
        // It answered: only what it reports is wrong.
        Kind::NotFound | Kind::TooLarge | Kind::Unsupported => return error.into(),
        Kind::Invalid => return WrongUse(error.to_string()).into(),
        Kind::Unauthorized => format!("{url} asks for its API key: set WORLDBUS_API_KEY"),
        _ => format!("cannot use {url}"),
    };
    anyhow::Error::new(error).context(advice)
}

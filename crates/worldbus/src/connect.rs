//! From a URL to a bus.

use crate::BusUrl;
use crate::options::ConnectOptions;
use crate::transport::transport;
use worldbus_bus::{Bus, Error};

/// Opens the bus at a URL, a [`BusUrl`] or its text: `embedded:DIR` (a durable log in a folder,
/// for this process alone), `http://HOST:PORT` (the event-bus of another process; `https://HOST`
/// behind a proxy that ends TLS), or `sns-sqs://REGION?prefix=PREFIX`
/// (SNS topics and SQS queues; credentials and endpoint as every AWS tool takes them).
///
/// `api_key` is what the event-bus asks for beyond loopback; no other bus checks access.
///
/// # Errors
/// `Invalid` for another URL; `Unsupported` for one whose transport is not built in; those of the
/// transport, e.g. `InUse` or `Unavailable`.
pub async fn connect<U>(url: U, api_key: Option<&str>) -> Result<Bus, Error>
where
    U: TryInto<BusUrl>,
    Error: From<U::Error>,
{
    let api_key = api_key.map(str::to_owned);
    connect_with(url, ConnectOptions { api_key, ..ConnectOptions::default() }).await
}

/// As [`connect`], with options.
///
/// With a spool the bus opens although nothing answers at `url`: what is published with
/// `publish_or_spool` is spooled, and goes to the engine when it is there.
///
/// # Errors
/// As [`connect`]; `InUse` if another process has the folder of the spool, `Invalid` if
/// something else is in it or its bound is less than a batch.
pub async fn connect_with<U>(url: U, options: ConnectOptions) -> Result<Bus, Error>
where
    U: TryInto<BusUrl>,
    Error: From<U::Error>,
{
    let url = url.try_into()?;
    #[cfg(feature = "embedded")]
    if let Some(spool) = options.spool.clone() {
        return crate::spool::connect(url, options, spool).await;
    }
    Ok(Bus::new(transport(&url, options).await?))
}

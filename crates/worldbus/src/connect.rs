//! From a URL to a bus: the one place that knows which transports there are.

use std::sync::Arc;
use worldbus_bus::{Bus, Error, Kind, Transport};
use worldbus_events::SharedCatalogue;

/// How [`connect_with`] opens a bus.
#[derive(Clone, Default)]
pub struct ConnectOptions {
    /// What an event-bus asks for beyond loopback; no other bus has a door.
    pub api_key: Option<String>,
    /// The event types, where the transport needs them: over SNS and SQS for filters and JSON.
    /// The built-in ones, if not given.
    pub catalogue: Option<SharedCatalogue>,
    /// Where [`Publisher::publish_or_spool`](crate::Publisher::publish_or_spool) keeps events
    /// while the engine is away; without it they are not kept.
    #[cfg(feature = "embedded")]
    pub spool: Option<crate::SpoolOptions>,
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut options = f.debug_struct("ConnectOptions");
        #[cfg(feature = "embedded")]
        options.field("spool", &self.spool);
        options.finish_non_exhaustive()
    }
}

/// Opens the bus at a URL: `embedded:DIR` (a durable log in a folder, for this process alone),
/// `http://HOST:PORT` (the event-bus of another process; `https://HOST` behind a proxy that ends
/// TLS), or `sns-sqs://REGION?prefix=PREFIX`
/// (SNS topics and SQS queues; credentials and endpoint as every AWS tool takes them).
///
/// `api_key` is what the event-bus asks for beyond loopback; no other bus has a door.
///
/// # Errors
/// `Invalid` for another URL; those of the transport, e.g. `InUse` or `Unavailable`.
pub async fn connect(url: &str, api_key: Option<&str>) -> Result<Bus, Error> {
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
pub async fn connect_with(url: &str, options: ConnectOptions) -> Result<Bus, Error> {
    #[cfg(feature = "embedded")]
    if let Some(spool) = options.spool.clone() {
        return crate::spool::connect(url, options, spool).await;
    }
    Ok(Bus::new(transport(url, options).await?))
}

/// The transport at a URL.
pub(crate) async fn transport(
    url: &str,
    options: ConnectOptions,
) -> Result<Arc<dyn Transport>, Error> {
    let ConnectOptions { api_key, catalogue, .. } = options;
    #[cfg(feature = "embedded")]
    if let Some(dir) = url.strip_prefix("embedded:") {
        if dir.is_empty() {
            return Err(Error::refused(Kind::Invalid, "embedded: needs a folder: embedded:DIR"));
        }
        let options = worldbus_transport_embedded::Options::default();
        return Ok(Arc::new(worldbus_transport_embedded::Embedded::open(dir, options)?));
    }
    #[cfg(feature = "remote")]
    if url.starts_with("http://") || url.starts_with("https://") {
        let api_key = api_key.as_deref().map(worldbus_transport_remote::ApiKey::new).transpose()?;
        let options = worldbus_transport_remote::RemoteOptions { api_key, ..Default::default() };
        return Ok(Arc::new(worldbus_transport_remote::Remote::connect(url, options).await?));
    }
    #[cfg(feature = "sns-sqs")]
    if url.starts_with("sns-sqs://") {
        let mut setup = worldbus_transport_sns_sqs::Setup { variable, ..Default::default() };
        if let Some(catalogue) = catalogue {
            setup.catalogue = catalogue;
        }
        return Ok(Arc::new(worldbus_transport_sns_sqs::SnsSqs::connect(url, setup).await?));
    }
    // Without some features some options are not used.
    let _ = (api_key, catalogue);
    let context = format!(
        "bus URL {url:?}: expected embedded:DIR, http://HOST:PORT, https://HOST or \
         sns-sqs://REGION?prefix=PREFIX, as --url or WORLDBUS_URL"
    );
    Err(Error::refused(Kind::Invalid, context))
}

/// Where topics and queues are stands in the environment, as the rest of AWS's configuration.
#[cfg(feature = "sns-sqs")]
#[expect(clippy::disallowed_methods, reason = "their names are known to the transport alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

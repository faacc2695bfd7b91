//! From a URL to a bus: the one place that opens transports.

use std::sync::Arc;

use crate::BusUrl;
#[cfg(not(all(feature = "embedded", feature = "remote", feature = "sns-sqs")))]
use worldbus_bus::Kind;
use worldbus_bus::{Bus, Error, Transport};
use worldbus_events::SharedCatalogue;

/// How [`connect_with`] opens a bus.
#[derive(Clone, Default)]
pub struct ConnectOptions {
    /// What an event-bus asks for beyond loopback; no other bus checks access.
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

/// The transport at a URL.
pub(crate) async fn transport(
    url: &BusUrl,
    options: ConnectOptions,
) -> Result<Arc<dyn Transport>, Error> {
    let ConnectOptions { api_key, catalogue, .. } = options;
    // Without some features some options are not used.
    let _ = (&api_key, &catalogue);
    match url {
        #[cfg(feature = "embedded")]
        BusUrl::Embedded(dir) => {
            let options = worldbus_transport_embedded::Options::default();
            Ok(Arc::new(worldbus_transport_embedded::Embedded::open(dir, options)?))
        }
        #[cfg(feature = "remote")]
        BusUrl::Remote(url) => {
            use worldbus_transport_remote::{ApiKey, Remote, RemoteOptions};
            let api_key = api_key.as_deref().map(ApiKey::new).transpose()?;
            let options = RemoteOptions { api_key, ..RemoteOptions::default() };
            Ok(Arc::new(Remote::connect(url, options).await?))
        }
        #[cfg(feature = "sns-sqs")]
        BusUrl::SnsSqs(url) => {
            use worldbus_transport_sns_sqs::{Setup, SnsSqs};
            let mut setup = Setup { variable, ..Setup::default() };
            if let Some(catalogue) = catalogue {
                setup.catalogue = catalogue;
            }
            Ok(Arc::new(SnsSqs::connect(url, setup).await?))
        }
        #[cfg(not(all(feature = "embedded", feature = "remote", feature = "sns-sqs")))]
        url => {
            let context = format!(
                "{url}: its transport is not built in; add the feature `embedded`, `remote` or \
                 `sns-sqs` of the crate `worldbus`"
            );
            Err(Error::refused(Kind::Unsupported, context))
        }
    }
}

/// Where topics and queues are stands in the environment, as the rest of AWS's configuration.
#[cfg(feature = "sns-sqs")]
#[expect(clippy::disallowed_methods, reason = "their names are known to the transport alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

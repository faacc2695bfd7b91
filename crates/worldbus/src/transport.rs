//! From a URL to a transport: the one place that opens transports.

use std::sync::Arc;

use crate::BusUrl;
use crate::options::ConnectOptions;
#[cfg(not(all(feature = "embedded", feature = "remote", feature = "sns-sqs")))]
use worldbus_bus::Kind;
use worldbus_bus::{Error, Transport};

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

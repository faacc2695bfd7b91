//! From a URL to a bus: the one place that knows which transports there are.

use worldbus_bus::{Bus, Error, Kind};

/// Opens the bus at a URL: `embedded:DIR` (a durable log in a folder, for this process alone)
/// or `http://HOST:PORT` (the event-bus of another process).
///
/// `api_key` is what the event-bus asks for beyond loopback; the embedded bus has no door.
///
/// # Errors
/// `Invalid` for another URL; those of the transport, e.g. `InUse` or `Unavailable`.
pub async fn connect(url: &str, api_key: Option<&str>) -> Result<Bus, Error> {
    #[cfg(feature = "embedded")]
    if let Some(dir) = url.strip_prefix("embedded:") {
        if dir.is_empty() {
            return Err(Error::refused(Kind::Invalid, "embedded: needs a folder: embedded:DIR"));
        }
        let options = worldbus_transport_embedded::Options::default();
        let transport = worldbus_transport_embedded::Embedded::open(dir, options)?;
        return Ok(Bus::new(std::sync::Arc::new(transport)));
    }
    #[cfg(feature = "remote")]
    if url.starts_with("http://") {
        let api_key = api_key.map(worldbus_transport_remote::ApiKey::new).transpose()?;
        let options = worldbus_transport_remote::RemoteOptions { api_key, ..Default::default() };
        let transport = worldbus_transport_remote::Remote::connect(url, options).await?;
        return Ok(Bus::new(std::sync::Arc::new(transport)));
    }
    let context = format!(
        "bus URL {url:?}: expected embedded:DIR or http://HOST:PORT, as --url or WORLDBUS_URL"
    );
    Err(Error::refused(Kind::Invalid, context))
}

//! How a client reaches the event-bus and how long it tries.

use std::fmt;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};

use worldbus_bus::{Error, Kind};

/// The key that the event-bus asks for beyond loopback. Its `Debug` prints nothing of it.
#[derive(Clone)]
pub struct ApiKey(MetadataValue<Ascii>);

impl ApiKey {
    /// A key as it stands in `WORLDBUS_API_KEY`.
    ///
    /// # Errors
    /// `Invalid` if it cannot stand in a header: it is empty or not printable ASCII.
    pub fn new(key: &str) -> Result<Self, Error> {
        let refused = || {
            let context = "the API key must be printable ASCII without spaces: correct \
                           WORLDBUS_API_KEY";
            Error::refused(Kind::Invalid, context)
        };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused());
        }
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {key}").parse().map_err(|_| refused())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> &MetadataValue<Ascii> {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// How a client reaches the event-bus and how long it tries.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// The key, if the event-bus asks for one.
    pub api_key: Option<ApiKey>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a call may take. After it the fate of a publish is unknown.
    pub call_timeout: Duration,
    /// How long a consumer or a reader that lost its connection tries to get it back before
    /// it fails.
    pub reconnect_for: Duration,
}

impl Default for RemoteOptions {
    /// No key; 5 s to connect, 10 s a call, an hour to reconnect.
    fn default() -> Self {
        Self {
            api_key: None,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(10),
            reconnect_for: Duration::from_secs(3600),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_never_printed() {
        let options =
            RemoteOptions { api_key: ApiKey::new("swordfish").ok(), ..RemoteOptions::default() };
        assert!(options.api_key.is_some());
        assert!(!format!("{options:?}").contains("swordfish"));
    }

    #[test]
    fn key_that_no_header_can_carry_is_refused_without_showing_it() {
        for wrong in ["", "two words", "line\n", "schlüssel"] {
            let error = ApiKey::new(wrong).expect_err("refused");
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(wrong.is_empty() || !error.context().contains(wrong), "{error}");
        }
    }
}

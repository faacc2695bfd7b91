//! Where a bus is, as people write it: one text that chooses the transport and names its
//! engine. The one place that knows the schemes.
//!
//! Not here: what a URL may say behind its scheme, which each transport knows of its own.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use worldbus_bus::{Error, Kind};

const EMBEDDED: &str = "embedded:";
const HTTP: &str = "http://";
const HTTPS: &str = "https://";
const SNS_SQS: &str = "sns-sqs://";

/// Bytes of a text that is no URL of a bus that its refusal repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// The URL of a bus, for [`connect`](crate::connect()): `embedded:DIR`, `http://HOST:PORT`,
/// `https://HOST` or `sns-sqs://REGION?prefix=PREFIX`.
///
/// ```
/// use worldbus::BusUrl;
///
/// let url: BusUrl = "embedded:/var/lib/worldbus/bus".parse()?;
/// assert_eq!(url, BusUrl::Embedded("/var/lib/worldbus/bus".into()));
/// assert_eq!(url.to_string(), "embedded:/var/lib/worldbus/bus");
/// assert!("ftp://host".parse::<BusUrl>().is_err());
/// # Ok::<(), worldbus::Error>(())
/// ```
///
/// A URL that was parsed is as its transport wants it; nothing was connected to. Whether the
/// transport is built into this program shows when it is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusUrl {
    /// `embedded:DIR`: a durable log in a folder, for one process alone.
    Embedded(PathBuf),
    /// `http://HOST:PORT` or `https://HOST`, whole: the event-bus of another process.
    Remote(String),
    /// `sns-sqs://REGION?prefix=PREFIX`, whole: SNS topics and SQS queues.
    SnsSqs(String),
}

impl BusUrl {
    /// The URL of the log in a folder.
    pub fn embedded(dir: impl Into<PathBuf>) -> Self {
        Self::Embedded(dir.into())
    }
}

impl FromStr for BusUrl {
    type Err = Error;

    /// # Errors
    /// `Invalid` for a scheme that no transport has, without a folder, and for what the transport
    /// does not take behind its scheme.
    fn from_str(url: &str) -> Result<Self, Error> {
        if let Some(dir) = url.strip_prefix(EMBEDDED) {
            return match dir {
                "" => Err(invalid(url, "it names no folder; ")),
                dir => Ok(Self::Embedded(dir.into())),
            };
        }
        if url.starts_with(HTTP) || url.starts_with(HTTPS) {
            #[cfg(feature = "remote")]
            worldbus_transport_remote::Remote::check_url(url)?;
            return Ok(Self::Remote(url.to_owned()));
        }
        if url.starts_with(SNS_SQS) {
            #[cfg(feature = "sns-sqs")]
            worldbus_transport_sns_sqs::Options::parse(url)?;
            return Ok(Self::SnsSqs(url.to_owned()));
        }
        Err(invalid(url, ""))
    }
}

fn invalid(url: &str, why: &str) -> Error {
    let shown = &url[..url.floor_char_boundary(SHOWN_BYTES_MAX)];
    let context = format!(
        "bus URL {shown:?}: {why}expected embedded:DIR, http://HOST:PORT, https://HOST or \
         sns-sqs://REGION?prefix=PREFIX, as --url or WORLDBUS_URL"
    );
    Error::refused(Kind::Invalid, context)
}

impl fmt::Display for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(dir) => write!(f, "{EMBEDDED}{}", dir.display()),
            Self::Remote(url) | Self::SnsSqs(url) => f.write_str(url),
        }
    }
}

impl TryFrom<&str> for BusUrl {
    type Error = Error;

    fn try_from(url: &str) -> Result<Self, Error> {
        url.parse()
    }
}

impl TryFrom<&String> for BusUrl {
    type Error = Error;

    fn try_from(url: &String) -> Result<Self, Error> {
        url.parse()
    }
}

impl TryFrom<String> for BusUrl {
    type Error = Error;

    fn try_from(url: String) -> Result<Self, Error> {
        url.parse()
    }
}

impl From<&Self> for BusUrl {
    fn from(url: &Self) -> Self {
        url.clone()
    }
}

#[cfg(test)]
mod tests;

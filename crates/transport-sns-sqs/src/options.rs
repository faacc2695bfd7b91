//! The URL of the transport, `sns-sqs://REGION?prefix=…`, and what can be set in it.

use std::time::Duration;

use crate::names::{DEFAULT_PREFIX, Names};
use worldbus_bus::{Error, Kind};
use worldbus_events::ContentType;

/// The scheme.
const SCHEME: &str = "sns-sqs://";
/// Within every reading of the limit of 256 KiB, also where Binary counts as base64.
const MESSAGE_BYTES_DEFAULT: usize = 180 << 10;
const MESSAGE_KIB: std::ops::RangeInclusive<usize> = 1..=180;
const POLLERS: std::ops::RangeInclusive<usize> = 1..=16;
/// A linger longer than this is a mistake of the unit.
const LINGER_MS_MAX: u64 = 60_000;

/// How batches are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// EventBatch in a Binary attribute.
    #[default]
    Protobuf,
    /// The same in zstd: worth its time where a batch is more than 64 KiB, the unit of billing.
    Zstd,
    /// The JSON form in the body, for consumers that know nothing else. Some ten times the
    /// bytes.
    Json,
}

impl Encoding {
    pub(crate) fn content_type(self) -> ContentType {
        match self {
            Self::Protobuf => ContentType::EventBatch,
            Self::Zstd => ContentType::EventBatchZstd,
            Self::Json => ContentType::Json,
        }
    }
}

/// What a URL sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The AWS region, e.g. `us-east-1`.
    pub region: String,
    /// What all names begin with: `prefix`, by default `gaming-system`.
    pub names: Names,
    /// `encoding`: `protobuf` (default), `zstd` or `json`.
    pub encoding: Encoding,
    /// `linger_ms`: how long a batch waits for more events. Each request costs; see
    /// [`Options::LINGER_DEFAULT`].
    pub linger: Duration,
    /// `message_kib`: bytes of a batch in one message, 1 to 180 KiB (default).
    pub message_bytes_max: usize,
    /// `pollers`: requests for messages at once, 1 to 16, by default 2. One polls always, the
    /// others while polls come back full.
    pub pollers: usize,
    /// `create=true`: topics, queues and subscriptions are created on use. For development;
    /// `worldbus topology apply` does it once and for all.
    pub create: bool,
}

impl Options {
    /// The linger unless the URL sets another: `docs/adr/0004-linger.md` has the reasons.
    pub const LINGER_DEFAULT: Duration = Duration::from_millis(50);

    /// Options for a region with defaults.
    ///
    /// # Errors
    /// As [`Names::new`].
    pub fn new(region: &str, prefix: &str) -> Result<Self, Error> {
        Ok(Self {
            region: region.to_owned(),
            names: Names::new(prefix)?,
            encoding: Encoding::default(),
            linger: Self::LINGER_DEFAULT,
            message_bytes_max: MESSAGE_BYTES_DEFAULT,
            pollers: 2,
            create: false,
        })
    }

    /// Reads `sns-sqs://REGION?prefix=gaming-system&…`.
    ///
    /// # Errors
    /// `Invalid`, saying what was expected.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |why: String| {
            let context = format!(
                "{url:.200?} is not the address of an SNS/SQS bus: {why}; expected \
                 sns-sqs://REGION?prefix=PREFIX, e.g. sns-sqs://us-east-1?prefix=gaming-system"
            );
            Error::refused(Kind::Invalid, context)
        };
        let rest = url.strip_prefix(SCHEME).ok_or_else(|| wrong(format!("no {SCHEME}")))?;
        let (region, query) = rest.split_once('?').unwrap_or((rest, ""));
        let letters =
            region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if region.is_empty() || !letters {
            return Err(wrong(format!("{region:.80?} is no region")));
        }
        let mut options = Self::new(region, DEFAULT_PREFIX)?;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            options.set(&name, &value).map_err(|why| wrong(format!("{name}: {why}")))?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "prefix" => self.names = Names::new(value).map_err(|error| error.to_string())?,
            "encoding" => self.encoding = encoding(value)?,
            "linger_ms" => {
                self.linger = Duration::from_millis(number(value, &(0..=LINGER_MS_MAX))?)
            }
            "message_kib" => self.message_bytes_max = number(value, &MESSAGE_KIB)? << 10,
            "pollers" => self.pollers = number(value, &POLLERS)?,
            "create" => self.create = value.parse().map_err(|_| "expected true or false")?,
            _ => {
                let known = "prefix, encoding, linger_ms, message_kib, pollers, create";
                return Err(format!("not a setting; expected one of {known}"));
            }
        }
        Ok(())
    }
}

fn encoding(value: &str) -> Result<Encoding, String> {
    match value {
        "protobuf" => Ok(Encoding::Protobuf),
        "zstd" => Ok(Encoding::Zstd),
        "json" => Ok(Encoding::Json),
        _ => Err("expected protobuf, zstd or json".to_owned()),
    }
}

fn number<N>(value: &str, range: &std::ops::RangeInclusive<N>) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("expected a number from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_enough() {
        let options = Options::parse("sns-sqs://eu-west-1").unwrap();
        assert_eq!(options, Options::new("eu-west-1", "gaming-system").unwrap());
        assert_eq!((options.message_bytes_max, options.create), (180 << 10, false));
    }

    #[test]
    fn everything_can_be_set() {
        let url = "sns-sqs://us-east-1?prefix=town&encoding=zstd&linger_ms=0&message_kib=60\
                   &pollers=4&create=true";
        let options = Options::parse(url).unwrap();
        assert_eq!(options.names.prefix(), "town");
        assert_eq!((options.encoding, options.linger), (Encoding::Zstd, Duration::ZERO));
        assert_eq!((options.message_bytes_max, options.pollers), (60 << 10, 4));
        assert!(options.create);
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for wrong in [
            "",
            "sns-sqs://",
            "sns-sqs://US EAST",
            "sqs://us-east-1",
            "sns-sqs://us-east-1?prefx=town",
            "sns-sqs://us-east-1?prefix=",
            "sns-sqs://us-east-1?encoding=xml",
            "sns-sqs://us-east-1?linger_ms=-1",
            "sns-sqs://us-east-1?message_kib=181",
            "sns-sqs://us-east-1?pollers=0",
            "sns-sqs://us-east-1?create=yes",
        ] {
            let error = Options::parse(wrong).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.context().contains("sns-sqs://us-east-1?prefix="), "{error}");
        }
    }
}

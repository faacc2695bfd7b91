//! How a bus is opened.

#[cfg(feature = "embedded")]
use std::path::PathBuf;

use worldbus_events::SharedCatalogue;

/// How [`connect_with`](crate::connect_with) opens a bus.
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
    pub spool: Option<SpoolOptions>,
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut options = f.debug_struct("ConnectOptions");
        #[cfg(feature = "embedded")]
        options.field("spool", &self.spool);
        options.finish_non_exhaustive()
    }
}

/// The spool of a bus.
#[cfg(feature = "embedded")]
#[derive(Debug, Clone)]
pub struct SpoolOptions {
    /// Its folder; created if need be. One process at a time. The events in it are for the
    /// engine that the bus is opened over: another URL, another folder.
    pub dir: PathBuf,
    /// Bytes of batches that it holds; beyond them publishers wait. At least 2 MiB.
    pub bytes_max: u64,
}

#[cfg(feature = "embedded")]
impl SpoolOptions {
    /// The default of [`SpoolOptions::bytes_max`].
    pub const BYTES_MAX: u64 = 256 << 20;

    /// A spool of 256 MiB.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), bytes_max: Self::BYTES_MAX }
    }
}

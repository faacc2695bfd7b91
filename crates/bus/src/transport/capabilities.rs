//! What a transport can do, as data, so that asking for more is an error and never silence.

use std::time::Duration;

use crate::error::{Error, Kind};

/// Something that not every transport can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Events of one producer arrive in the order of their publication.
    OrderPerProducer,
    /// Reading from the start, an offset or a time in the past.
    Replay,
    /// The engine itself leaves out batches that a filter by event type does not admit.
    FilterByType,
    /// The same by entity.
    FilterByEntity,
    /// The same by place.
    FilterByPlace,
    /// The engine drops an event whose id it has, within a bounded window.
    DropDuplicates,
    /// An ack after the end of the lease counts until the delivery was given to another consumer.
    /// Without it such an ack is always `LeaseLost`, and the delivery comes again.
    LateAck,
    /// Topics and subscriptions are listed and deleted.
    Delete,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OrderPerProducer,
        Self::Replay,
        Self::FilterByType,
        Self::FilterByEntity,
        Self::FilterByPlace,
        Self::DropDuplicates,
        Self::LateAck,
        Self::Delete,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderPerProducer => "order_per_producer",
            Self::Replay => "replay",
            Self::FilterByType => "filter_by_type",
            Self::FilterByEntity => "filter_by_entity",
            Self::FilterByPlace => "filter_by_place",
            Self::DropDuplicates => "drop_duplicates",
            Self::LateAck => "late_ack",
            Self::Delete => "delete",
        }
    }
}

/// What a transport can do and how much it takes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The transport's name: `embedded`, `remote`, …
    pub transport: &'static str,
    /// What it can do.
    pub has: Vec<Capability>,
    /// Bytes of one event's payload.
    pub payload_bytes_max: usize,
    /// Bytes of one batch: the publisher's budget.
    pub batch_bytes_max: usize,
    /// How long a publisher should let a batch wait for more events: zero, unless the engine
    /// charges by the request.
    pub linger: Duration,
}

impl Capabilities {
    /// Whether the transport can do it.
    pub fn can(&self, capability: Capability) -> bool {
        self.has.contains(&capability)
    }

    /// Refuses what the transport cannot do.
    ///
    /// # Errors
    /// `Unsupported`, naming transport and capability.
    pub fn require(&self, capability: Capability) -> Result<(), Error> {
        if self.can(capability) {
            return Ok(());
        }
        let context = format!(
            "the {} transport cannot do {}; choose another by WORLDBUS_URL",
            self.transport,
            capability.name()
        );
        Err(Error::refused(Kind::Unsupported, context))
    }
}

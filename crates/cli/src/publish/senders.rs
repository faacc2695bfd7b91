//! Publishers by source and world: lines may name their own.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::arguments::PublishArguments;
use crate::output::failure::complain;
use worldbus_bus::{
    Bus, Error, Kind, Outgoing, PendingReceipt, Publisher, PublisherOptions, Topic,
};
use worldbus_events::{Catalogue, json};
use worldbus_service::CancellationToken;

/// Pairs of source and world in one run; each has buffers of its own.
const SENDERS_MAX: usize = 64;

/// The world of events that name none, over a bus that has none: the built-in one.
const WORLD: &str = "europe";

/// The publishers of one run.
pub(super) struct Senders {
    bus: Bus,
    source: String,
    world: String,
    entity: Option<String>,
    place: Option<String>,
    /// How long events are tried, if not as long as usual.
    patience: Option<Duration>,
    /// Nothing goes out behind an event that failed, whichever publisher's.
    halt: CancellationToken,
    publishers: HashMap<(String, String), Publisher>,
    /// Event types that were cautioned about, once a run.
    cautioned: BTreeSet<u32>,
}

impl Senders {
    /// No publisher yet; what a line leaves out is taken from the command line.
    pub(super) fn new(bus: Bus, arguments: &PublishArguments, patience: Option<Duration>) -> Self {
        let named = arguments.world.as_deref().or(bus.transport().world());
        if named.is_none() && bus.transport().capabilities().transport == "remote" {
            complain(&format!(
                "warning: the world of the event-bus is unknown while it is away: events that name \
                 none go to {WORLD}; --world names another"
            ));
        }
        let world = named.unwrap_or(WORLD).to_owned();
        Self {
            bus,
            source: arguments.source.clone(),
            world,
            entity: arguments.entity.clone(),
            place: arguments.place.clone(),
            patience,
            halt: CancellationToken::new(),
            publishers: HashMap::new(),
            cautioned: BTreeSet::new(),
        }
    }

    /// Hands an event to its publisher, waiting for room. It may be spooled.
    ///
    /// # Errors
    /// `Refused` if this event cannot be published; the next may.
    pub(super) async fn send(
        &mut self,
        event: &json::Input,
        catalogue: &Catalogue,
    ) -> Result<PendingReceipt, Error> {
        let Some(event_type) = catalogue.by_number(event.event_type) else {
            let context = format!(
                "event type {}: its topic is not known; name its catalogue by --catalog",
                event.event_type
            );
            return Err(Error::refused(Kind::Invalid, context));
        };
        let topic = Topic::new(event_type.topic())?;
        if self.cautioned.insert(event_type.number())
            && let Some(caution) = catalogue.caution(event_type)
        {
            complain(&format!("warning: {caution}"));
        }
        let outgoing = Outgoing {
            event_type: event.event_type,
            id: event.id,
            timestamp_ms: event.timestamp_ms,
            entity: event.entity.as_deref().or(self.entity.as_deref()),
            place: event.place.as_deref().or(self.place.as_deref()),
            payload: &event.payload,
            metadata: (!event.metadata.is_empty()).then_some(&event.metadata),
            parent: None,
        };
        let source = event.source.as_ref().unwrap_or(&self.source).clone();
        let world = event.world.as_ref().unwrap_or(&self.world).clone();
        let key = (source, world);
        if !self.publishers.contains_key(&key) {
            if self.publishers.len() == SENDERS_MAX {
                let context =
                    format!("more than {SENDERS_MAX} pairs of source and world in one run");
                return Err(Error::refused(Kind::TooLarge, context));
            }
            let mut options = PublisherOptions::new(&key.0, &key.1);
            options.timeout = self.patience.unwrap_or(options.timeout);
            options.halt = Some(self.halt.clone());
            let publisher = self.bus.publisher_with(options);
            self.publishers.insert(key.clone(), publisher);
        }
        self.publishers[&key].enqueue_raw_or_spool(&topic, outgoing).await
    }
}

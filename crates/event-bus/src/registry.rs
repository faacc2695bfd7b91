//! The event types of studios that were registered at this event-bus: kept in the state store, so
//! that they are there after any restart and in all instances that share the store, and joined with
//! those that the process was started with. Not for: what may be added to what
//! (`worldbus_events::Catalogue::extended`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use worldbus_bus::{Error, Fate, Kind, RegisteredType, StudioTypes};
use worldbus_events::{Catalogue, Extension, Owner, SharedCatalogue};
use worldbus_rpc::limits::CATALOGUE_BYTES_MAX;
use worldbus_service::StateStore;
use worldbus_service::state::{self, VALUE_BYTES_MAX};

/// Where the state store has the registered files: a FileDescriptorSet.
const KEY: &str = "catalogue";
/// Bytes of all registered files: what one value of the state store takes.
pub const REGISTERED_BYTES_MAX: usize = VALUE_BYTES_MAX;
/// Topics of all registered event types: half of those that a log has places for.
pub const REGISTERED_TOPIC_COUNT_MAX: usize = 128;
/// How often what other instances registered is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The catalogue of an event-bus, and what of it was registered.
#[derive(Debug)]
pub struct Registry {
    state: Arc<dyn StateStore>,
    /// What the process was started with.
    configured: Arc<Catalogue>,
    /// All registered files, as they were last seen in the state store. Held while they change.
    registered: Mutex<Bytes>,
    shared: SharedCatalogue,
}

impl Registry {
    /// Reads what was registered, to be known in addition to `configured`.
    ///
    /// # Errors
    /// Those of the state store; `Invalid` if what is kept conflicts with `configured`, naming
    /// both sides.
    pub async fn open(
        state: Arc<dyn StateStore>,
        configured: Arc<Catalogue>,
    ) -> Result<Self, Error> {
        let StudioTypes { registered, .. } = Self::kept(&*state).await?;
        let whole = configured.joined(&registered).map_err(|error| {
            let context = format!(
                "the registered event types and those of --catalog conflict: {error}; leave out \
                 --catalog, or give a file that has all that was registered"
            );
            Error::refused(Kind::Invalid, context).with_source(error)
        })?;
        let (registered, shared) = (Mutex::new(registered), SharedCatalogue::from(whole));
        Ok(Self { state, configured, registered, shared })
    }

    /// What an event-bus registered in a state store that it shares with others.
    ///
    /// # Errors
    /// Those of the state store.
    pub async fn kept(state: &dyn StateStore) -> Result<StudioTypes, Error> {
        let entry = state.get(KEY).await.map_err(of_state)?;
        let registered = entry.map(|entry| Bytes::from(entry.value)).unwrap_or_default();
        Ok(StudioTypes { registered, ..StudioTypes::default() })
    }

    /// The catalogue that the process shares.
    pub fn shared(&self) -> &SharedCatalogue {
        &self.shared
    }

    /// Adds the event types of a FileDescriptorSet, durably; all of them or none. They are in the
    /// shared catalogue when this returns.
    ///
    /// # Errors
    /// `Invalid` for a malformed set, or one that conflicts with what is there or uses a topic of
    /// Worldbus, naming both sides; `TooLarge` beyond [`REGISTERED_BYTES_MAX`] or
    /// [`REGISTERED_TOPIC_COUNT_MAX`]; those of the state store.
    pub async fn register(&self, set: &[u8]) -> Result<Vec<RegisteredType>, Error> {
        let mut registered = self.registered.lock().await;
        let mut outcome = None;
        let change = |kept: Option<&[u8]>| -> Result<Vec<u8>, Refusal> {
            let before = Catalogue::builtin().with_descriptor_set(kept.unwrap_or_default())?;
            let extension = before.extended(set)?;
            check(&extension)?;
            let bytes = extension.catalogue.studio_set();
            check_bytes(bytes.len())?;
            let whole = self.configured.joined(&bytes)?;
            outcome = Some((whole, extension.types, Bytes::from(bytes.clone())));
            Ok(bytes)
        };
        state::update(&*self.state, KEY, change).await.map_err(|Refusal(error)| error)?;
        let Some((whole, types, bytes)) = outcome else { return Ok(Vec::new()) };
        self.shared.replace(whole);
        *registered = bytes;
        let types = types.into_iter().map(|(of, change)| RegisteredType {
            number: of.number(),
            name: of.name().to_owned(),
            topic: of.topic().to_owned(),
            change,
        });
        Ok(types.collect())
    }

    /// What is known besides Worldbus's own event types.
    ///
    /// # Errors
    /// `TooLarge` if it is more than a client is given, which only `--catalog` can bring about.
    pub async fn studio_types(&self) -> Result<StudioTypes, Error> {
        let configured = Bytes::from(self.configured.studio_set());
        let registered = self.registered.lock().await.clone();
        let bytes = registered.len() + configured.len();
        if bytes > CATALOGUE_BYTES_MAX {
            let context = format!(
                "the event types of studios have {bytes} bytes, more than the \
                 {CATALOGUE_BYTES_MAX} that are handed out; give their file by --catalog FILE"
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        Ok(StudioTypes { registered, configured })
    }

    /// Takes over what other instances registered.
    ///
    /// # Errors
    /// Those of the state store; `Invalid` if it conflicts with what this process was started
    /// with. Then the shared catalogue stays as it is.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut registered = self.registered.lock().await;
        let StudioTypes { registered: kept, .. } = Self::kept(&*self.state).await?;
        if kept != *registered {
            self.shared.replace(self.configured.joined(&kept)?);
            *registered = kept;
        }
        Ok(())
    }

    /// Takes over what other instances register, until shutdown.
    pub async fn follow(&self, shutdown: CancellationToken) {
        let following = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "registered event types not read; retrying");
                }
            }
        };
        shutdown.run_until_cancelled(following).await;
    }
}

/// Refuses a set without event types, on a topic of Worldbus, or with too many topics.
fn check(extension: &Extension) -> Result<(), Error> {
    if extension.types.is_empty() {
        let context = "the descriptor set has no event type of a studio: set the option \
                       (worldbus.events.v1.event_type) on its payload messages";
        return Err(Error::refused(Kind::Invalid, context));
    }
    let builtin = Catalogue::builtin();
    for (of, _) in &extension.types {
        if let Some(owner) = builtin.iter().find(|own| own.topic() == of.topic()) {
            let (topic, like) = (of.topic(), owner.name());
            let context = format!(
                "{of}: topic {topic} is Worldbus's own, of {like} for example; choose another"
            );
            return Err(Error::refused(Kind::Invalid, context));
        }
    }
    let of_studios = extension.catalogue.iter().filter(|of| of.owner() == Owner::Studio);
    let topics = of_studios.map(|of| of.topic()).collect::<BTreeSet<_>>().len();
    if topics > REGISTERED_TOPIC_COUNT_MAX {
        let context = format!(
            "registered event types would have {topics} topics; at most \
             {REGISTERED_TOPIC_COUNT_MAX} fit: let some share one"
        );
        return Err(Error::refused(Kind::TooLarge, context));
    }
    Ok(())
}

fn check_bytes(bytes: usize) -> Result<(), Error> {
    if bytes <= REGISTERED_BYTES_MAX {
        return Ok(());
    }
    let context = format!(
        "registered files would have {bytes} bytes; at most {REGISTERED_BYTES_MAX} fit: leave \
         their source info out, or start the event-bus with --catalog FILE"
    );
    Err(Error::refused(Kind::TooLarge, context))
}

/// Why nothing was registered.
struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<worldbus_events::Error> for Refusal {
    fn from(error: worldbus_events::Error) -> Self {
        Self(error.into())
    }
}

impl From<state::Error> for Refusal {
    fn from(error: state::Error) -> Self {
        Self(of_state(error))
    }
}

fn of_state(error: state::Error) -> Error {
    let fate = match error.fate() {
        state::Fate::Refused => Fate::Refused,
        state::Fate::Retry => Fate::Retry,
        state::Fate::Unknown => Fate::Unknown,
    };
    let context = format!("failed to read or write registered event types: {error}");
    Error::refused(Kind::Unavailable, context).with_fate(fate).with_source(error)
}

#[cfg(test)]
mod tests;

//! The overrides of the weather as the instances share them: what the weather-manager announced,
//! kept in the service's own state. Not here: what they do to the weather (`world`), weather that
//! no weather-manager announces (`changes`).

mod changes;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use worldbus_bus::trace::TraceParent;
use worldbus_events::prost::Message as _;
use worldbus_events::v1::WeatherOverridesAnnounced;
use worldbus_service::StateStore;
use worldbus_service::health::Condition;
use worldbus_service::state::{self, Error, Kind, VALUE_BYTES_MAX};
use worldbus_simulated::follow::{Follow, NotKept};
use worldbus_simulated::weather::{OverridesFollower, announce};
use worldbus_simulated::{Causes, Wake};
use worldbus_world::{Timeline, WallTime};

/// What is to be done until the weather is known.
pub(crate) const WAITS: &str = "no weather was announced yet: waiting for a weather-manager's \
                                weather.overrides_announced on the bus, which comes every few \
                                seconds, or for weather.changed of a service of your own";

pub(crate) use changes::{Changes, SharedChanges};

/// The weather that people follow: of a weather-manager, or of a studio's own service.
#[derive(Clone, Debug)]
pub(crate) struct Sky {
    /// The overrides; of another service's weather none.
    pub(crate) timeline: Arc<Timeline>,
    /// What was received, where no weather-manager announced overrides.
    pub(crate) changes: Option<Arc<Changes>>,
}

impl Sky {
    /// Whether this is the very same, and nothing else is known.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let changes = match (&self.changes, &other.changes) {
            (Some(these), Some(those)) => Arc::ptr_eq(these, those),
            (None, None) => true,
            _ => false,
        };
        changes && Arc::ptr_eq(&self.timeline, &other.timeline)
    }
}

/// The overrides of a world's weather, as far as this instance knows them.
pub(crate) struct SharedOverrides {
    store: Arc<dyn StateStore>,
    key: String,
    received: Condition,
    /// Puts the parts of announcements together.
    parts: Mutex<OverridesFollower>,
    timeline: watch::Sender<Option<Arc<Timeline>>>,
    causes: Causes,
    wake: Wake,
}

impl fmt::Debug for SharedOverrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedOverrides").field("key", &self.key).finish_non_exhaustive()
    }
}

impl SharedOverrides {
    /// Restores what is kept under `key`. `received` is met once there is something.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value is no announcement.
    pub(crate) async fn open(
        store: Arc<dyn StateStore>,
        key: String,
        received: Condition,
        causes: Causes,
        wake: Wake,
    ) -> Result<Self, Error> {
        let (parts, timeline) = (Mutex::default(), watch::Sender::new(None));
        let this = Self { store, key, received, parts, timeline, causes, wake };
        this.received.failed(WAITS);
        this.read().await?;
        Ok(this)
    }

    /// The overrides; none until they were announced.
    pub(crate) fn timeline(&self) -> Option<Arc<Timeline>> {
        self.timeline.borrow().clone()
    }

    /// Reads what other instances received.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value is no announcement.
    pub(crate) async fn read(&self) -> Result<(), Error> {
        if let Some(entry) = self.store.get(&self.key).await? {
            self.show(decode(&entry.value)?);
        }
        Ok(())
    }

    /// Keeps overrides for all instances, unless later ones are kept.
    async fn keep(&self, timeline: Timeline) -> Result<(), NotKept> {
        let bytes = encode(&timeline);
        if bytes.len() > VALUE_BYTES_MAX {
            let text = format!("overrides of {} bytes are more than the state takes", bytes.len());
            return Err(NotKept::Invalid(text));
        }
        let kept = state::update(&*self.store, &self.key, |current| {
            match current.map(decode).transpose() {
                Ok(Some(there)) if !is_news(&timeline, &there) => Err(Unkept::Known),
                Ok(_) => Ok(bytes.clone()),
                Err(error) => Err(Unkept::Store(error)),
            }
        });
        match kept.await {
            Ok(_) | Err(Unkept::Known) => {}
            Err(Unkept::Store(error)) => return Err(error.into()),
        }
        self.show(timeline);
        Ok(())
    }

    fn show(&self, timeline: Timeline) {
        let is_new = self.timeline.send_if_modified(|shown| {
            let is_new = shown.as_ref().is_none_or(|known| is_news(&timeline, known));
            if is_new {
                *shown = Some(Arc::new(timeline));
            }
            is_new
        });
        self.received.met();
        if is_new {
            self.wake.wake();
        }
    }
}

impl Follow for SharedOverrides {
    type Announcement = WeatherOverridesAnnounced;

    async fn receive(
        &self,
        part: &WeatherOverridesAnnounced,
        cause: Option<TraceParent>,
    ) -> Result<(), NotKept> {
        if let Some(last) = part.commands.last() {
            self.causes.note_that(last.effective_wall_us, cause);
        }
        let announced = {
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            let whole = parts.receive(part.clone());
            whole.map_err(|error| NotKept::Invalid(error.to_string()))?;
            parts.timeline().cloned()
        };
        // Also where another reader received it just now: it may not have kept it yet.
        let shown = self.timeline();
        let is_new =
            |timeline: &Timeline| shown.as_ref().is_none_or(|known| is_news(timeline, known));
        match announced.filter(is_new) {
            Some(timeline) => self.keep(timeline).await,
            None => Ok(()),
        }
    }
}

/// Whether what was announced last replaces what is known: of one revision another announcement
/// does, as where the clock was resumed and commands take effect at other times.
fn is_news(announced: &Timeline, known: &Timeline) -> bool {
    announced.rev >= known.rev && announced != known
}

enum Unkept {
    Known,
    Store(Error),
}

impl From<Error> for Unkept {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// The announcement's parts, each with its length before it.
fn encode(timeline: &Timeline) -> Vec<u8> {
    let parts = announce(timeline, 0, WallTime(0));
    parts.iter().flat_map(|part| part.encode_length_delimited_to_vec()).collect()
}

fn decode(bytes: &[u8]) -> Result<Timeline, Error> {
    let damaged = |why: String| {
        let text =
            format!("the weather's overrides are damaged in the state store ({why}); delete them");
        Error::new(Kind::Damaged, text)
    };
    let (mut follower, mut rest) = (OverridesFollower::default(), bytes);
    while !rest.is_empty() {
        let part = WeatherOverridesAnnounced::decode_length_delimited(&mut rest);
        let part = part.map_err(|error| damaged(error.to_string()))?;
        follower.receive(part).map_err(|error| damaged(error.to_string()))?;
    }
    follower.timeline().cloned().ok_or_else(|| damaged("a part is missing".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_service::Readiness;
    use worldbus_testkit::Place;
    use worldbus_world::{Effective, GameTime, Override, Overrides, WeatherState};

    #[test]
    fn overrides_are_kept_as_they_were_announced() {
        let kind =
            worldbus_world::Kind::SetState { state: WeatherState::Storm, intensity_permille: 700 };
        let mut record = Override::new(vec!["paris".to_owned()], kind, GameTime(5), None);
        record.rev = 3;
        let mut overrides = Overrides::default();
        overrides.insert(record).unwrap();
        let commands = vec![Effective { rev: 3, wall: WallTime(7), undone: None }];
        let timeline = Timeline { rev: 3, forgotten_rev: 1, commands, overrides };
        assert_eq!(decode(&encode(&timeline)).unwrap(), timeline);
        let bytes = encode(&timeline);
        for damaged in [&bytes[..bytes.len() - 1], &bytes[1..], &[][..]] {
            assert!(decode(damaged).is_err());
        }
    }

    async fn open(place: &Place) -> SharedOverrides {
        let received = Readiness::default().condition("weather".to_owned());
        let (causes, wake) = (Causes::default(), Wake::default());
        let store = Arc::clone(&place.state);
        SharedOverrides::open(store, "weather".to_owned(), received, causes, wake).await.unwrap()
    }

    #[tokio::test]
    async fn later_announcement_of_a_revision_counts_and_an_earlier_one_does_not() {
        let place = Place::new().await;
        let shared = open(&place).await;
        let at = |wall| Timeline {
            rev: 3,
            commands: vec![Effective { rev: 3, wall: WallTime(wall), undone: None }],
            ..Timeline::default()
        };
        let before = announce(&at(7), 0, WallTime(1)).remove(0);
        let resumed = announce(&at(9), 1, WallTime(2)).remove(0);
        for part in [&before, &resumed, &before] {
            shared.receive(part, None).await.unwrap();
        }
        assert_eq!(*shared.timeline().unwrap(), at(9));
        assert_eq!(*open(&place).await.timeline().unwrap(), at(9));
    }
}

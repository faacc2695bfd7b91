//! The weather of a studio's own service, where no weather-manager announces overrides: what each
//! `weather.changed` states, kept in the service's own state for all instances. Not here: the
//! overrides of a weather-manager (`weather`), what people make of it (`population`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use worldbus_bus::{Error as BusError, HandlerError, Message, Router};
use worldbus_events::v1::WeatherChanged;
use worldbus_population::{NOTICE_MINUTES, Skies, SkyChange};
use worldbus_service::StateStore;
use worldbus_service::health::Condition;
use worldbus_service::state::{self, Error, Kind};
use worldbus_simulated::Wake;
use worldbus_simulated::weather::PUBLISHER;
use worldbus_world::{GameTime, WeatherState, World};

/// Changes that are kept, over all regions: with their ids they fit a value of the state store.
const CHANGE_COUNT_MAX: usize = 2_500;
/// Of a region at least the weather that it has, and at most so many changes.
const OF_REGION_MAX: usize = 100;

/// What was received of the weather: by region, then by the minute at which people notice it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Changes(BTreeMap<String, BTreeMap<i64, Change>>);

/// What the weather is from a minute on, by its number, and the id of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Change(i32, String);

/// The changes of the weather, as far as this instance knows them.
pub(crate) struct SharedChanges {
    store: Arc<dyn StateStore>,
    key: String,
    world: Arc<World>,
    received: Condition,
    changes: watch::Sender<Option<Arc<Changes>>>,
    wake: Wake,
}

impl fmt::Debug for SharedChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedChanges").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Changes {
    /// The weather as people see it.
    pub(crate) fn skies(&self, world: &World) -> Skies {
        let of = |region: &str| self.0.get(region).map(of_region).unwrap_or_default();
        Skies::received(world.regions.iter().map(|region| of(&region.id)).collect())
    }

    /// The id of the event since which people notice the weather that they do.
    pub(crate) fn id(&self, region: &str, noticed: i64) -> Option<&str> {
        self.0.get(region)?.get(&noticed).map(|Change(_, id)| id.as_str())
    }

    /// Keeps a change, unless it is known or older than what is kept. True if it is new.
    fn take(&mut self, (region, minute): (&str, i64), change: Change) -> bool {
        let regions = self.0.len().max(1);
        let of_region = self.0.entry(region.to_owned()).or_default();
        if of_region.get(&minute) == Some(&change) {
            return false;
        }
        of_region.insert(minute, change);
        let most = (CHANGE_COUNT_MAX / regions).clamp(1, OF_REGION_MAX);
        while of_region.len() > most {
            let gone = of_region.pop_first();
            if gone.is_some_and(|(first, _)| first == minute) {
                return false;
            }
        }
        true
    }
}

fn of_region(changes: &BTreeMap<i64, Change>) -> Vec<SkyChange> {
    let known = |number: i32| WeatherState::ALL.into_iter().find(|state| *state as i32 == number);
    let change = |(minute, Change(number, _)): (&i64, &Change)| {
        known(*number).map(|state| SkyChange { minute: *minute, state })
    };
    changes.iter().filter_map(change).collect()
}

impl SharedChanges {
    /// Restores what is kept under `key`. `received` is met once there is something.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value holds no changes.
    pub(crate) async fn open(
        (store, key): (Arc<dyn StateStore>, String),
        world: Arc<World>,
        received: Condition,
        wake: Wake,
    ) -> Result<Self, Error> {
        let this = Self { store, key, world, received, changes: watch::Sender::new(None), wake };
        this.read().await?;
        Ok(this)
    }

    /// The changes; none before the first.
    pub(crate) fn known(&self) -> Option<Arc<Changes>> {
        self.changes.borrow().clone()
    }

    /// Reads what other instances received.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value holds no changes.
    pub(crate) async fn read(&self) -> Result<(), Error> {
        if let Some(entry) = self.store.get(&self.key).await? {
            self.show(decode(&entry.value)?);
        }
        Ok(())
    }

    /// Adds the handler of changes to the service's subscription.
    pub(crate) fn on(self: &Arc<Self>, router: Router) -> Result<Router, BusError> {
        let this = Arc::clone(self);
        router.on(move |event: WeatherChanged, message: Message| {
            let this = Arc::clone(&this);
            async move { this.handle(&event, &message).await }
        })
    }

    async fn handle(&self, event: &WeatherChanged, message: &Message) -> Result<(), HandlerError> {
        // What a weather-manager publishes follows from what it announces.
        if message.source() == PUBLISHER || message.world() != self.world.id {
            return Ok(());
        }
        let region = &event.region_id;
        if self.world.region_index(region).is_none() {
            let text = format!("region_id: no region {region:.40?} in {}", self.world.id);
            return Err(HandlerError::permanent(text));
        }
        let state = WeatherState::ALL.into_iter().find(|state| *state as i32 == event.new_state);
        let state = state.ok_or_else(|| HandlerError::permanent("new_state: not known here"))?;
        let from = GameTime(event.started_game_us).plus_us(GameTime::MINUTE_US - 1).minutes();
        let change = Change(state as i32, message.id.to_string());
        let kept = self.keep((region, from + NOTICE_MINUTES), &change).await;
        kept.map_err(HandlerError::temporary)
    }

    async fn keep(&self, (region, minute): (&str, i64), change: &Change) -> Result<(), Error> {
        let mut kept = Changes::default();
        let updated = state::update(&*self.store, &self.key, |current| {
            let mut changes = current.map(decode).transpose()?.unwrap_or_default();
            if !changes.take((region, minute), change.clone()) {
                return Err(Unkept::Known);
            }
            let bytes = state::encode("the weather", &changes)?;
            kept = changes;
            Ok(bytes)
        });
        match updated.await {
            Ok(_) => self.show(kept),
            Err(Unkept::Known) => {}
            Err(Unkept::Store(error)) => return Err(error),
        }
        Ok(())
    }

    fn show(&self, changes: Changes) {
        let is_new = self.changes.send_if_modified(|shown| {
            let is_new = shown.as_deref() != Some(&changes);
            if is_new {
                *shown = Some(Arc::new(changes));
            }
            is_new
        });
        self.received.met();
        if is_new {
            self.wake.wake();
        }
    }
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

fn decode(bytes: &[u8]) -> Result<Changes, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = "the changes of the weather are damaged in the state store; delete them";
        Error::new(Kind::Damaged, text).caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(minute: i64) -> Change {
        Change(WeatherState::Storm as i32, format!("id-{minute}"))
    }

    #[test]
    fn latest_changes_are_kept_in_any_order_and_each_once() {
        let mut changes = Changes::default();
        for minute in (0..OF_REGION_MAX as i64 + 5).rev() {
            let is_kept = changes.take(("paris", minute), change(minute));
            assert_eq!(is_kept, minute >= 5, "{minute}");
        }
        assert!(!changes.take(("paris", 7), change(7)), "it is known");
        assert_eq!(changes.id("paris", 7), Some("id-7"));
        assert_eq!((changes.id("paris", 3), changes.id("ghent", 7)), (None, None));
    }

    #[test]
    fn changes_of_many_regions_fit_a_value_of_the_state_store() {
        let mut changes = Changes::default();
        for round in 0..3 {
            for region in 0..CHANGE_COUNT_MAX {
                let id = "x".repeat(48);
                let name = format!("region-with-a-long-name-{region}");
                changes.take((&name, round), Change(1, id));
            }
        }
        let bytes = state::encode("the weather", &changes).unwrap();
        assert!(bytes.len() <= state::VALUE_BYTES_MAX, "{}", bytes.len());
    }
}

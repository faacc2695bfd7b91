//! Receiving: events of the bus into the ledger, and what the ledger makes of them into the store.
//! An event is acknowledged once all that it caused is durable. Not here: what that is (`ledger`),
//! publishing it (`publish`).

mod traces;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc};

use crate::ledger::{Changes, Entry, Ledger, News};
use crate::observe::{Envelope, Observation, Observe};
use crate::rules::Rules;
use crate::store::{Committed, Store};
use worldbus_bus::{HandlerError, Message, Router};
use worldbus_events::v1;
use worldbus_service::health::Condition;
use worldbus_service::state::Error;
use worldbus_simulated::SharedClock;
use worldbus_simulated::follow::{Follow as _, Follower, NotKept};
use worldbus_world::{GameTime, WallTime, World};

pub(crate) use traces::Traces;

/// How often changes are computed again because another instance wrote in between.
const CONFLICT_COUNT_MAX: u32 = 64;
/// How long a store that fails is left alone.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What writes the chronicle.
#[derive(Debug)]
pub(crate) struct Chronicler {
    pub(crate) world: Arc<World>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<SharedClock>,
    pub(crate) follower: Arc<Follower<SharedClock>>,
    /// The ledger and its revision; none before it was read, and after the store failed.
    ledger: Mutex<Option<(u64, Ledger)>>,
    /// Whether the store works.
    stored: Condition,
    /// There is something to publish.
    news: Notify,
    /// What it is published within.
    pub(crate) traces: Traces,
    /// Where entries go that a language model may rewrite, from this significance on.
    rewritten: Option<(mpsc::Sender<Entry>, u16)>,
}

/// What the ledger is given.
enum Given<'a> {
    Observations(&'a [Observation]),
    Time(i64),
}

impl Chronicler {
    pub(crate) fn new(
        world: Arc<World>,
        rules: Arc<Rules>,
        store: Arc<dyn Store>,
        clock: Arc<SharedClock>,
        follower: Arc<Follower<SharedClock>>,
        stored: Condition,
    ) -> Self {
        let (ledger, news, traces) = (Mutex::new(None), Notify::new(), Traces::default());
        Self { world, rules, store, clock, follower, ledger, stored, news, traces, rewritten: None }
    }

    /// The same, where entries of such a significance are given to `entries` as well.
    pub(crate) fn with_rewriter(self, entries: mpsc::Sender<Entry>, least: u16) -> Self {
        Self { rewritten: Some((entries, least)), ..self }
    }

    /// Adds the handlers of all event types to the service's subscription.
    pub(crate) fn on(self: &Arc<Self>, router: Router) -> Result<Router, worldbus_bus::Error> {
        let router = self.on_clock(router)?;
        let router = self.on_event::<v1::GroundStateChanged>(router)?;
        let router = self.on_event::<v1::NpcCrowdChanged>(router)?;
        let router = self.on_event::<v1::NpcDirectiveSet>(router)?;
        let router = self.on_event::<v1::NpcRemoved>(router)?;
        let router = self.on_event::<v1::NpcSpawned>(router)?;
        let router = self.on_event::<v1::DayChanged>(router)?;
        let router = self.on_event::<v1::HolidayEnded>(router)?;
        let router = self.on_event::<v1::HolidayStarted>(router)?;
        let router = self.on_event::<v1::HourChanged>(router)?;
        let router = self.on_event::<v1::Jumped>(router)?;
        let router = self.on_event::<v1::MonthChanged>(router)?;
        let router = self.on_event::<v1::MoonPhaseChanged>(router)?;
        let router = self.on_event::<v1::SeasonChanged>(router)?;
        let router = self.on_event::<v1::YearChanged>(router)?;
        let router = self.on_event::<v1::WeatherAlertEnded>(router)?;
        let router = self.on_event::<v1::WeatherAlertUpdated>(router)?;
        let router = self.on_event::<v1::WeatherChanged>(router)?;
        let router = self.on_event::<v1::WeatherDailySummary>(router)?;
        let router = self.on_event::<v1::WeatherSevere>(router)?;
        self.on_event::<v1::WorldStateUpdated>(router)
    }

    fn on_event<E: Observe>(
        self: &Arc<Self>,
        router: Router,
    ) -> Result<Router, worldbus_bus::Error> {
        let this = Arc::clone(self);
        router.on(move |event: E, message: Message| {
            let this = Arc::clone(&this);
            async move { this.handle(&event, &message).await }
        })
    }

    /// The announcements of the clock, which come every few seconds: what waits for its turn goes
    /// on by their time.
    fn on_clock(self: &Arc<Self>, router: Router) -> Result<Router, worldbus_bus::Error> {
        let this = Arc::clone(self);
        router.on(move |event: v1::ClockChanged, message: Message| {
            let this = Arc::clone(&this);
            async move {
                if message.world() != this.world.id {
                    this.clock.pass_over(message.world(), &this.world.id);
                    return Ok::<_, HandlerError>(());
                }
                let kept = this.clock.receive(&event, worldbus_bus::trace::current()).await;
                kept.map_err(|error| match error {
                    NotKept::State(error) => HandlerError::temporary(error),
                    NotKept::Invalid(_) => HandlerError::permanent(error),
                })?;
                this.write(&Given::Time(message.timestamp_ms)).await;
                Ok(())
            }
        })
    }

    async fn handle<E: Observe>(&self, event: &E, message: &Message) -> Result<(), HandlerError> {
        // A bus may have several worlds, and a world several clocks.
        if message.world() != self.world.id {
            return Ok(());
        }
        let observed = match E::HAS_GAME_TIME {
            true => self.observe(event, message, 0),
            // The clock as it was announced before the event.
            false => {
                self.follower.catch_up().await;
                let game_us = self.game_us(message.timestamp_ms)?;
                self.observe(event, message, game_us)
            }
        };
        if !observed.is_empty() {
            self.traces.note(message.id.to_u128(), worldbus_bus::trace::current());
            self.write(&Given::Observations(&observed)).await;
        }
        Ok(())
    }

    fn observe<E: Observe>(&self, event: &E, message: &Message, game_us: i64) -> Vec<Observation> {
        let (entity, place) = (message.entity(), message.place());
        let (id, wall_ms) = (message.id, message.timestamp_ms);
        let envelope = Envelope { id, wall_ms, game_us, entity, place };
        event.observe(&envelope, &self.world)
    }

    /// The game time of a timestamp, to the nearest minute: timestamps are milliseconds.
    fn game_us(&self, wall_ms: i64) -> Result<i64, HandlerError> {
        let Some(clock) = self.clock.clock() else {
            return Err(HandlerError::temporary("the world's clock was not received yet"));
        };
        let game = clock.game_at(WallTime(wall_ms.saturating_mul(1000)));
        Ok(game.plus_us(GameTime::MINUTE_US / 2).minutes() * GameTime::MINUTE_US)
    }

    /// Writes what the ledger makes of it; retries as long as the store fails, so that nothing is
    /// set aside for a full disk.
    async fn write(&self, given: &Given<'_>) {
        loop {
            match self.try_write(given).await {
                Ok(()) => return self.stored.met(),
                Err(error) => {
                    tracing::warn!(%error, "the chronicle was not written; retrying");
                    self.stored.failed(error.to_string());
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    async fn try_write(&self, given: &Given<'_>) -> Result<(), Error> {
        let mut held = self.ledger.lock().await;
        for _ in 0..CONFLICT_COUNT_MAX {
            // Taken out: if this ends in between, the next one reads it again.
            let (revision, mut ledger) = match held.take() {
                Some(known) => known,
                None => self.load().await?,
            };
            let changes = match given {
                Given::Observations(observed) => ledger.take(observed.to_vec()),
                // What another instance left is not found by a conflict: there may be none.
                Given::Time(_) if self.store.revision().await? != revision => continue,
                Given::Time(wall_ms) => ledger.pass(*wall_ms),
            };
            if changes.is_empty() {
                *held = Some((revision, ledger));
                return Ok(());
            }
            let of_ledger = changes.is_of_ledger().then_some(revision);
            let has_news = !changes.news.is_empty();
            let rewritable = self.rewritable(&changes);
            count(&changes);
            // Before they are stored: from then on they may be published.
            self.traces.follow(&changes.news);
            match self.store.commit(of_ledger, changes).await? {
                Committed::Done(now) => {
                    let revision = of_ledger.map_or(revision, |_| now);
                    *held = Some((revision, ledger));
                    if has_news {
                        self.news.notify_one();
                    }
                    self.offer(rewritable);
                    return Ok(());
                }
                Committed::Conflict => {}
            }
        }
        let text = "other instances write the chronicle all the time; retrying";
        Err(Error::new(worldbus_service::state::Kind::Busy, text))
    }

    async fn load(&self) -> Result<(u64, Ledger), Error> {
        let (revision, saved) = self.store.load().await?;
        let ledger = Ledger::new(Arc::clone(&self.rules), Arc::clone(&self.world), saved);
        Ok((revision, ledger))
    }

    /// The entries that a language model may rewrite.
    fn rewritable(&self, changes: &Changes) -> Vec<Entry> {
        let Some((_, least)) = &self.rewritten else { return Vec::new() };
        let entries = changes.news.iter().filter_map(|news| match news {
            News::Entry(entry) if entry.significance >= *least => Some(entry.clone()),
            News::Entry(_) | News::Advance(_) => None,
        });
        entries.collect()
    }

    /// Offers entries for rewriting; those that find no room keep their own texts.
    fn offer(&self, entries: Vec<Entry>) {
        let Some((sender, _)) = &self.rewritten else { return };
        for entry in entries {
            if sender.try_send(entry).is_err() {
                metrics::counter!("worldbus_chronicle_rewrites_skipped_total").increment(1);
            }
        }
    }

    /// Waits until there is something to publish.
    pub(crate) async fn has_news(&self) {
        self.news.notified().await;
    }

    /// There is something to publish.
    pub(crate) fn notify(&self) {
        self.news.notify_one();
    }
}

fn count(changes: &Changes) {
    let entries = changes.news.iter().filter(|news| matches!(news, News::Entry(_))).count();
    metrics::counter!("worldbus_chronicle_entries_total").increment(entries as u64);
}

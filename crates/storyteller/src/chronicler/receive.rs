//! Receiving: what the events of the bus mean, given to what writes the chronicle. An event is
//! acknowledged once all that it caused is durable; those that are handled at a time share a
//! commit. Not here: what they come to (`ledger`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Chronicler, Given};
use crate::observe::{Envelope, Observation, Observe};
use worldbus_bus::{Gather, GatherLimits, HandlerError, Message, Order, Router};
use worldbus_events::v1;
use worldbus_simulated::follow::{Follow as _, NotKept};
use worldbus_world::{GameTime, WallTime};

/// Events that are handled at a time, and that share a commit.
const EVENTS_COUNT_MAX: usize = 256;
/// Bytes of the events that share a commit: what they come to is in memory.
const EVENTS_BYTES_MAX: usize = 1 << 18;
const LIMITS: GatherLimits = GatherLimits {
    count_max: EVENTS_COUNT_MAX,
    bytes_max: EVENTS_BYTES_MAX,
    linger: Duration::ZERO,
};

/// The handlers of events.
pub(crate) struct Receiver {
    chronicler: Arc<Chronicler>,
    writes: Gather<Given, ()>,
}

impl Receiver {
    /// Has what events mean written.
    pub(crate) fn new(chronicler: &Arc<Chronicler>) -> Arc<Self> {
        let chronicler = Arc::clone(chronicler);
        let writer = Arc::clone(&chronicler);
        let write = move |all: Vec<Given>| {
            let writer = Arc::clone(&writer);
            async move {
                let answers = all.iter().map(|_| Ok(())).collect();
                writer.write(&all.into_iter().collect()).await;
                Ok(answers)
            }
            .boxed()
        };
        Arc::new(Self { chronicler, writes: Gather::start(LIMITS, Box::new(write)) })
    }

    /// Adds the handlers of all event types to the service's subscription.
    pub(crate) fn on(self: &Arc<Self>, router: Router) -> Result<Router, worldbus_bus::Error> {
        // What they come to is the same in any order within the grace. Those of another delivery
        // may be later than that, and are not to pass one that waits for the clock.
        let router = router.concurrency(EVENTS_COUNT_MAX).order(Order::BeginOnly).prefetch_bytes(0);
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
                let Chronicler { clock, world, .. } = &*this.chronicler;
                if message.world() != world.id {
                    clock.pass_over(message.world(), &world.id);
                    return Ok::<_, HandlerError>(());
                }
                let kept = clock.receive(&event, worldbus_bus::trace::current()).await;
                kept.map_err(|error| match error {
                    NotKept::State(error) => HandlerError::temporary(error),
                    NotKept::Invalid(_) => HandlerError::permanent(error),
                })?;
                let announced_ms = Some(message.timestamp_ms);
                this.write(Given { announced_ms, ..Given::default() }, &message).await
            }
        })
    }

    async fn handle<E: Observe>(&self, event: &E, message: &Message) -> Result<(), HandlerError> {
        // A bus may have several worlds, and a world several clocks.
        if message.world() != self.chronicler.world.id {
            return Ok(());
        }
        let observations = match E::HAS_GAME_TIME {
            true => self.observe(event, message, 0),
            // The clock as it was announced before the event.
            false => {
                self.chronicler.follower.catch_up().await;
                let game_us = self.game_us(message.timestamp_ms)?;
                self.observe(event, message, game_us)
            }
        };
        if observations.is_empty() {
            return Ok(());
        }
        self.chronicler.traces.note(message.id.to_u128(), worldbus_bus::trace::current());
        self.write(Given { observations, announced_ms: None }, message).await
    }

    fn observe<E: Observe>(&self, event: &E, message: &Message, game_us: i64) -> Vec<Observation> {
        let (entity, place) = (message.entity(), message.place());
        let (id, wall_ms) = (message.id, message.timestamp_ms);
        let envelope = Envelope { id, wall_ms, game_us, entity, place };
        event.observe(&envelope, &self.chronicler.world)
    }

    /// The game time of a timestamp, to the nearest minute: timestamps are milliseconds.
    fn game_us(&self, wall_ms: i64) -> Result<i64, HandlerError> {
        let Some(clock) = self.chronicler.clock.clock() else {
            return Err(HandlerError::temporary("the world's clock was not received yet"));
        };
        let game = clock.game_at(WallTime(wall_ms.saturating_mul(1000)));
        Ok(game.plus_us(GameTime::MINUTE_US / 2).minutes() * GameTime::MINUTE_US)
    }

    /// Waits until it is durable, with what it comes to.
    async fn write(&self, given: Given, message: &Message) -> Result<(), HandlerError> {
        Ok(self.writes.send(given, message.payload().len()).await?)
    }
}

//! Hears the clock: time.clock_changed from the bus into the state that all instances share; and
//! requests, which the durable subscription brings (`requests`).
//! Not here: the other events of the time-manager, which are for consumers.
//!
//! A durable subscription hears what comes, whichever instance gets it, also after downtime. An
//! instance that dies keeps what it took until the lease ends, which is later than a segment
//! begins; so each instance reads the topic as well, where the transport can replay: as it grows,
//! and before a request is answered, so that a clock whose change was announced before the
//! request is the clock of its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use worldbus_bus::{
    Bus, Capability, Error, Fate, Filter, HandlerError, Message, Position, ReadSpec, Router,
    StoredBatch, Topic, trace,
};
use worldbus_events::Event as _;
use worldbus_events::v1::{ClockChanged, ClockCurve, WeatherOverrideRequested};
use worldbus_world::{Curve, CurveError, GameTime, Piece, Segment, WallTime, World};

use crate::NAME;
use crate::requests;
use crate::sky::{Sky, Unheard};

/// A new subscription and a reader begin this far back, so that the latest repetition is there.
const LOOK_BACK_MS: i64 = 60_000;
/// The subscription and the reader are opened again after this if the bus went away.
const REOPEN_DELAY: Duration = Duration::from_secs(1);
/// A request waits no longer for what is on the bus; then the clock that is known must do.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

pub(crate) struct Hearing {
    bus: Bus,
    sky: Arc<Sky>,
    world: Arc<World>,
    /// How many readings for requests have begun.
    begun: AtomicU64,
    read: Mutex<Read>,
}

/// What was read for requests up to now. Locked during a reading: there is one at a time.
struct Read {
    /// Where the next reading begins.
    from: Position,
    /// The latest reading that came to the end of the topic.
    number: u64,
}

impl Hearing {
    pub(crate) fn new(bus: Bus, sky: Arc<Sky>, world: Arc<World>) -> Self {
        let from = look_back(&bus);
        let read = Mutex::new(Read { from, number: 0 });
        Self { bus, sky, world, begun: AtomicU64::new(0), read }
    }

    /// Hears until the shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<(), Error> {
        tokio::try_join!(self.subscribe(&shutdown), self.follow(&shutdown))?;
        Ok(())
    }

    /// Hears what this instance gets of the subscription.
    async fn subscribe(self: &Arc<Self>, shutdown: &CancellationToken) -> Result<(), Error> {
        loop {
            let ended = self.router()?.run(shutdown.clone()).await;
            if !self.tries_again(ended, shutdown).await? {
                return Ok(());
            }
        }
    }

    /// Hears what comes onto the topic.
    async fn follow(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut from = look_back(&self.bus);
        while self.replays() {
            let read = self.read(&mut from, true);
            let ended = shutdown.run_until_cancelled(read).await.unwrap_or(Ok(()));
            if !self.tries_again(ended, shutdown).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether to go on after an error that passes, once it had time to.
    async fn tries_again(
        &self,
        outcome: Result<(), Error>,
        shutdown: &CancellationToken,
    ) -> Result<bool, Error> {
        let Err(error) = outcome else { return Ok(false) };
        if error.fate() == Fate::Refused && !shutdown.is_cancelled() {
            return Err(error);
        }
        tracing::warn!(%error, "the clock is not heard; trying again");
        Ok(shutdown.run_until_cancelled(tokio::time::sleep(REOPEN_DELAY)).await.is_some())
    }

    /// Hears every announcement that was durable when this was called. Best effort: while the
    /// bus is away, and over a transport that cannot replay, the subscription has to do.
    pub(crate) async fn catch_up(&self) {
        if !self.replays() {
            return;
        }
        match timeout(CATCH_UP_MAX, self.read_on()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "answering by the clock that is known"),
            Err(_) => tracing::debug!("the bus is slow: answering by the clock that is known"),
        }
    }

    async fn read_on(&self) -> Result<(), Error> {
        let begun = self.begun.load(Ordering::SeqCst);
        let mut read = self.read.lock().await;
        if read.number > begun {
            // It began after we came, and read all that we could: requests share readings.
            return Ok(());
        }
        let number = 1 + self.begun.fetch_add(1, Ordering::SeqCst);
        self.read(&mut read.from, false).await?;
        read.number = number;
        Ok(())
    }

    /// Hears what is on the topic; moves `from` behind it.
    async fn read(&self, from: &mut Position, follow: bool) -> Result<(), Error> {
        let filter = Filter { types: vec![ClockChanged::NUMBER], ..Filter::default() };
        let spec = ReadSpec::topics([Topic::new(ClockChanged::TOPIC)?], *from, follow);
        let mut reader = self.bus.transport().read(ReadSpec { filter, ..spec }).await?;
        while let Some(stored) = reader.next().await? {
            self.hear_all(&stored).await;
            *from = Position::Offset(stored.offset + 1);
        }
        Ok(())
    }

    async fn hear_all(&self, stored: &StoredBatch) {
        let ours = stored.batch.world() == self.world.id;
        for view in stored.batch.iter().filter(|e| ours && e.event_type == ClockChanged::NUMBER) {
            let Ok(event) = view.decode::<ClockChanged>() else { continue };
            self.sky.causes.note_that(event.anchor_wall_us, trace::carried(&view));
            let Ok(segment) = segment(&event) else { continue };
            if let Err(error) = self.sky.hear(segment).await {
                // The subscription tries it again, or sets it aside.
                tracing::debug!(%error, "an announcement was not kept");
            }
        }
    }

    fn router(self: &Arc<Self>) -> Result<Router, Error> {
        let start = if self.replays() { look_back(&self.bus) } else { Position::Now };
        let router = Router::new(&self.bus, NAME)?.start(start).consumer(NAME);
        let this = Arc::clone(self);
        let router = router.on(move |event: ClockChanged, message: Message| {
            let this = Arc::clone(&this);
            async move { this.handle(&event, &message).await }
        })?;
        let this = Arc::clone(self);
        router.on(move |event: WeatherOverrideRequested, message: Message| {
            let this = Arc::clone(&this);
            async move { this.request(&event, &message).await }
        })
    }

    async fn handle(&self, event: &ClockChanged, message: &Message) -> Result<(), HandlerError> {
        if message.world() != self.world.id {
            return Ok(());
        }
        self.sky.causes.note(event.anchor_wall_us);
        let segment = segment(event).map_err(HandlerError::permanent)?;
        self.sky.hear(segment).await.map_err(|error| match error {
            Unheard::State(error) => HandlerError::temporary(error),
            Unheard::Clock(error) => HandlerError::permanent(error),
        })
    }

    async fn request(
        &self,
        event: &WeatherOverrideRequested,
        message: &Message,
    ) -> Result<(), HandlerError> {
        let world = message.world();
        if world != self.world.id {
            let text = format!("no weather of world {world:.40?} is kept here; ask by REST");
            return Err(HandlerError::permanent(text));
        }
        // The clock as it was announced before the request is the clock of its answer.
        self.catch_up().await;
        requests::take(&self.world, &self.sky, event, message).await
    }

    fn replays(&self) -> bool {
        self.bus.transport().capabilities().can(Capability::Replay)
    }
}

fn look_back(bus: &Bus) -> Position {
    Position::TimeMs(bus.wall().now_us() / 1000 - LOOK_BACK_MS)
}

/// The segment that an announcement brings.
///
/// # Errors
/// Its curve is invalid.
pub fn segment(event: &ClockChanged) -> Result<Segment, CurveError> {
    Ok(Segment {
        epoch: event.epoch,
        anchor_wall: WallTime(event.anchor_wall_us),
        anchor_game: GameTime(event.anchor_game_us),
        num: event.scale_numerator,
        den: event.scale_denominator,
        paused: event.paused,
        rev: event.revision,
        rest: event.anchor_rest,
        curve: event.curve.as_ref().map(curve).transpose()?,
        continues: event.continues_wall_us.map(WallTime),
    })
}

fn curve(told: &ClockCurve) -> Result<Curve, CurveError> {
    let pieces = told.starts_us.iter().zip(&told.slopes);
    let pieces = pieces.map(|(start, slope)| Piece { start_us: *start, slope: *slope });
    Curve::new(told.cycle_us, told.offset_us, told.units, &pieces.collect::<Vec<_>>())
}

//! Hears the clock: time.clock_changed from the bus into the state that all instances share.
//! Not here: the other events of the time-manager, which are for consumers.
//!
//! A durable subscription hears what comes, whichever instance gets it. Before a request is
//! answered, what is on the bus already is read as well, so that a clock whose change was
//! announced before the request is the clock of its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use worldbus_bus::{
    Bus, Capability, Error, Filter, HandlerError, Message, Position, ReadSpec, Router, StoredBatch,
    Topic,
};
use worldbus_events::Event as _;
use worldbus_events::v1::ClockChanged;
use worldbus_world::{GameTime, Segment, WallTime};

use crate::NAME;
use crate::sky::{Sky, Unheard};

/// A new subscription begins this far back, so that the latest repetition is in it.
const LOOK_BACK_MS: i64 = 60_000;
/// The subscription is opened again after this if the bus went away.
const REOPEN_DELAY: Duration = Duration::from_secs(1);
/// A request waits no longer for what is on the bus; then the clock that is known must do.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

pub(crate) struct Hearing {
    bus: Bus,
    sky: Arc<Sky>,
    world: String,
    /// How many readings have begun.
    begun: AtomicU64,
    read: Mutex<Read>,
}

/// What was read up to now. Locked during a reading: there is one at a time.
struct Read {
    /// Where the next reading begins.
    from: Position,
    /// The latest reading that came to the end of the topic.
    number: u64,
}

impl Hearing {
    pub(crate) fn new(bus: Bus, sky: Arc<Sky>, world: String) -> Self {
        let from = Position::TimeMs(bus.wall().now_us() / 1000 - LOOK_BACK_MS);
        let read = Mutex::new(Read { from, number: 0 });
        Self { bus, sky, world, begun: AtomicU64::new(0), read }
    }

    /// Hears until the shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<(), Error> {
        loop {
            let result = self.router()?.run(shutdown.clone()).await;
            let Err(error) = result else { return Ok(()) };
            if error.fate() == worldbus_bus::Fate::Refused && !shutdown.is_cancelled() {
                return Err(error);
            }
            tracing::warn!(%error, "the clock is not heard; trying again");
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(REOPEN_DELAY) => {}
            }
        }
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
        let filter = Filter { types: vec![ClockChanged::NUMBER], ..Filter::default() };
        let spec = ReadSpec::topics([Topic::new(ClockChanged::TOPIC)?], read.from, false);
        let mut reader = self.bus.transport().read(ReadSpec { filter, ..spec }).await?;
        while let Some(stored) = reader.next().await? {
            self.hear_all(&stored).await;
            read.from = Position::Offset(stored.offset + 1);
        }
        read.number = number;
        Ok(())
    }

    async fn hear_all(&self, stored: &StoredBatch) {
        let ours = stored.batch.world() == self.world;
        for view in stored.batch.iter().filter(|e| ours && e.event_type == ClockChanged::NUMBER) {
            let Ok(event) = view.decode::<ClockChanged>() else { continue };
            if let Err(error) = self.sky.hear(segment(&event)).await {
                // The subscription tries it again, or sets it aside.
                tracing::debug!(%error, "an announcement was not kept");
            }
        }
    }

    fn router(self: &Arc<Self>) -> Result<Router, Error> {
        let from_ms = self.bus.wall().now_us() / 1000 - LOOK_BACK_MS;
        let start = if self.replays() { Position::TimeMs(from_ms) } else { Position::Now };
        let router = Router::new(&self.bus, NAME)?.start(start).consumer(NAME);
        let this = Arc::clone(self);
        router.on(move |event: ClockChanged, message: Message| {
            let this = Arc::clone(&this);
            async move { this.handle(&event, &message).await }
        })
    }

    async fn handle(&self, event: &ClockChanged, message: &Message) -> Result<(), HandlerError> {
        if message.world() != self.world {
            return Ok(());
        }
        self.sky.hear(segment(event)).await.map_err(|error| match error {
            Unheard::State(error) => HandlerError::temporary(error),
            Unheard::Clock(error) => HandlerError::permanent(error),
        })
    }

    fn replays(&self) -> bool {
        self.bus.transport().capabilities().can(Capability::Replay)
    }
}

fn segment(event: &ClockChanged) -> Segment {
    Segment {
        epoch: event.epoch,
        anchor_wall: WallTime(event.anchor_wall_us),
        anchor_game: GameTime(event.anchor_game_us),
        num: event.scale_numerator,
        den: event.scale_denominator,
        paused: event.paused,
        rev: event.revision,
    }
}

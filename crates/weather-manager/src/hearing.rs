//! Hears the clock: time.clock_changed from the bus into the state that all instances share.
//! Not here: the other events of the time-manager, which are for consumers.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use worldbus_bus::{Bus, Capability, Error, HandlerError, Message, Position, Router};
use worldbus_events::v1::ClockChanged;
use worldbus_world::{GameTime, Segment, WallTime};

use crate::NAME;
use crate::sky::{Sky, Unheard};

/// A new subscription begins this far back, so that the latest repetition is in it.
const LOOK_BACK_MS: i64 = 60_000;
/// The subscription is opened again after this if the bus went away.
const REOPEN_DELAY: Duration = Duration::from_secs(1);

/// Hears until the shutdown.
pub(crate) async fn run(
    bus: Bus,
    sky: Arc<Sky>,
    world: Arc<str>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    loop {
        let result = router(&bus, &sky, &world)?.run(shutdown.clone()).await;
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

fn router(bus: &Bus, sky: &Arc<Sky>, world: &Arc<str>) -> Result<Router, Error> {
    let replays = bus.transport().capabilities().can(Capability::Replay);
    let from_ms = bus.wall().now_us() / 1000 - LOOK_BACK_MS;
    let start = if replays { Position::TimeMs(from_ms) } else { Position::Now };
    let (sky, world) = (Arc::clone(sky), Arc::clone(world));
    let router = Router::new(bus, NAME)?.start(start).consumer(NAME);
    router.on(move |event: ClockChanged, message: Message| {
        let (sky, ours) = (Arc::clone(&sky), message.world() == &*world);
        async move { if ours { hear(&sky, &event).await } else { Ok(()) } }
    })
}

async fn hear(sky: &Sky, event: &ClockChanged) -> Result<(), HandlerError> {
    let segment = Segment {
        epoch: event.epoch,
        anchor_wall: WallTime(event.anchor_wall_us),
        anchor_game: GameTime(event.anchor_game_us),
        num: event.scale_numerator,
        den: event.scale_denominator,
        paused: event.paused,
        rev: event.revision,
    };
    sky.hear(segment).await.map_err(|error| match error {
        Unheard::State(error) => HandlerError::temporary(error),
        Unheard::Clock(error) => HandlerError::permanent(error),
    })
}

//! Hears requests to command a clock that anybody publishes (`requests`). Those of schedules come,
//! too, and most are carried out by then. Not here: carrying them out (`clockwork`).
//!
//! The clocks run without: where the subscription is missing, as in an installation whose topology
//! is older, that is logged and tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use worldbus_bus::{Bus, Error, Fate, HandlerError, Message, Position, Router};
use worldbus_events::v1::ClockRequested;
use worldbus_service::Problem;

use crate::NAME;
use crate::desk::{Desk, Face};
use crate::history::By;
use crate::requests::{self, Request};

/// A new subscription begins this far back: what came while there was none yet is carried out.
const LOOK_BACK_MS: i64 = 60_000;
/// The subscription is opened again after this if the bus went away.
const REOPEN_DELAY: Duration = Duration::from_secs(1);
/// The same where it was refused: somebody has to do something first.
const REFUSED_DELAY: Duration = Duration::from_secs(60);

/// Hears until the shutdown.
pub(crate) async fn run(bus: Bus, desk: Desk, shutdown: CancellationToken) -> Result<(), Error> {
    loop {
        let router = router(&bus, &desk)?;
        let Err(error) = router.run(shutdown.clone()).await else { return Ok(()) };
        let refused = error.fate() == Fate::Refused;
        let delay = if refused { REFUSED_DELAY } else { REOPEN_DELAY };
        tracing::warn!(
            %error,
            retry_s = delay.as_secs(),
            "subscription {NAME} failed; time.clock_requested is not received until it is there"
        );
        if shutdown.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return Ok(());
        }
    }
}

fn router(bus: &Bus, desk: &Desk) -> Result<Router, Error> {
    let replays = bus.transport().capabilities().can(worldbus_bus::Capability::Replay);
    let back = Position::TimeMs(bus.wall().now_us() / 1000 - LOOK_BACK_MS);
    let start = if replays { back } else { Position::Now };
    let desk = Arc::new(desk.clone());
    Router::new(bus, NAME)?.start(start).consumer(NAME).on(
        move |event: ClockRequested, message: Message| {
            let desk = Arc::clone(&desk);
            async move { take(&desk, &event, &message).await }
        },
    )
}

/// Carries out a request, unless it was carried out already.
async fn take(desk: &Desk, event: &ClockRequested, message: &Message) -> Result<(), HandlerError> {
    let world = message.world();
    let Some(face) = desk.of_world(world) else {
        if message.source() == NAME {
            // Its own time-manager carries out what it schedules.
            return Ok(());
        }
        let text = format!("no clock of world {world:.40?} is kept here; command it by REST");
        return Err(HandlerError::permanent(text));
    };
    let request = request(face, event, message).map_err(refused)?;
    face.clockwork.request(&request).await.map_err(refused)
}

fn request(face: &Face, event: &ClockRequested, message: &Message) -> Result<Request, Problem> {
    let (command, by) = requests::read(event, &face.clockwork.calendar)?;
    let actor = if by.actor.is_empty() { message.source().to_owned() } else { by.actor };
    let by = By { actor, ..by };
    Ok(Request { id: message.id.to_string(), command, by, scheduled: None })
}

/// What is unavailable may come back; all else stays as it is.
fn refused(problem: Problem) -> HandlerError {
    match problem.status {
        500.. => HandlerError::temporary(problem.detail),
        _ => HandlerError::permanent(problem.detail),
    }
}

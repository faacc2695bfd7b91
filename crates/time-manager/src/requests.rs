//! Receives requests to command a clock, which any service may publish. Those of schedules come,
//! too, and most are carried out by then. Not here: carrying them out (`clockwork`).
//!
//! The clocks run without: where the subscription is missing, as in an installation whose topology
//! is older, that is logged and retried.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::clock::request::{self, Request};
use crate::desk::{Desk, Face};
use worldbus_bus::{Bus, Error, HandlerError, Message, Router};
use worldbus_events::v1::ClockRequested;
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_simulated::follow::{IfRefused, subscribe};

/// The subscription is opened again after this where it was refused: an operator has to act first.
const REFUSED_DELAY: Duration = Duration::from_secs(60);

/// Receives requests until the shutdown.
pub(crate) async fn run(bus: Bus, desk: Desk, shutdown: CancellationToken) -> Result<(), Error> {
    let desk = Arc::new(desk);
    let handlers = |router: Router| {
        let desk = Arc::clone(&desk);
        router.on(move |event: ClockRequested, message: Message| {
            let desk = Arc::clone(&desk);
            async move { take(&desk, &event, &message).await }
        })
    };
    subscribe(&bus, NAME, handlers, IfRefused::RetryAfter(REFUSED_DELAY), &shutdown).await
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
    let (command, by) = request::read(event, &face.clockwork.calendar)?;
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

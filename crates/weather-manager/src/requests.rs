//! Requests on the bus to force the weather, as schedules make them: checked, and taken once by the
//! event's id, also if a request is delivered again. Not here: the same over HTTP (`rest`).

use std::sync::Arc;

use crate::INTENSITY_DEFAULT;
use crate::commands::{Act, Commands};
use crate::sky::Sky;
use worldbus_bus::{Error, HandlerError, Message, Router};
use worldbus_events::v1::WeatherOverrideRequested;
use worldbus_service::Problem;
use worldbus_simulated::SharedClock;
use worldbus_simulated::commands::By;
use worldbus_simulated::follow::Follower;
use worldbus_world::{GameTime, Kind, Override, WeatherState, World};

/// Takes requests for one world's weather.
#[derive(Clone)]
pub(crate) struct Requests {
    world: Arc<World>,
    sky: Arc<Sky>,
    clock: Arc<Follower<SharedClock>>,
}

impl Requests {
    pub(crate) fn new(world: Arc<World>, sky: Arc<Sky>, clock: Arc<Follower<SharedClock>>) -> Self {
        Self { world, sky, clock }
    }

    /// Adds the handler of requests to the service's subscription.
    pub(crate) fn on(&self, router: Router) -> Result<Router, Error> {
        let this = self.clone();
        router.on(move |event: WeatherOverrideRequested, message: Message| {
            let this = this.clone();
            async move { this.handle(&event, &message).await }
        })
    }

    async fn handle(
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
        self.clock.catch_up().await;
        take(&self.world, &self.sky, event, message).await
    }
}

/// Takes the request of an event, unless it was taken already.
///
/// # Errors
/// Permanent where the request is invalid, so that it is set aside with the reason; temporary
/// where the state store or the clock is unavailable.
async fn take(
    world: &World,
    sky: &Sky,
    event: &WeatherOverrideRequested,
    message: &Message,
) -> Result<(), HandlerError> {
    event.check().map_err(HandlerError::permanent)?;
    let regions = regions(world, event, message.entity())?;
    let kind = kind(event)?;
    let actor = if event.actor.is_empty() { message.source() } else { &event.actor };
    let by = By::new(Some(actor), Some(&event.reason)).map_err(refused)?;
    let minutes = event.duration_game_minutes.map(i64::from);
    let act = |start: GameTime, _: &Commands| {
        let end = minutes.map(|minutes| start.plus_us(minutes * GameTime::MINUTE_US));
        let record = Override::new(regions.clone(), kind.clone(), start, end);
        let record = Override { author: by.actor.clone(), ..record };
        Ok(Act::Set { record, replaces: true })
    };
    let cause = message.id.to_string();
    sky.command(&by, Some(&cause), act).await.map_err(refused)?;
    Ok(())
}

/// The regions that it names, the event's entity without one; none: all.
fn regions(
    world: &World,
    event: &WeatherOverrideRequested,
    entity: Option<&str>,
) -> Result<Vec<String>, HandlerError> {
    let regions = match event.region_ids.as_slice() {
        [] => entity.map(str::to_owned).into_iter().collect(),
        named => named.to_vec(),
    };
    match regions.iter().find(|id| world.region_index(id).is_none()) {
        None => Ok(regions),
        Some(unknown) => {
            let text = format!("region_ids: no region {unknown:.40?} in {}", world.id);
            Err(HandlerError::permanent(text))
        }
    }
}

fn kind(event: &WeatherOverrideRequested) -> Result<Kind, HandlerError> {
    let state = WeatherState::ALL.into_iter().find(|state| *state as i32 == event.state);
    let state = state.ok_or_else(|| HandlerError::permanent("state: not known here"))?;
    let intensity = event.intensity_permille.and_then(|permille| u16::try_from(permille).ok());
    Ok(Kind::SetState { state, intensity_permille: intensity.unwrap_or(INTENSITY_DEFAULT) })
}

/// What is unavailable may come back; all else stays as it is.
fn refused(problem: Problem) -> HandlerError {
    match problem.status {
        500.. => HandlerError::temporary(problem.detail),
        _ => HandlerError::permanent(problem.detail),
    }
}

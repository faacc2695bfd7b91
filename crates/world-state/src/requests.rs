//! Requests on the bus to change the state, as schedules make them: checked, and made once by the
//! event's id, also if a request is delivered again. Not here: the same over HTTP (`rest`).

use std::str::FromStr;
use std::sync::Arc;

use crate::asked::Asked;
use crate::model::{Change, FieldName, Op, Step, StepParts, Value};
use worldbus_bus::{Error, HandlerError, Message, Router};
use worldbus_events::v1::{StateChangeWish, StateWish, WorldStateChangeRequested};
use worldbus_simulated::commands::By;

/// Takes requests for one world's state.
#[derive(Clone)]
pub(crate) struct Requests {
    asked: Asked,
    world: Arc<str>,
}

impl Requests {
    pub(crate) fn new(asked: Asked, world: &str) -> Self {
        Self { asked, world: world.into() }
    }

    /// Adds the handler of requests to the service's subscription.
    pub(crate) fn on(&self, router: Router) -> Result<Router, Error> {
        let this = self.clone();
        router.on(move |event: WorldStateChangeRequested, message: Message| {
            let this = this.clone();
            async move { this.handle(&event, &message).await }
        })
    }

    async fn handle(
        &self,
        event: &WorldStateChangeRequested,
        message: &Message,
    ) -> Result<(), HandlerError> {
        let world = message.world();
        if world != &*self.world {
            let text = format!("no state of world {world:.40?} is kept here; ask by REST");
            return Err(HandlerError::permanent(text));
        }
        let step = step(event, &message.id.to_string()).map_err(HandlerError::permanent)?;
        self.asked.make(step, message).await
    }
}

fn step(event: &WorldStateChangeRequested, id: &str) -> Result<Step, String> {
    let by = By::new(Some(&event.actor), Some(&event.reason)).map_err(|problem| problem.detail)?;
    let changes = event.changes.iter().enumerate();
    let changes = changes.map(|(index, wish)| {
        change(wish).map_err(|(part, why)| format!("changes[{index}].{part}: {why}"))
    });
    let changes = changes.collect::<Result<_, _>>()?;
    let parts = StepParts { changes, by, event: Some(id.to_owned()), ..StepParts::default() };
    Step::new(parts).map_err(|refusal| refusal.to_string())
}

fn change(wish: &StateChangeWish) -> Result<Change, (&'static str, String)> {
    let field = || FieldName::from_str(&wish.field).map_err(|why| ("field", why));
    let value = || Value::parse(&wish.value).map_err(|why| ("value", why));
    let op = match wish.wish() {
        StateWish::Set => Op::Set(field()?, value()?),
        StateWish::Remove if wish.field.is_empty() => Op::Remove(None),
        StateWish::Remove => Op::Remove(Some(field()?)),
        StateWish::Increment => Op::Increment(field()?, value()?),
        StateWish::Unspecified => {
            return Err(("wish", "expected set, remove or increment".to_owned()));
        }
    };
    let entity = wish.entity.parse().map_err(|why| ("entity", why))?;
    Ok(Change { entity, op, if_version: wish.if_version })
}

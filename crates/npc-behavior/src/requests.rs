//! Requests on the bus to direct people, as schedules make them: checked, and taken once by the
//! event's id, also if a request is delivered again; and what a directive must be, however it is
//! asked for. Not here: the same over HTTP (`rest`).

use std::sync::Arc;

use crate::commands::{Act, Wish, first_minute};
use crate::followers::Followers;
use crate::town::names::{Names, invalid};
use crate::town::{Before, Taken, Town};
use worldbus_bus::{Error, HandlerError, Message, Router};
use worldbus_events::v1::NpcDirectiveRequested;
use worldbus_population::{Activity, DirectiveError, Directives, MINUTES_MAX, PERSONS_MAX};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;

/// Takes requests for one world's people.
#[derive(Clone)]
pub(crate) struct Requests {
    town: Arc<Town>,
    followers: Followers,
}

impl Requests {
    pub(crate) fn new(town: Arc<Town>, followers: Followers) -> Self {
        Self { town, followers }
    }

    /// Adds the handler of requests to the service's subscription.
    pub(crate) fn on(&self, router: Router) -> Result<Router, Error> {
        let this = self.clone();
        router.on(move |event: NpcDirectiveRequested, message: Message| {
            let this = this.clone();
            async move { this.handle(&event, &message).await }
        })
    }

    async fn handle(
        &self,
        event: &NpcDirectiveRequested,
        message: &Message,
    ) -> Result<(), HandlerError> {
        let world = message.world();
        if world != self.town.world.id {
            let text = format!("no people of world {world:.40?} are kept here; ask by REST");
            return Err(HandlerError::permanent(text));
        }
        self.followers.catch_up().await;
        let actor = if event.actor.is_empty() { message.source() } else { &event.actor };
        let by = By::new(Some(actor), Some(&event.reason)).map_err(refused)?;
        let cause = message.id.to_string();
        let wish = wish(event)?;
        self.town.direct(&by, Some(&cause), &wish).await.map_err(refused)?;
        Ok(())
    }
}

fn wish(event: &NpcDirectiveRequested) -> Result<Wish, HandlerError> {
    let named = |text: &String| (!text.is_empty()).then(|| text.clone());
    let activity = activity(event.activity).map_err(refused)?;
    Ok(Wish {
        people: event.person_ids.clone(),
        role: named(&event.role),
        region: named(&event.region_id),
        activity: activity.name().to_owned(),
        place: named(&event.place),
        minutes: event.duration_game_minutes.into(),
    })
}

/// An activity by its number in the contract.
pub(crate) fn activity(number: i32) -> Result<Activity, Problem> {
    let known = Activity::ALL.into_iter().find(|activity| *activity as i32 == number);
    known.ok_or_else(|| invalid("activity", "not known here"))
}

/// What is unavailable may come back; all else stays as it is.
fn refused(problem: Problem) -> HandlerError {
    match problem.status {
        500.. => HandlerError::temporary(problem.detail),
        _ => HandlerError::permanent(problem.detail),
    }
}

impl Town {
    /// Takes a directive.
    pub(crate) async fn direct(
        &self,
        by: &By,
        cause: Option<&str>,
        wish: &Wish,
    ) -> Result<Taken, Problem> {
        check(Names { world: &self.world, people: self.made() }, wish)?;
        let act = |before: &Before<'_>| {
            let act = Act::Direct(wish.clone());
            let command = (before.command)(act.clone());
            let people = &before.folk.people;
            let names = Names { world: &self.world, people };
            for id in &wish.people {
                names.person("people", id, first_minute(command.game))?;
            }
            let directive = wish.directive(&self.world, people, &command);
            let directive =
                directive.ok_or_else(|| Problem::internal("a checked directive has no form"))?;
            let mut directives = Directives::clone(&before.folk.directives);
            directives.push(people, directive).map_err(|error| of(&error))?;
            Ok(act)
        };
        self.command(by, cause, act).await
    }
}

/// Refuses names that the world does not have, and what is out of bounds.
fn check(names: Names<'_>, wish: &Wish) -> Result<(), Problem> {
    if wish.people.len() > PERSONS_MAX {
        let found = wish.people.len();
        return Err(invalid("people", &format!("expected at most {PERSONS_MAX}, found {found}")));
    }
    if !wish.people.is_empty() && (wish.role.is_some() || wish.region.is_some()) {
        return Err(invalid("people", "expected people by id, or a role, a region or both"));
    }
    let ids = wish.people.iter().enumerate();
    let twice = ids.map(|(at, id)| (id, wish.people[..at].contains(id))).find(|(_, twice)| *twice);
    if let Some((id, _)) = twice {
        return Err(invalid("people", &format!("expected each once, found {id} twice")));
    }
    wish.role.as_deref().map(|id| names.role(id)).transpose()?;
    wish.region.as_deref().map(|id| names.region(id)).transpose()?;
    wish.place.as_deref().map(|id| names.place("place", id)).transpose()?;
    let activity = wish.activity.parse::<Activity>();
    activity.map_err(|error| invalid("activity", &error.to_string()))?;
    if !(1..=MINUTES_MAX).contains(&wish.minutes) {
        let text = format!("expected 1 to {MINUTES_MAX}, found {}", wish.minutes);
        return Err(invalid("duration_game_minutes", &text));
    }
    Ok(())
}

fn of(error: &DirectiveError) -> Problem {
    match error {
        DirectiveError::TooMany => Problem::limit_reached(error.to_string()),
        DirectiveError::NoRoom => Problem::conflict(error.to_string()).with_field("place"),
        DirectiveError::OutOfReach => invalid("place", &error.to_string()),
        DirectiveError::Length => invalid("duration_game_minutes", &error.to_string()),
        DirectiveError::Travel => invalid("activity", &error.to_string()),
        DirectiveError::Target | DirectiveError::NoPeople => invalid("people", &error.to_string()),
    }
}

//! Directives over REST: setting, clearing, undoing, and the log of who did what.
//! Not here: what a directive must be (`requests`), what it does to people (`population`).

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Computed;
use crate::commands::{Act, Command, Commands, Wish, directive_id, first_minute};
use crate::desk::Desk;
use crate::town::{Taken, Town, minute_at};
use worldbus_population::{Directive, Directives};
use worldbus_service::{Json, NoQuery, OptionalJson, Problem, Query};
use worldbus_simulated::commands::{Act as _, By};
use worldbus_world::{GameTime, WallTime, World};

type Answer<T> = Result<Json<T>, Problem>;

/// A wish to direct some people: these persons, or all of a role, of a region, or of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DirectiveRequest {
    /// Persons' ids, at most 256.
    #[serde(default)]
    people: Vec<String>,
    /// A role's id.
    role: Option<String>,
    /// A region's id.
    region: Option<String>,
    /// An activity's short name: `worship`.
    activity: String,
    /// A place's id; where each is best off for the activity if left out.
    place: Option<String>,
    /// How long in game minutes.
    #[schema(minimum = 1, maximum = 43200)]
    duration_game_minutes: i64,
    /// Who wants it, for audit; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish to end a directive.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DirectiveClearRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearRequest {
    /// The directive's id.
    id: String,
    /// Who wants it, for audit; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish to undo the last command that is not undone yet.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = PeopleUndoRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoRequest {
    /// Who wants it, for audit; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A command that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleCommandTaken)]
pub(super) struct CommandTaken {
    /// Wall time at which the command takes effect, RFC 3339.
    effective_at: String,
    command: CommandEntry,
    /// Of an undo: the command that it undid.
    undone: Option<CommandEntry>,
}

/// The commands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleCommands)]
pub(super) struct Log {
    /// As far back as they matter, the last one first.
    commands: Vec<CommandEntry>,
}

/// A command that was taken.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = PeopleCommand)]
struct CommandEntry {
    revision: u64,
    /// `direct`, `clear`, `spawn`, `remove` or `undo`.
    verb: String,
    /// `scheduled` until it takes effect, then `active`; a directive that is over is `ended`; what
    /// an undo names is `undone`.
    state: String,
    /// The directive that it sets or ends.
    id: Option<String>,
    /// Whom it directs, adds or removes.
    people: Vec<String>,
    role: Option<String>,
    region: Option<String>,
    activity: Option<String>,
    /// Where it directs them; the home of who is added.
    place: Option<String>,
    /// How many people follow the directive: those for whom there is room.
    person_count: Option<usize>,
    /// The command that an undo undid.
    undone: Option<u64>,
    /// Game time at which it took effect.
    game_time: String,
    /// When a directive ends of itself: whole game minutes since the world's epoch.
    until_minutes: Option<i64>,
    /// Wall time at which it took effect, RFC 3339.
    effective_at: String,
    actor: String,
    reason: String,
}

/// Directs some people to do something for a while. Those for whom the place has no room stay as
/// they are; `person_count` is how many follow.
#[utoipa::path(post, path = "/api/people/directives", tag = "people",
    request_body = DirectiveRequest,
    responses((status = 200, description = "Directed.", body = CommandTaken),
        (status = 404, description = "No such person, role, region or place."),
        (status = 409, description = "The place is full, or the directives are too many.")))]
pub(super) async fn direct(
    State(desk): State<Desk>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<DirectiveRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let wish = Wish {
        people: request.people,
        role: request.role,
        region: request.region,
        activity: request.activity,
        place: request.place,
        minutes: request.duration_game_minutes,
    };
    desk.followers.catch_up().await;
    let taken = desk.town.direct(&by, None, &wish).await?;
    Ok(Json(CommandTaken::new(&desk.town, &taken)))
}

/// The commands on people, the last one first.
#[utoipa::path(get, path = "/api/people/directives", tag = "people",
    responses((status = 200, description = "The commands.", body = Log)))]
pub(super) async fn list(State(desk): State<Desk>, Query(NoQuery {}): Query<NoQuery>) -> Computed {
    let work = desk.work.clone();
    let log = move || {
        let at = Known::new(&desk.town, desk.town.view().commands);
        let entry = |command| CommandEntry::new(&at, command);
        Ok(Log { commands: at.commands.list().iter().rev().map(entry).collect() })
    };
    work.answer(log).await
}

/// Ends a directive.
#[utoipa::path(post, path = "/api/people/clear", tag = "people", request_body = ClearRequest,
    responses((status = 200, description = "Ended.", body = CommandTaken),
        (status = 404, description = "No such directive."),
        (status = 409, description = "It has ended already, or more commands than are kept.")))]
pub(super) async fn clear(
    State(desk): State<Desk>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<ClearRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    desk.followers.catch_up().await;
    let taken = desk.town.clear(&by, &request.id).await?;
    Ok(Json(CommandTaken::new(&desk.town, &taken)))
}

/// Undoes the last command that is not undone yet: its directive ends, or the one that it ended is
/// in force again; who was added goes, and who was removed is there again.
#[utoipa::path(post, path = "/api/people/undo", tag = "people",
    request_body = Option<UndoRequest>,
    responses((status = 200, description = "Undone.", body = CommandTaken),
        (status = 409, description = "There is nothing to undo, or no room for who was removed.")))]
pub(super) async fn undo(
    State(desk): State<Desk>,
    Query(NoQuery {}): Query<NoQuery>,
    OptionalJson(request): OptionalJson<UndoRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    desk.followers.catch_up().await;
    let taken = desk.town.undo(&by).await?;
    Ok(Json(CommandTaken::new(&desk.town, &taken)))
}

/// The commands as they are now, and what follows from them.
struct Known<'a> {
    world: &'a World,
    commands: Arc<Commands>,
    directives: Arc<Directives>,
    /// Now; none before there is a clock.
    minute: i64,
}

impl<'a> Known<'a> {
    fn new(town: &'a Town, commands: Arc<Commands>) -> Self {
        let minute = town.clock.clock().map(|clock| minute_at(&clock, town.now()));
        let directives = town.folk(&commands).directives;
        Self { world: &town.world, commands, directives, minute: minute.unwrap_or(i64::MIN) }
    }

    /// A directive as it is in force last, and how many people follow it.
    fn directive(&self, rev: u64) -> Option<(&Directive, usize)> {
        self.directives.last(rev)
    }

    fn state(&self, command: &Command) -> &'static str {
        let undone = |other: &Command| other.act.undoes() == Some(command.rev);
        if self.commands.list().iter().any(undone) {
            return "undone";
        }
        let directive = self.directive(command.rev).map(|(directive, _)| directive);
        let start = directive.map_or_else(|| first_minute(command.game), |of| of.start);
        match directive {
            Some(directive) if directive.end <= self.minute.max(start) => "ended",
            _ if self.minute < start => "scheduled",
            _ => "active",
        }
    }
}

impl CommandTaken {
    /// The last command of the log.
    pub(super) fn new(town: &Town, taken: &Taken) -> Self {
        let known = Known::new(town, Arc::clone(&taken.commands));
        let entry = |command: &Command| CommandEntry::new(&known, command);
        let last = known.commands.list().last();
        let undone = last.and_then(|last| known.commands.of_rev(last.act.undoes()?));
        // A command that was taken is the last one.
        Self {
            effective_at: text(taken.effective),
            command: last.map(entry).unwrap_or_default(),
            undone: undone.map(entry),
        }
    }
}

impl CommandEntry {
    fn new(known: &Known<'_>, command: &Command) -> Self {
        let plain = Self {
            revision: command.rev,
            state: known.state(command).to_owned(),
            game_time: known.world.calendar().at(command.game).to_string(),
            effective_at: text(command.at),
            actor: command.actor.clone(),
            reason: command.reason.clone(),
            ..Self::default()
        };
        match &command.act {
            Act::Direct(wish) => {
                let until = command.game.plus_us(wish.minutes * GameTime::MINUTE_US).minutes();
                Self {
                    verb: "direct".to_owned(),
                    id: Some(directive_id(command.rev)),
                    people: wish.people.clone(),
                    role: wish.role.clone(),
                    region: wish.region.clone(),
                    activity: Some(wish.activity.clone()),
                    place: wish.place.clone(),
                    person_count: known.directive(command.rev).map(|(_, count)| count),
                    until_minutes: Some(until),
                    ..plain
                }
            }
            Act::Clear { directive } => {
                Self { verb: "clear".to_owned(), id: Some(directive_id(*directive)), ..plain }
            }
            Act::Spawn(spawn) => Self {
                verb: "spawn".to_owned(),
                people: vec![spawn.id.clone()],
                role: Some(spawn.role.clone()),
                region: Some(spawn.region.clone()),
                place: Some(spawn.home.clone()),
                ..plain
            },
            Act::Remove { person } => {
                Self { verb: "remove".to_owned(), people: vec![person.clone()], ..plain }
            }
            Act::Undo { .. } => {
                Self { verb: "undo".to_owned(), undone: command.act.undoes(), ..plain }
            }
        }
    }
}

fn text(wall: WallTime) -> String {
    Timestamp::from_microsecond(wall.0).unwrap_or(Timestamp::MAX).to_string()
}

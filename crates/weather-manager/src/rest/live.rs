//! Verbs of live operations: overrides of every kind, clearing and undoing, and the log of who
//! did what. Not here: what they do to the weather (`world`), the simple verb `set` (`rest`).

use std::ops::RangeInclusive;

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::document::{CommandTaken, Log, RegionWeather};
use super::effect::{self, Effect};
use super::{Answer, Computed, Moment, Shared};
use crate::commands::{Act, Commands};
use worldbus_service::{Json, NoQuery, OptionalJson, Problem, Query};
use worldbus_simulated::commands::By;
use worldbus_world::{FADE_HOURS_MAX, GameTime, Override, OverrideError, Overrides};

/// A wish to force the weather of some regions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideRequest {
    /// Regions' ids; all regions if left out.
    #[serde(default)]
    regions: Vec<String>,
    effect: Effect,
    /// When it begins, as a game time; at once if left out.
    start: Option<String>,
    /// How long in game minutes; without it until it is cleared.
    #[schema(minimum = 1, maximum = 527040)]
    duration_game_minutes: Option<i64>,
    /// How long it takes to full strength; at once if left out.
    fade_in_game_minutes: Option<i64>,
    /// How long it takes from full strength to the end; needs a duration.
    fade_out_game_minutes: Option<i64>,
    /// Of two that are in force the higher one has the last word; 0 if left out.
    #[schema(minimum = -32768, maximum = 32767)]
    priority: Option<i64>,
    /// Who wants it, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish to let weather be what it is: that of a region, or one override.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearRequest {
    /// A region's id.
    region: Option<String>,
    /// An override's id, in place of a region.
    id: Option<String>,
    /// Who wants it, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A wish to undo the last command that is not undone yet.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoRequest {
    /// Who wants it, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// Forces the weather of some regions, or of all.
#[utoipa::path(post, path = "/api/weather/overrides", tag = "weather",
    request_body = OverrideRequest,
    responses((status = 200, description = "Forced.", body = CommandTaken),
        (status = 404, description = "No such region."),
        (status = 409, description = "More overrides than a world may have.")))]
pub(super) async fn add(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<OverrideRequest>,
) -> Answer<CommandTaken> {
    for name in &request.regions {
        shared.region(name).map_err(|problem| problem.with_field("regions"))?;
    }
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let kind = request.effect.kind()?;
    let fade_in_us = fade("fade_in_game_minutes", request.fade_in_game_minutes)?;
    let fade_out_us = fade("fade_out_game_minutes", request.fade_out_game_minutes)?;
    let priority = priority(request.priority)?;
    let length = request.duration_game_minutes.map(super::duration).transpose()?;
    let start = request.start.as_deref().map(|text| shared.game_time("start", text)).transpose()?;
    let act = |now: GameTime, _: &Commands| {
        let start = start.unwrap_or(now);
        if start < now {
            let text = "start: expected a game time that is still to come";
            return Err(Problem::unprocessable(text).with_field("start"));
        }
        let end = length.map(|minutes| start.plus_us(minutes * GameTime::MINUTE_US));
        let record = Override {
            fade_in_us,
            fade_out_us,
            priority,
            author: by.actor.clone(),
            ..Override::new(request.regions.clone(), kind.clone(), start, end)
        };
        Overrides::default().insert(record.clone()).map_err(|error| refused(&error, &request))?;
        Ok(Act::Set { record, replaces: false })
    };
    let taken = shared.command(&by, act).await?;
    Ok(Json(CommandTaken::new(&shared, &taken)))
}

/// What is forced or going to be, and the commands that led to it, the last one first.
#[utoipa::path(get, path = "/api/weather/overrides", tag = "weather",
    responses((status = 200, description = "Overrides and commands.", body = Log)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Computed {
    let log = |shared: &Shared| {
        let (view, clock) = shared.sky.clear_view()?;
        Ok(Log::new(shared, &view.commands, clock.game_at(shared.sky.now())))
    };
    shared.compute(log).await
}

/// Lets the weather of a region be what it is, or ends one override.
#[utoipa::path(post, path = "/api/weather/clear", tag = "weather", request_body = ClearRequest,
    responses((status = 200, description = "Cleared.", body = CommandTaken),
        (status = 404, description = "No such region or override."),
        (status = 409, description = "More commands than are kept.")))]
pub(super) async fn clear(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<ClearRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let region = request.region.as_deref().map(|name| shared.region(name)).transpose()?;
    let act = |_: GameTime, commands: &Commands| match (&request.region, &request.id) {
        (Some(region), None) => Ok(Act::Clear { regions: vec![region.clone()] }),
        (None, Some(id)) => Ok(Act::ClearOne { record: record_of(commands, id)? }),
        _ => {
            let text = "expected either `region` or `id`";
            Err(Problem::unprocessable(text).with_field("region"))
        }
    };
    let taken = shared.command(&by, act).await?;
    let mut answer = CommandTaken::new(&shared, &taken);
    if let Some(region) = region {
        let overrides = taken.commands.overrides(taken.effective);
        let moment = Moment::new(&shared.world, taken.clock.game_at(taken.effective));
        answer = answer.with_weather(RegionWeather::new(&shared, region, &moment, &overrides));
    }
    Ok(Json(answer))
}

/// Undoes the last command that is not undone yet: its override ends, and what it ended is in
/// force again.
#[utoipa::path(post, path = "/api/weather/undo", tag = "weather",
    request_body = Option<UndoRequest>,
    responses((status = 200, description = "Undone.", body = CommandTaken),
        (status = 409, description = "There is nothing to undo.")))]
pub(super) async fn undo(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
    OptionalJson(request): OptionalJson<UndoRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let act = |_: GameTime, commands: &Commands| match commands.undoable() {
        Some(command) => Ok(Act::Undo { undone: command.rev }),
        None => Err(Problem::conflict("there is no command left to undo")),
    };
    let taken = shared.command(&by, act).await?;
    Ok(Json(CommandTaken::new(&shared, &taken)))
}

fn record_of(commands: &Commands, id: &str) -> Result<u64, Problem> {
    let sets = commands.list().iter().filter(|c| matches!(c.act, Act::Set { .. }));
    let found = sets.into_iter().find(|command| commands.record_id(command) == id);
    found.map(|command| command.rev).ok_or_else(|| {
        let shown: String = id.chars().take(40).collect();
        let text = format!("no override {shown:?}; /api/weather/overrides lists all");
        Problem::not_found(text).with_field("id")
    })
}

/// The bounds that span more than one field, in the units and by the names of the request.
fn refused(error: &OverrideError, request: &OverrideRequest) -> Problem {
    const FADES: [&str; 2] = ["fade_in_game_minutes", "fade_out_game_minutes"];
    match error {
        OverrideError::Field { field, .. } => {
            Problem::unprocessable(error.to_string()).with_field(*field)
        }
        OverrideError::Fades { fades_us, length_us } => {
            let field = FADES[usize::from(request.fade_in_game_minutes.unwrap_or(0) == 0)];
            let [most, found] = [length_us, fades_us].map(|us| us / GameTime::MINUTE_US);
            let text = format!(
                "{field}: expected fades of at most {most} game minutes together, as long as the \
                 override, found {found}"
            );
            Problem::unprocessable(text).with_field(field)
        }
        OverrideError::EndlessFade => {
            let text = format!("{}: expected duration_game_minutes as well", FADES[1]);
            Problem::unprocessable(text).with_field(FADES[1])
        }
        OverrideError::TooMany => Problem::limit_reached(error.to_string()),
    }
}

/// A fade in game microseconds; 0 if it is left out.
fn fade(field: &'static str, minutes: Option<i64>) -> Result<i64, Problem> {
    const MINUTES: RangeInclusive<i64> = 0..=FADE_HOURS_MAX * 60;
    effect::scaled(field, minutes.unwrap_or(0) as f64, 1.0, &MINUTES)
        .map(|minutes: i64| minutes * GameTime::MINUTE_US)
}

fn priority(asked: Option<i64>) -> Result<i16, Problem> {
    const PRIORITIES: RangeInclusive<i64> = i16::MIN as i64..=i16::MAX as i64;
    effect::scaled("priority", asked.unwrap_or(0) as f64, 1.0, &PRIORITIES)
}

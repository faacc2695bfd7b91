//! Verbs of live operations: overrides of every kind, clearing and undoing, and the log of who
//! did what. Not here: what they do to the weather (`world`), the simple verb `set` (`rest`).

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use worldbus_service::{Json, Problem};
use worldbus_world::{
    Cell, GameTime, Kind, Override, OverrideError, Overrides, Waypoint, WeatherState,
};

use super::document::{CommandTaken, Log, RegionWeather};
use super::{Answer, INTENSITY_DEFAULT, Moment, Shared, permille};
use crate::commands::{Act, Commands};
use crate::sky::By;

const ACTOR_CHARS_MAX: usize = 64;
const REASON_CHARS_MAX: usize = 200;

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
    duration_game_minutes: Option<i64>,
    /// How long it takes to full strength; at once if left out.
    fade_in_game_minutes: Option<i64>,
    /// How long it takes from full strength to the end; needs a duration.
    fade_out_game_minutes: Option<i64>,
    /// Of two that are in force the higher one has the last word; 0 if left out.
    priority: Option<i16>,
    /// Who wants it, for audit; up to 64 characters.
    actor: Option<String>,
    /// Why, for audit; up to 200 characters.
    reason: Option<String>,
}

/// What an override does.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Effect {
    /// A state at an intensity.
    SetState {
        /// The state's short name.
        state: String,
        /// 0 to 1; 0.5 if left out.
        intensity: Option<f64>,
    },
    /// Warmer, windier, wetter than planned.
    Offset {
        /// Degrees Celsius that are added, -60 to 60.
        temperature_c: Option<f64>,
        /// Metres per second that are added, -50 to 50.
        wind_mps: Option<f64>,
        /// What falls is multiplied by it, 0 to 10.
        rain_factor: Option<f64>,
    },
    /// The weather stands still.
    Lock,
    /// The plan of another time of the year.
    SeasonShift {
        /// Game days, -366 to 366.
        days: i16,
    },
    /// A storm that crosses the map.
    StormCell {
        /// From where to where, up to 32 points.
        path: Vec<Point>,
        /// 1 to 2000 km.
        radius_km: f64,
        /// Kilometres in a game hour, 0 to 2000.
        speed_kmh: f64,
        /// The state in its middle.
        state: String,
        /// 0 to 1; 0.5 if left out.
        intensity: Option<f64>,
    },
}

/// A place in degrees.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Point {
    /// North.
    latitude: f64,
    /// East.
    longitude: f64,
}

/// A wish to let weather be what it is: that of a region, or one override.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearRequest {
    /// A region's id.
    region: Option<String>,
    /// An override's id, in place of a region.
    id: Option<String>,
    /// Who wants it, for audit; up to 64 characters.
    actor: Option<String>,
    /// Why, for audit; up to 200 characters.
    reason: Option<String>,
}

/// A wish to undo the last command that is not undone yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoRequest {
    /// Who wants it, for audit; up to 64 characters.
    actor: Option<String>,
    /// Why, for audit; up to 200 characters.
    reason: Option<String>,
}

/// Forces the weather of some regions, or of all.
#[utoipa::path(post, path = "/api/weather/overrides", tag = "weather",
    request_body = OverrideRequest,
    responses((status = 200, body = CommandTaken), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(shared): State<Shared>,
    Json(request): Json<OverrideRequest>,
) -> Answer<CommandTaken> {
    for name in &request.regions {
        shared.region(name).map_err(|problem| problem.with_field("regions"))?;
    }
    let by = by(request.actor.as_deref(), request.reason.as_deref())?;
    let kind = kind(&request.effect)?;
    let start = request.start.as_deref().map(|text| shared.game_time("start", text)).transpose()?;
    let act = |now: GameTime, _: &Commands| {
        let start = start.unwrap_or(now);
        if start < now {
            let text = "start: expected a game time that is still to come";
            return Err(Problem::unprocessable(text).with_field("start"));
        }
        let minutes = |minutes: i64| minutes.saturating_mul(GameTime::MINUTE_US);
        let length = request.duration_game_minutes.map(super::duration).transpose()?;
        let end = length.map(|length| start.plus_us(minutes(length)));
        let record = Override {
            fade_in_us: request.fade_in_game_minutes.map_or(0, minutes),
            fade_out_us: request.fade_out_game_minutes.map_or(0, minutes),
            priority: request.priority.unwrap_or(0),
            author: by.actor.clone(),
            ..Override::new(request.regions.clone(), kind.clone(), start, end)
        };
        Overrides::default().insert(record.clone()).map_err(refused)?;
        Ok(Act::Set { record, replaces: false })
    };
    let taken = shared.command(&by, act).await?;
    Ok(Json(CommandTaken::new(&shared, &taken)))
}

/// What is forced or going to be, and the commands that led to it, the last one first.
#[utoipa::path(get, path = "/api/weather/overrides", tag = "weather",
    responses((status = 200, body = Log), (status = 503, body = Problem)))]
pub(super) async fn list(State(shared): State<Shared>) -> Answer<Log> {
    let (view, clock) = shared.view().await?;
    let now = clock.game_at(shared.sky.now());
    Ok(Json(Log::new(&shared, &view.commands, now)))
}

/// Lets the weather of a region be what it is, or ends one override.
#[utoipa::path(post, path = "/api/weather/clear", tag = "weather", request_body = ClearRequest,
    responses((status = 200, body = CommandTaken), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn clear(
    State(shared): State<Shared>,
    Json(request): Json<ClearRequest>,
) -> Answer<CommandTaken> {
    let by = by(request.actor.as_deref(), request.reason.as_deref())?;
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
#[utoipa::path(post, path = "/api/weather/undo", tag = "weather", request_body = UndoRequest,
    responses((status = 200, body = CommandTaken), (status = 409, body = Problem)))]
pub(super) async fn undo(
    State(shared): State<Shared>,
    Json(request): Json<UndoRequest>,
) -> Answer<CommandTaken> {
    let by = by(request.actor.as_deref(), request.reason.as_deref())?;
    let act = |_: GameTime, commands: &Commands| match commands.undoable() {
        Some(command) => Ok(Act::Undo { undone: command.rev }),
        None => Err(Problem::conflict("there is no command left to undo")),
    };
    let taken = shared.command(&by, act).await?;
    Ok(Json(CommandTaken::new(&shared, &taken)))
}

/// Who and why, within their bounds.
pub(super) fn by(actor: Option<&str>, reason: Option<&str>) -> Result<By, Problem> {
    let text = |field: &'static str, text: Option<&str>, max: usize| {
        let text = text.unwrap_or_default();
        if text.chars().count() <= max && !text.chars().any(char::is_control) {
            return Ok(text.to_owned());
        }
        let wanted = format!("{field}: expected up to {max} characters and no control characters");
        Err(Problem::unprocessable(wanted).with_field(field))
    };
    Ok(By {
        actor: text("actor", actor, ACTOR_CHARS_MAX)?,
        reason: text("reason", reason, REASON_CHARS_MAX)?,
    })
}

fn record_of(commands: &Commands, id: &str) -> Result<u64, Problem> {
    let sets = commands.list().iter().filter(|c| matches!(c.act, Act::Set { .. }));
    let found = sets.into_iter().find(|command| command.record_id(commands) == id);
    found.map(|command| command.rev).ok_or_else(|| {
        let shown: String = id.chars().take(40).collect();
        let text = format!("no override {shown:?}; /api/weather/overrides lists all");
        Problem::not_found(text).with_field("id")
    })
}

fn kind(effect: &Effect) -> Result<Kind, Problem> {
    Ok(match effect {
        Effect::SetState { state, intensity } => {
            let intensity_permille = intensity_of(*intensity)?;
            Kind::SetState { state: state_of(state)?, intensity_permille }
        }
        Effect::Offset { temperature_c, wind_mps, rain_factor } => Kind::Offset {
            temperature_dc: scaled("temperature_c", temperature_c.unwrap_or(0.0), 10.0)?,
            wind_dmps: scaled("wind_mps", wind_mps.unwrap_or(0.0), 10.0)?,
            rain_permille: scaled("rain_factor", rain_factor.unwrap_or(1.0), 1000.0)?,
        },
        Effect::Lock => Kind::Lock,
        Effect::SeasonShift { days } => Kind::SeasonShift { days: *days },
        Effect::StormCell { path, radius_km, speed_kmh, state, intensity } => {
            Kind::StormCell(Cell {
                path: path.iter().map(waypoint).collect::<Result<_, _>>()?,
                radius_m: scaled("radius_km", *radius_km, 1000.0)?,
                speed_mph: scaled("speed_kmh", *speed_kmh, 1000.0)?,
                state: state_of(state)?,
                intensity_permille: intensity_of(*intensity)?,
            })
        }
    })
}

fn waypoint(point: &Point) -> Result<Waypoint, Problem> {
    Ok(Waypoint {
        latitude_mdeg: scaled("path.latitude", point.latitude, 1000.0)?,
        longitude_mdeg: scaled("path.longitude", point.longitude, 1000.0)?,
    })
}

/// A number as an integer of smaller units. What does not fit, or is no number, is refused.
fn scaled<T: TryFrom<i64>>(field: &'static str, value: f64, units: f64) -> Result<T, Problem> {
    let scaled = (value * units).round();
    let whole = (scaled.abs() < 1e15).then_some(scaled as i64);
    whole.and_then(|whole| T::try_from(whole).ok()).ok_or_else(|| {
        let text = format!("{field}: the number {value} is out of bounds");
        Problem::unprocessable(text).with_field(field)
    })
}

fn state_of(name: &str) -> Result<WeatherState, Problem> {
    let state: Result<WeatherState, _> = name.parse();
    state.map_err(|error| Problem::unprocessable(format!("state: {error}")).with_field("state"))
}

fn intensity_of(intensity: Option<f64>) -> Result<u16, Problem> {
    intensity.map_or(Ok(INTENSITY_DEFAULT), permille)
}

/// The bounds are those of the world's records, in their smaller units.
fn refused(error: OverrideError) -> Problem {
    match &error {
        OverrideError::Field { field, .. } => {
            Problem::unprocessable(error.to_string()).with_field(*field)
        }
        _ => Problem::conflict(error.to_string()),
    }
}

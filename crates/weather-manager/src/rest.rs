//! The weather's REST routes. Not here: access, the port, what commands do (`sky`).

mod document;
mod effect;
mod live;
mod plan;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::INTENSITY_DEFAULT;
use crate::commands::{Act, Commands};
use crate::sky::{Sky, Taken};
use document::{Changed, Forecast, Moment, Now, RegionList, RegionWeather};
use worldbus_service::{Json, NoQuery, Problem, Query, Work};
use worldbus_simulated::SharedClock;
use worldbus_simulated::commands::By;
use worldbus_simulated::follow::Follower;
use worldbus_world::{
    DateTime, FORECAST_HOURS_MAX, GameTime, Kind, Override, Overrides, Weather, WeatherState, World,
};

const FORECAST_HOURS_DEFAULT: i64 = 24;
/// A year of Earth, in any calendar: the longest duration of an override.
const DURATION_GAME_MINUTES_MAX: i64 = 366 * 1_440;
/// How alike a suggested name is, 0 to 1.
const SUGGESTION_LIKENESS_MIN: f64 = 0.7;

type Answer<T> = Result<Json<T>, Problem>;
/// An answer that was computed off the async threads.
type Computed = Result<Response, Problem>;

#[derive(Clone)]
struct Shared {
    world: Arc<World>,
    weather: Arc<Weather>,
    sky: Arc<Sky>,
    follower: Arc<Follower<SharedClock>>,
    work: Work,
}

/// Which region.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CurrentQuery {
    /// A region's id; all regions if left out.
    region: Option<String>,
}

/// Which region, and how far ahead.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ForecastQuery {
    /// A region's id.
    #[param(required)]
    region: Option<String>,
    /// Game hours from the current one; 24 if left out.
    #[param(minimum = 1, maximum = 168)]
    hours: Option<i64>,
    /// `true`, what is going to be, or `fallible`, what people of the world would expect; `true`
    /// if left out.
    #[param(inline)]
    kind: Option<ForecastKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ForecastKind {
    True,
    Fallible,
}

/// A wish to force the weather of a region.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WeatherSetRequest)]
#[serde(deny_unknown_fields)]
struct SetRequest {
    /// A region's id.
    region: String,
    /// The state's short name: `heavy_rain`.
    state: String,
    /// Position inside the state's own band; 0.5 if left out.
    #[schema(minimum = 0, maximum = 1)]
    intensity: Option<f64>,
    /// How long in game minutes; without it until it is cleared or set again.
    #[schema(minimum = 1, maximum = 527040)]
    duration_game_minutes: Option<i64>,
    /// Who wants it, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    paths(
        regions,
        current,
        forecast,
        set,
        live::clear,
        live::add,
        live::list,
        live::undo,
        plan::at,
        plan::history,
        plan::statistics,
        plan::alerts
    ),
    tags((name = "weather", description = "The weather of a world's regions: now, at other \
        times, and what is forced on it."))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(
    world: Arc<World>,
    sky: Arc<Sky>,
    follower: Arc<Follower<SharedClock>>,
    work: Work,
) -> Router {
    let weather = Arc::new(Weather::new(&world));
    Router::new()
        .route("/api/weather/regions", get(regions))
        .route("/api/weather/current", get(current))
        .route("/api/weather/forecast", get(forecast))
        .route("/api/weather/set", post(set))
        .route("/api/weather/clear", post(live::clear))
        .route("/api/weather/overrides", get(live::list).post(live::add))
        .route("/api/weather/undo", post(live::undo))
        .route("/api/weather/at", get(plan::at))
        .route("/api/weather/history", get(plan::history))
        .route("/api/weather/statistics", get(plan::statistics))
        .route("/api/weather/alerts", get(plan::alerts))
        .with_state(Shared { world, weather, sky, follower, work })
}

/// The world's regions.
#[utoipa::path(get, path = "/api/weather/regions", tag = "weather",
    responses((status = 200, description = "The regions.", body = RegionList)))]
async fn regions(State(shared): State<Shared>, Query(NoQuery {}): Query<NoQuery>) -> Computed {
    let world = Arc::clone(&shared.world);
    shared.work.answer(move || Ok(RegionList::new(&world))).await
}

/// The weather now: of one region, or of all as `{"regions": [...]}`.
#[utoipa::path(get, path = "/api/weather/current", tag = "weather", params(CurrentQuery),
    responses((status = 200, description = "The weather.", body = Now),
        (status = 404, description = "No such region.")))]
async fn current(State(shared): State<Shared>, Query(query): Query<CurrentQuery>) -> Computed {
    let Some(name) = query.region else {
        return shared.compute(Now::all).await;
    };
    shared.follower.catch_up().await;
    Ok(Json(Now::one(&shared, shared.region(&name)?)?).into_response())
}

/// The weather to come, one entry for each game hour from the current one: it comes true
/// unless somebody forces it. A fallible one does not: it is wrong by more the further ahead it
/// looks, says so, and knows nothing of what is forced later.
#[utoipa::path(get, path = "/api/weather/forecast", tag = "weather", params(ForecastQuery),
    responses((status = 200, description = "The weather, hour by hour.", body = Forecast),
        (status = 404, description = "No such region.")))]
async fn forecast(State(shared): State<Shared>, Query(query): Query<ForecastQuery>) -> Computed {
    let name = query.region.ok_or_else(|| {
        let text = "query parameter `region`: expected a region's id; /api/weather/regions lists";
        Problem::bad_request(text).with_field("region")
    })?;
    let region = shared.region(&name)?;
    let hours = hours(query.hours.unwrap_or(FORECAST_HOURS_DEFAULT))?;
    let kind = query.kind.unwrap_or(ForecastKind::True);
    let forecast = move |shared: &Shared| {
        // Commands that are taken but not in effect yet are part of what is to come.
        let (overrides, now) = shared.known()?;
        Ok(match kind {
            ForecastKind::True => Forecast::new(shared, region, now, hours, &overrides),
            ForecastKind::Fallible => Forecast::fallible(shared, region, now, hours, &overrides),
        })
    };
    shared.compute(forecast).await
}

/// Forces the weather of a region.
#[utoipa::path(post, path = "/api/weather/set", tag = "weather", request_body = SetRequest,
    responses((status = 200, description = "Forced.", body = Changed),
        (status = 404, description = "No such region."),
        (status = 409, description = "More overrides than a world may have.")))]
async fn set(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<SetRequest>,
) -> Answer<Changed> {
    let region = shared.region(&request.region)?;
    let state: WeatherState = request
        .state
        .parse()
        .map_err(|error| Problem::unprocessable(format!("state: {error}")).with_field("state"))?;
    let intensity_permille = request.intensity.map(permille).transpose()?;
    let minutes = request.duration_game_minutes.map(duration).transpose()?;
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let act = |start: GameTime, _: &Commands| {
        let end = minutes.map(|m| GameTime::from_minutes(m).plus_us(start.0));
        let intensity_permille = intensity_permille.unwrap_or(INTENSITY_DEFAULT);
        let kind = Kind::SetState { state, intensity_permille };
        let record = Override::new(vec![request.region.clone()], kind, start, end);
        let record = Override { author: by.actor.clone(), ..record };
        Ok(Act::Set { record, replaces: true })
    };
    let taken = shared.command(&by, act).await?;
    Ok(Json(shared.changed(region, &taken)))
}

impl Shared {
    /// Computes an answer off the async threads, which knows all that was announced before the
    /// request.
    async fn compute<T: Serialize>(
        self,
        compute: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Computed {
        self.follower.catch_up().await;
        let work = self.work.clone();
        work.answer(move || compute(&self)).await
    }

    /// What is forced now, and the game time now.
    fn in_effect(&self) -> Result<(Overrides, GameTime), Problem> {
        let (view, clock) = self.sky.clear_view()?;
        let wall = self.sky.now();
        Ok((view.commands.overrides(wall), clock.game_at(wall)))
    }

    /// What is and is going to be forced, and the game time now.
    fn known(&self) -> Result<(Overrides, GameTime), Problem> {
        let (view, clock) = self.sky.clear_view()?;
        Ok((view.commands.overrides_with(u64::MAX), clock.game_at(self.sky.now())))
    }

    /// Takes a command under the clock that was announced before it.
    async fn command(
        &self,
        by: &By,
        act: impl Fn(GameTime, &Commands) -> Result<Act, Problem>,
    ) -> Result<Taken, Problem> {
        self.follower.catch_up().await;
        self.sky.command(by, None, act).await
    }

    fn changed(&self, region: usize, taken: &Taken) -> Changed {
        let overrides = taken.commands.overrides(taken.effective);
        let moment = Moment::new(&self.world, taken.clock.game_at(taken.effective));
        let weather = RegionWeather::new(self, region, &moment, &overrides);
        Changed::new(taken.effective, weather)
    }

    fn game_text(&self, game: GameTime) -> String {
        self.world.calendar().at(game).to_string()
    }

    /// A game time as people write it: `2024-03-01T06:00:00`, or whole game minutes since the
    /// world's epoch.
    fn game_time(&self, field: &'static str, text: &str) -> Result<GameTime, Problem> {
        if let Ok(minutes) = text.parse() {
            return Ok(GameTime::from_minutes(minutes));
        }
        let wrong = |why: String| {
            let shown: String = text.chars().take(40).collect();
            let text = format!(
                "{field}: expected a game time such as 2024-03-01T06:00:00 or whole game minutes \
                 since the world's epoch, found {shown:?}{why}"
            );
            Problem::bad_request(text).with_field(field)
        };
        let date: DateTime = text.parse().map_err(|_| wrong(String::new()))?;
        let time = self.world.calendar().game_time(&date);
        time.map_err(|error| wrong(format!(": {error}")))
    }

    fn region(&self, name: &str) -> Result<usize, Problem> {
        self.world.region_index(name).ok_or_else(|| {
            let shown: String = name.chars().take(40).collect();
            let near = self.near(&shown);
            let hint = if near.is_empty() { String::new() } else { format!("; near: {near}") };
            let text = format!(
                "no region {shown:?} in {}{hint}; /api/weather/regions lists all",
                self.world.id
            );
            Problem::not_found(text).with_field("region")
        })
    }

    fn near(&self, name: &str) -> String {
        let name = name.to_lowercase();
        let like = |id: &str| strsim::jaro_winkler(id, &name);
        let ids = self.world.regions.iter().map(|region| region.id.as_str());
        let mut near: Vec<_> =
            ids.map(|id| (like(id), id)).filter(|(l, _)| *l >= SUGGESTION_LIKENESS_MIN).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let names: Vec<_> = near.iter().take(3).map(|(_, id)| *id).collect();
        names.join(", ")
    }
}

fn hours(hours: i64) -> Result<u32, Problem> {
    let fits = u32::try_from(hours).ok().filter(|h| (1..=FORECAST_HOURS_MAX).contains(h));
    fits.ok_or_else(|| {
        let wanted = format!("expected 1 to {FORECAST_HOURS_MAX} game hours, found {hours}");
        Problem::bad_request(format!("query parameter `hours`: {wanted}")).with_field("hours")
    })
}

fn permille(intensity: f64) -> Result<u16, Problem> {
    if (0.0..=1.0).contains(&intensity) {
        return Ok((intensity * 1000.0).round() as u16);
    }
    let text = format!("intensity: expected a number from 0 to 1, found {intensity}");
    Err(Problem::unprocessable(text).with_field("intensity"))
}

fn duration(minutes: i64) -> Result<i64, Problem> {
    if (1..=DURATION_GAME_MINUTES_MAX).contains(&minutes) {
        return Ok(minutes);
    }
    let wanted = format!("1 to {DURATION_GAME_MINUTES_MAX}");
    let text = format!("duration_game_minutes: expected {wanted}, found {minutes}");
    Err(Problem::unprocessable(text).with_field("duration_game_minutes"))
}

//! The people's REST routes. Not here: access, the port, what people do (`population`).

mod commands;
mod document;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi};

use crate::followers::Followers;
use crate::requests::shown;
use crate::town::{Town, minute_at};
use document::{Page, Person, Places, Plan, Reasons, Statistics};
use worldbus_population::{Activity, Planner, Population, Skies, Span};
use worldbus_service::{NoQuery, Path, Problem, Query, Work};
use worldbus_world::{Weather, World};

/// People of a page by default.
const LIMIT_DEFAULT: usize = 100;
/// And at the most.
const LIMIT_MAX: i64 = 1_000;
/// People that are looked at for a page: where few fit, a page has fewer than asked for.
const LOOKED_COUNT_MAX: usize = 10_000;
const PLAN_HOURS_DEFAULT: i64 = 24;
const PLAN_HOURS_MAX: i64 = 168;

/// An answer that was computed off the async threads.
type Computed = Result<Response, Problem>;

#[derive(Clone)]
struct Shared {
    town: Arc<Town>,
    weather: Arc<Weather>,
    followers: Followers,
    work: Work,
}

/// What people do now.
struct Now {
    planner: Planner,
    /// Whole game minutes since the world's epoch.
    minute: i64,
}

/// Which people.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PeopleQuery {
    /// A region's id.
    region: Option<String>,
    /// A role's id.
    role: Option<String>,
    /// A place's id: where they are, or go.
    place: Option<String>,
    /// An activity's short name: `work`.
    activity: Option<String>,
    /// How many; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which region.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RegionQuery {
    /// A region's id; all regions if left out.
    region: Option<String>,
}

/// How far ahead.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PlanQuery {
    /// Game hours from now on; 24 if left out.
    #[param(minimum = 1, maximum = 168)]
    hours: Option<i64>,
}

/// A page's conditions, by ranks.
struct Conditions {
    region: Option<usize>,
    role: Option<usize>,
    place: Option<usize>,
    activity: Option<Activity>,
    limit: usize,
    from: usize,
}

#[derive(OpenApi)]
#[openapi(
    paths(
        list,
        person,
        plan,
        why,
        statistics,
        places,
        commands::direct,
        commands::list,
        commands::clear,
        commands::undo
    ),
    tags((name = "people", description = "The people of a world: what they do, why, and what they \
        are directed to do."))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn routes(town: Arc<Town>, followers: Followers, work: Work) -> Router {
    let weather = Arc::new(Weather::new(&town.world));
    Router::new()
        .route("/api/people", get(list))
        .route("/api/people/statistics", get(statistics))
        .route("/api/people/directives", get(commands::list).post(commands::direct))
        .route("/api/people/clear", post(commands::clear))
        .route("/api/people/undo", post(commands::undo))
        .route("/api/people/{id}", get(person))
        .route("/api/people/{id}/plan", get(plan))
        .route("/api/people/{id}/why", get(why))
        .route("/api/places", get(places))
        .with_state(Shared { town, weather, followers, work })
}

/// The people, and what each does now.
#[utoipa::path(get, path = "/api/people", tag = "people", params(PeopleQuery),
    responses((status = 200, description = "A page of people.", body = Page),
        (status = 404, description = "No such region, role or place.")))]
async fn list(State(shared): State<Shared>, Query(query): Query<PeopleQuery>) -> Computed {
    let conditions = shared.conditions(&query)?;
    shared.compute(move |shared, now| Ok(page(shared, &now, &conditions))).await
}

/// A person, and what it does now.
#[utoipa::path(get, path = "/api/people/{id}", tag = "people",
    params(("id" = String, Path, description = "A person's id.")),
    responses((status = 200, description = "The person.", body = Person),
        (status = 404, description = "No such person.")))]
async fn person(
    State(shared): State<Shared>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
) -> Computed {
    let rank = shared.person(&id)?;
    shared.compute(move |shared, now| Ok(Person::new(&shared.town, rank, &now.of(rank)))).await
}

/// What a person is going to do from now on, without gaps: it comes true unless the
/// weather is forced or a directive is set.
#[utoipa::path(get, path = "/api/people/{id}/plan", tag = "people",
    params(("id" = String, Path, description = "A person's id."), PlanQuery),
    responses((status = 200, description = "The plan.", body = Plan),
        (status = 404, description = "No such person.")))]
async fn plan(
    State(shared): State<Shared>,
    Path(id): Path,
    Query(query): Query<PlanQuery>,
) -> Computed {
    let rank = shared.person(&id)?;
    let hours = query.hours.unwrap_or(PLAN_HOURS_DEFAULT);
    if !(1..=PLAN_HOURS_MAX).contains(&hours) {
        let text =
            format!("query parameter `hours`: expected 1 to {PLAN_HOURS_MAX}, found {hours}");
        return Err(Problem::bad_request(text).with_field("hours"));
    }
    let answer = move |shared: &Shared, now: Now| {
        let spans = now.planner.spans(rank, now.minute, now.minute + hours * 60);
        Ok(Plan::new(&shared.town.people, now.minute, &spans))
    };
    shared.compute(answer).await
}

/// Why a person does what it does: what there was to choose from when it decided last, and what
/// each score was made of.
#[utoipa::path(get, path = "/api/people/{id}/why", tag = "people",
    params(("id" = String, Path, description = "A person's id.")),
    responses((status = 200, description = "The reasons, the chosen one first.", body = Reasons),
        (status = 404, description = "No such person.")))]
async fn why(
    State(shared): State<Shared>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
) -> Computed {
    let rank = shared.person(&id)?;
    let answer = move |shared: &Shared, now: Now| {
        let why = now.planner.why(rank, now.minute);
        Ok(Reasons::new(&shared.town.people, &now.of(rank), &why))
    };
    shared.compute(answer).await
}

/// How many people do what now.
#[utoipa::path(get, path = "/api/people/statistics", tag = "people", params(RegionQuery),
    responses((status = 200, description = "The counts.", body = Statistics),
        (status = 404, description = "No such region.")))]
async fn statistics(State(shared): State<Shared>, Query(query): Query<RegionQuery>) -> Computed {
    let region = shared.region(query.region.as_deref())?;
    let answer = move |shared: &Shared, now: Now| {
        let people = &shared.town.people;
        let spans = everyone(people, region).map(|rank| now.of(rank));
        Ok(Statistics::new(people, spans))
    };
    shared.compute(answer).await
}

/// The places, and who is there now.
#[utoipa::path(get, path = "/api/places", tag = "people", params(RegionQuery),
    responses((status = 200, description = "The places.", body = Places),
        (status = 404, description = "No such region.")))]
async fn places(State(shared): State<Shared>, Query(query): Query<RegionQuery>) -> Computed {
    let region = shared.region(query.region.as_deref())?;
    let answer = move |shared: &Shared, now: Now| {
        let people = &shared.town.people;
        let spans = everyone(people, region).map(|rank| now.of(rank));
        Ok(Places::new(&shared.town, region, spans))
    };
    shared.compute(answer).await
}

fn everyone(people: &Population, region: Option<usize>) -> std::ops::Range<usize> {
    region.map_or(0..people.len(), |region| people.people_of(region))
}

fn page(shared: &Shared, now: &Now, conditions: &Conditions) -> Page {
    let people = &shared.town.people;
    let all = everyone(people, conditions.region);
    let from = conditions.from.max(all.start);
    let (mut found, mut next) = (Vec::new(), None);
    for (looked, rank) in (from..all.end).enumerate() {
        if found.len() == conditions.limit || looked == LOOKED_COUNT_MAX {
            next = Some(rank.to_string());
            break;
        }
        let role = usize::from(people.person(rank).role);
        if conditions.role.is_some_and(|wanted| wanted != role) {
            continue;
        }
        let span = now.of(rank);
        let fits = conditions.place.is_none_or(|place| place == span.place)
            && conditions.activity.is_none_or(|activity| activity == span.activity);
        if fits {
            found.push(document::Entry::new(&shared.town, rank, &span));
        }
    }
    Page { people: found, next }
}

impl Now {
    fn of(&self, person: usize) -> Span {
        self.planner.activity(person, self.minute)
    }
}

impl Shared {
    /// Computes an answer off the async threads, which knows all that was announced before the
    /// request.
    async fn compute<T: Serialize>(
        self,
        compute: impl FnOnce(&Self, Now) -> Result<T, Problem> + Send + 'static,
    ) -> Computed {
        self.followers.catch_up().await;
        let work = self.work.clone();
        work.answer(move || compute(&self, self.now()?)).await
    }

    /// By all that is known, also of commands that have not taken effect.
    fn now(&self) -> Result<Now, Problem> {
        let town = &self.town;
        let (clock, weather, view) = (town.clock.known()?, town.overrides.known()?, town.view());
        let skies = Skies::new(Arc::clone(&self.weather), weather.overrides.clone());
        let directives = town.directives(&view.commands);
        let planner = Planner::new(Arc::clone(&town.people), skies, directives);
        Ok(Now { planner, minute: minute_at(&clock, town.now()) })
    }

    fn person(&self, id: &str) -> Result<usize, Problem> {
        self.town.people.rank(id).ok_or_else(|| {
            let text =
                format!("no person {} in {}; /api/people lists all", shown(id), self.world().id);
            Problem::not_found(text).with_field("id")
        })
    }

    fn region(&self, id: Option<&str>) -> Result<Option<usize>, Problem> {
        let find = |id: &str| self.world().region_index(id);
        named("region", id, &find, &self.world().id)
    }

    fn conditions(&self, query: &PeopleQuery) -> Result<Conditions, Problem> {
        let people = &self.town.people;
        let world = &self.world().id;
        let activity = query.activity.as_deref().map(str::parse::<Activity>).transpose();
        let activity = activity.map_err(|error| {
            let text = format!("query parameter `activity`: {error}");
            Problem::bad_request(text).with_field("activity")
        })?;
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT as i64);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let text = format!("query parameter `limit`: expected 1 to {LIMIT_MAX}, found {limit}");
            return Err(Problem::bad_request(text).with_field("limit"));
        }
        let cursor = query.cursor.as_deref().map(str::parse::<usize>).transpose();
        let cursor = cursor.map_err(|_| {
            let text = "query parameter `cursor`: expected `next` of the page before";
            Problem::bad_request(text).with_field("cursor")
        })?;
        let (role, place) = (query.role.as_deref(), query.place.as_deref());
        Ok(Conditions {
            region: self.region(query.region.as_deref())?,
            role: named("role", role, &|id| people.role_rank(id), world)?,
            place: named("place", place, &|id| people.place_rank(id), world)?,
            activity,
            limit: limit as usize,
            from: cursor.unwrap_or(0),
        })
    }

    fn world(&self) -> &World {
        &self.town.world
    }
}

/// The rank of what a query names.
fn named(
    field: &'static str,
    id: Option<&str>,
    find: &dyn Fn(&str) -> Option<usize>,
    world: &str,
) -> Result<Option<usize>, Problem> {
    let Some(id) = id else { return Ok(None) };
    find(id).map(Some).ok_or_else(|| {
        Problem::not_found(format!("no {field} {} in {world}", shown(id))).with_field(field)
    })
}

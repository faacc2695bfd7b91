//! The people's REST routes. Not here: access, the port, what people do (`population`).

mod commands;
mod document;
mod residents;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi};

use crate::agenda::Present;
use crate::desk::{Desk, PLAN_HOURS_DEFAULT, Wanted, check_hours};
use document::{Entry, Overview, Page, Person, Places, Plan, Reasons, Statistics};
use worldbus_service::{NoQuery, Path, Problem, Query};

/// An answer that was computed off the async threads.
type Computed = Result<Response, Problem>;

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

#[derive(OpenApi)]
#[openapi(
    paths(
        list,
        person,
        plan,
        why,
        statistics,
        overview,
        places,
        residents::spawn,
        residents::remove,
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

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/api/people", get(list).post(residents::spawn))
        .route("/api/people/overview", get(overview))
        .route("/api/people/statistics", get(statistics))
        .route("/api/people/directives", get(commands::list).post(commands::direct))
        .route("/api/people/clear", post(commands::clear))
        .route("/api/people/undo", post(commands::undo))
        .route("/api/people/{id}", get(person).delete(residents::remove))
        .route("/api/people/{id}/plan", get(plan))
        .route("/api/people/{id}/why", get(why))
        .route("/api/places", get(places))
        .with_state(desk)
}

/// The people, and what each does now.
#[utoipa::path(get, path = "/api/people", tag = "people", params(PeopleQuery),
    responses((status = 200, description = "A page of people.", body = Page),
        (status = 404, description = "No such region, role or place.")))]
async fn list(State(desk): State<Desk>, Query(query): Query<PeopleQuery>) -> Computed {
    let wanted = Wanted {
        region: query.region.as_deref(),
        role: query.role.as_deref(),
        place: query.place.as_deref(),
        activity: query.activity.as_deref(),
        limit: query.limit,
        cursor: query.cursor.as_deref(),
    };
    let conditions = desk.conditions(&wanted)?;
    let answer = move |desk: &Desk, now: &Present<'_>| {
        let (page, next) = conditions.page(now);
        let entry = |rank: usize| Entry::new(desk.world(), now.people(), rank, &now.span(rank));
        Ok(Page { people: page.into_iter().map(entry).collect(), next })
    };
    compute(desk, answer).await
}

/// A person, and what it does now.
#[utoipa::path(get, path = "/api/people/{id}", tag = "people",
    params(("id" = String, Path, description = "A person's id.")),
    responses((status = 200, description = "The person.", body = Person),
        (status = 404, description = "No such person.")))]
async fn person(
    State(desk): State<Desk>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
) -> Computed {
    let answer = move |desk: &Desk, now: &Present<'_>| {
        let rank = desk.person(now, &id)?;
        Ok(Person::new(desk.world(), now.people(), rank, &now.span(rank)))
    };
    compute(desk, answer).await
}

/// What a person is going to do from now on, without gaps: it comes true unless the
/// weather is forced or a directive is set.
#[utoipa::path(get, path = "/api/people/{id}/plan", tag = "people",
    params(("id" = String, Path, description = "A person's id."), PlanQuery),
    responses((status = 200, description = "The plan.", body = Plan),
        (status = 404, description = "No such person.")))]
async fn plan(
    State(desk): State<Desk>,
    Path(id): Path,
    Query(query): Query<PlanQuery>,
) -> Computed {
    let hours = query.hours.unwrap_or(PLAN_HOURS_DEFAULT);
    check_hours(hours)?;
    let answer = move |desk: &Desk, now: &Present<'_>| {
        let rank = desk.person(now, &id)?;
        Ok(Plan::new(desk.world(), now, &now.plan(rank, hours)))
    };
    compute(desk, answer).await
}

/// Why a person does what it does: what there was to choose from when it decided last, and what
/// each score was made of.
#[utoipa::path(get, path = "/api/people/{id}/why", tag = "people",
    params(("id" = String, Path, description = "A person's id.")),
    responses((status = 200, description = "The reasons, the chosen one first.", body = Reasons),
        (status = 404, description = "No such person.")))]
async fn why(
    State(desk): State<Desk>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
) -> Computed {
    let answer = move |desk: &Desk, now: &Present<'_>| {
        let rank = desk.person(now, &id)?;
        let why = now.why(rank);
        Ok(Reasons::new(desk.world(), now.people(), &now.span(rank), &why))
    };
    compute(desk, answer).await
}

/// How many people do what now.
#[utoipa::path(get, path = "/api/people/statistics", tag = "people", params(RegionQuery),
    responses((status = 200, description = "The counts.", body = Statistics),
        (status = 404, description = "No such region.")))]
async fn statistics(State(desk): State<Desk>, Query(query): Query<RegionQuery>) -> Computed {
    let region = desk.region(query.region.as_deref())?;
    compute(desk, move |_, now| Ok(Statistics::from(now.count(region)))).await
}

/// How many people do what now, region by region.
#[utoipa::path(get, path = "/api/people/overview", tag = "people",
    responses((status = 200, description = "The counts.", body = Overview)))]
async fn overview(State(desk): State<Desk>, Query(NoQuery {}): Query<NoQuery>) -> Computed {
    compute(desk, |desk, now| Ok(Overview::new(desk.world(), now))).await
}

/// The places, and who is there now.
#[utoipa::path(get, path = "/api/places", tag = "people", params(RegionQuery),
    responses((status = 200, description = "The places.", body = Places),
        (status = 404, description = "No such region.")))]
async fn places(State(desk): State<Desk>, Query(query): Query<RegionQuery>) -> Computed {
    let region = desk.region(query.region.as_deref())?;
    let answer = move |desk: &Desk, now: &Present<'_>| {
        let doing = now.everyone(region).map(|rank| now.doing(rank));
        Ok(Places::new(&desk.town.world, now.people(), region, doing))
    };
    compute(desk, answer).await
}

/// Computes an answer off the async threads, which knows all that was announced before the request.
async fn compute<T: Serialize>(
    desk: Desk,
    answer: impl FnOnce(&Desk, &Present<'_>) -> Result<T, Problem> + Send + 'static,
) -> Computed {
    desk.followers.catch_up().await;
    let work = desk.work.clone();
    work.answer(move || desk.now(|now| answer(&desk, now))).await
}

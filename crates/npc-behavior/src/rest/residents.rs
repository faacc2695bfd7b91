//! Adding and removing people over REST. Not here: what is checked (`town`), the other commands
//! (`commands`).

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::commands::CommandTaken;
use crate::desk::Desk;
use crate::town::Wanted;
use worldbus_service::{Json, NoQuery, OptionalJson, Path, Problem, Query};
use worldbus_simulated::commands::By;

type Answer<T> = Result<Json<T>, Problem>;

/// A wish to add a person, as the world's file has those that it names.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PersonSpawnRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct SpawnRequest {
    /// An id that no one has or had: lower case letters, digits, - and _.
    #[schema(max_length = 64)]
    id: String,
    /// The id if left out.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// A region's id.
    region: String,
    /// A role's id.
    role: String,
    /// A home's id; one with room if left out.
    home: Option<String>,
    /// The id of a place where its role works; one with room near home if left out.
    workplace: Option<String>,
    /// Seeks company; drawn from the world's seed if left out, as the other traits.
    #[schema(maximum = 1000)]
    sociable: Option<u16>,
    /// Goes to temples.
    #[schema(maximum = 1000)]
    devout: Option<u16>,
    /// Does not mind the weather.
    #[schema(maximum = 1000)]
    hardy: Option<u16>,
    /// Sticks to the routine.
    #[schema(maximum = 1000)]
    diligent: Option<u16>,
    /// Who wants it, for audit; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// Who wants a person removed, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = PersonRemoveRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveRequest {
    /// Who wants it, for audit; at most 64 bytes on one line.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit; at most 200 bytes on one line.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// Adds a person to the world, with a home, a workplace and places to go to that have room. No one
/// else does anything else because of it.
#[utoipa::path(post, path = "/api/people", tag = "people", request_body = SpawnRequest,
    responses((status = 200, description = "Added.", body = CommandTaken),
        (status = 404, description = "No such region, role or place."),
        (status = 409, description = "The id is taken, there is no room, or more commands than are \
            kept.")))]
pub(super) async fn spawn(
    State(desk): State<Desk>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(request): Json<SpawnRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let wanted = Wanted {
        id: request.id,
        name: request.name,
        region: request.region,
        role: request.role,
        home: request.home,
        workplace: request.workplace,
        character: [request.sociable, request.devout, request.hardy, request.diligent],
    };
    desk.followers.catch_up().await;
    let taken = desk.town.spawn(&by, &wanted).await?;
    Ok(Json(CommandTaken::new(&desk.town, &taken)))
}

/// Removes a person from the world. Its room is free for another; its id stays its own.
#[utoipa::path(delete, path = "/api/people/{id}", tag = "people",
    params(("id" = String, Path, description = "A person's id.")),
    request_body = Option<RemoveRequest>,
    responses((status = 200, description = "Removed.", body = CommandTaken),
        (status = 404, description = "No such person, or removed already."),
        (status = 409, description = "More commands than are kept.")))]
pub(super) async fn remove(
    State(desk): State<Desk>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
    OptionalJson(request): OptionalJson<RemoveRequest>,
) -> Answer<CommandTaken> {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    desk.followers.catch_up().await;
    let taken = desk.town.remove(&by, &id).await?;
    Ok(Json(CommandTaken::new(&desk.town, &taken)))
}

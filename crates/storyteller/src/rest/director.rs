//! The director's routes: how tense the story is, what is proposed, and answers. Not here: what it
//! proposes (`director`).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use crate::director::{Desk, Proposal as Made};
use worldbus_service::{Json, NoQuery, OptionalJson, Path, Problem, Query};
use worldbus_simulated::commands::By;
use worldbus_world::GameTime;

type Answer = Result<Response, Problem>;

/// What the director's routes share.
#[derive(Clone)]
pub(super) struct Directing {
    pub(super) shared: Shared,
    pub(super) desk: Arc<Desk>,
}

/// The director.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Director)]
pub(super) struct Directed {
    /// `off`, `propose` or `auto`.
    mode: String,
    game_time: String,
    /// When the director last looked whether to propose; null: not yet.
    looked: Option<String>,
    /// Incidents are proposed in this part of the cycle.
    on: bool,
    /// How tense the story is, 0 to 1000.
    tension: u16,
    /// How tense it should be.
    target: u16,
    /// The latest first.
    proposals: Vec<Proposal>,
}

/// An incident that was proposed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DirectorProposal)]
pub(super) struct Proposal {
    id: String,
    /// `storm`.
    kind: String,
    region: String,
    text: String,
    game_time: String,
    /// Until then it may be accepted.
    expires: String,
    /// `open`, `expired`, `accepted` or `rejected`.
    state: String,
    command: Command,
    tension: u16,
    target: u16,
    /// Who answered, and why.
    actor: Option<String>,
    reason: Option<String>,
}

/// The request that carries a proposal out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DirectorCommand)]
struct Command {
    event_type: String,
    payload: serde_json::Value,
}

/// Who answers, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = DirectorAnswer)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerRequest {
    /// Who answers, for audit.
    #[schema(max_length = 64)]
    actor: Option<String>,
    /// Why, for audit.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// How tense the story is, how tense it should be, and what was proposed.
#[utoipa::path(get, path = "/api/director", tag = "director",
    responses((status = 200, description = "The director.", body = Directed)))]
pub(super) async fn director(
    State(directing): State<Directing>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Answer {
    let Directing { shared, desk } = &directing;
    let now = shared.now().await?;
    let tension = desk.tension(now).await?;
    let (state, _) = desk.state().await?;
    let proposals = state.proposals.iter().rev().map(|made| Proposal::new(shared, made, now));
    let looked = Some(state.hour).filter(|hour| *hour != i64::MIN);
    let directed = Directed {
        mode: desk.mode.name().to_owned(),
        game_time: shared.game_text(now.0),
        looked: looked.map(|hour| shared.game_text(GameTime::from_hours(hour).0)),
        on: tension.on,
        tension: tension.permille,
        target: tension.target_permille,
        proposals: proposals.collect(),
    };
    Ok(Json(directed).into_response())
}

/// Accepts a proposal: publishes its request, with who and why.
#[utoipa::path(post, path = "/api/director/proposals/{id}/accept", tag = "director",
    params(("id" = String, Path, description = "The proposal's id.")),
    request_body = Option<AnswerRequest>,
    responses((status = 200, description = "Accepted.", body = Proposal),
        (status = 404, description = "No such proposal."),
        (status = 409, description = "It was answered, or its time is over.")))]
pub(super) async fn accept(
    State(directing): State<Directing>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Answer {
    answer(&directing, &id, true, request).await
}

/// Rejects a proposal.
#[utoipa::path(post, path = "/api/director/proposals/{id}/reject", tag = "director",
    params(("id" = String, Path, description = "The proposal's id.")),
    request_body = Option<AnswerRequest>,
    responses((status = 200, description = "Rejected.", body = Proposal),
        (status = 404, description = "No such proposal."),
        (status = 409, description = "It was answered, or its time is over.")))]
pub(super) async fn reject(
    State(directing): State<Directing>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Answer {
    answer(&directing, &id, false, request).await
}

async fn answer(
    Directing { shared, desk }: &Directing,
    id: &str,
    accepted: bool,
    request: AnswerRequest,
) -> Answer {
    let by = By::new(request.actor.as_deref(), request.reason.as_deref())?;
    let now = shared.now().await?;
    let made = desk.take(id, accepted, by.actor, by.reason).await?;
    Ok(Json(Proposal::new(shared, &made, now)).into_response())
}

impl Proposal {
    fn new(shared: &Shared, made: &Made, now: GameTime) -> Self {
        let state = match &made.answered {
            Some(answered) if answered.accepted => "accepted",
            Some(_) => "rejected",
            None if made.is_open(now) => "open",
            None => "expired",
        };
        Self {
            id: made.id.clone(),
            kind: made.kind.clone(),
            region: made.region.clone(),
            text: made.text.clone(),
            game_time: shared.game_text(made.game_us),
            expires: shared.game_text(made.expires_us),
            state: state.to_owned(),
            command: Command {
                event_type: made.command_type.clone(),
                payload: serde_json::from_str(&made.command).unwrap_or_default(),
            },
            tension: made.tension_permille,
            target: made.target_permille,
            actor: made.answered.as_ref().map(|answered| answered.actor.clone()),
            reason: made.answered.as_ref().map(|answered| answered.reason.clone()),
        }
    }
}

//! The same over gRPC: `worldbus.people.v1.PeopleService`. Not here: what is asked and commanded
//! (`desk`, `town`), messages (`message`).

mod message;

use axum::Router;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

use crate::agenda::Present;
use crate::commands::{Act, Wish, directive_id};
use crate::desk::{Desk, PLAN_HOURS_DEFAULT, Wanted, check_hours};
use crate::requests::activity;
use crate::town;
use crate::town::names::invalid;
use message::{activities, candidate, named, person, plan_part, taken};
use worldbus_rpc::people as rpc;
use worldbus_rpc::people::people_service_server::{PeopleService, PeopleServiceServer};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;

/// Bytes of a request: a directive for 256 persons.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

type Answer<T> = Result<Response<T>, Status>;

pub(crate) fn routes(desk: Desk) -> Router {
    let service = PeopleServiceServer::new(desk).max_decoding_message_size(REQUEST_BYTES_MAX);
    Routes::new(service).prepare().into_axum_router().reset_fallback()
}

#[tonic::async_trait]
impl PeopleService for Desk {
    async fn list(&self, request: Request<rpc::ListRequest>) -> Answer<rpc::ListResponse> {
        let asked = request.into_inner();
        let doing = match asked.activity {
            0 => None,
            number => Some(activity(number).map_err(status)?.name()),
        };
        let wanted = Wanted {
            region: named(&asked.region_id),
            role: named(&asked.role),
            place: named(&asked.place),
            activity: doing,
            limit: (asked.limit > 0).then_some(asked.limit.into()),
            cursor: named(&asked.cursor),
        };
        let conditions = self.conditions(&wanted).map_err(status)?;
        let answer = move |desk: &Self, now: &Present<'_>| {
            let (page, next) = conditions.page(now);
            let people = page.into_iter().map(|rank| person(desk.world(), now, rank)).collect();
            Ok(rpc::ListResponse { people, next_cursor: next.unwrap_or_default() })
        };
        compute(self, answer).await
    }

    async fn get(&self, request: Request<rpc::GetRequest>) -> Answer<rpc::GetResponse> {
        let id = request.into_inner().person_id;
        let answer = move |desk: &Self, now: &Present<'_>| {
            let rank = desk.person(now, &id)?;
            Ok(rpc::GetResponse { person: Some(person(desk.world(), now, rank)) })
        };
        compute(self, answer).await
    }

    async fn plan(&self, request: Request<rpc::PlanRequest>) -> Answer<rpc::PlanResponse> {
        let rpc::PlanRequest { person_id, hours } = request.into_inner();
        let hours = if hours == 0 { PLAN_HOURS_DEFAULT } else { hours.into() };
        check_hours(hours).map_err(status)?;
        let answer = move |desk: &Self, now: &Present<'_>| {
            let rank = desk.person(now, &person_id)?;
            let parts = now.plan(rank, hours).iter().map(|span| plan_part(now, span)).collect();
            Ok(rpc::PlanResponse { parts })
        };
        compute(self, answer).await
    }

    async fn why(&self, request: Request<rpc::WhyRequest>) -> Answer<rpc::WhyResponse> {
        let id = request.into_inner().person_id;
        let answer = move |desk: &Self, now: &Present<'_>| {
            let why = now.why(desk.person(now, &id)?);
            let candidates = why.candidates.iter().map(|of| candidate(now, of)).collect();
            Ok(rpc::WhyResponse { decided_minutes: why.minute, candidates })
        };
        compute(self, answer).await
    }

    async fn statistics(
        &self,
        request: Request<rpc::StatisticsRequest>,
    ) -> Answer<rpc::StatisticsResponse> {
        let asked = request.into_inner();
        let region = self.region(named(&asked.region_id)).map_err(status)?;
        let answer = move |_: &Self, now: &Present<'_>| {
            let counted = now.count(region);
            Ok(rpc::StatisticsResponse {
                total: counted.total,
                under_roof: counted.under_roof,
                activities: activities(&counted.by_activity),
            })
        };
        compute(self, answer).await
    }

    async fn direct(&self, request: Request<rpc::DirectRequest>) -> Answer<rpc::DirectResponse> {
        let asked = request.into_inner();
        let by = by(asked.by)?;
        let wish = Wish {
            people: asked.person_ids,
            role: named(&asked.role).map(str::to_owned),
            region: named(&asked.region_id).map(str::to_owned),
            activity: activity(asked.activity).map_err(status)?.name().to_owned(),
            place: named(&asked.place).map(str::to_owned),
            minutes: asked.duration_game_minutes.into(),
        };
        self.followers.catch_up().await;
        let done = self.town.direct(&by, None, &wish).await.map_err(status)?;
        let rev = done.commands.rev();
        let directives = self.town.folk(&done.commands).directives;
        let followed = directives.list().find(|(directive, _)| directive.rev == rev);
        Ok(Response::new(rpc::DirectResponse {
            taken: Some(taken(&done)),
            directive_id: directive_id(rev),
            person_count: followed.map_or(0, |(_, count)| count as u32),
        }))
    }

    async fn clear(&self, request: Request<rpc::ClearRequest>) -> Answer<rpc::ClearResponse> {
        let rpc::ClearRequest { directive_id, by: who } = request.into_inner();
        let by = by(who)?;
        self.followers.catch_up().await;
        let done = self.town.clear(&by, &directive_id).await.map_err(status)?;
        Ok(Response::new(rpc::ClearResponse { taken: Some(taken(&done)) }))
    }

    async fn spawn(&self, request: Request<rpc::SpawnRequest>) -> Answer<rpc::SpawnResponse> {
        let mut asked = request.into_inner();
        let by = by(asked.by.take())?;
        let wanted = newcomer(asked).map_err(status)?;
        self.followers.catch_up().await;
        let done = self.town.spawn(&by, &wanted).await.map_err(status)?;
        Ok(Response::new(rpc::SpawnResponse { taken: Some(taken(&done)) }))
    }

    async fn remove(&self, request: Request<rpc::RemoveRequest>) -> Answer<rpc::RemoveResponse> {
        let rpc::RemoveRequest { person_id, by: who } = request.into_inner();
        let by = by(who)?;
        self.followers.catch_up().await;
        let done = self.town.remove(&by, &person_id).await.map_err(status)?;
        Ok(Response::new(rpc::RemoveResponse { taken: Some(taken(&done)) }))
    }

    async fn undo(&self, request: Request<rpc::UndoRequest>) -> Answer<rpc::UndoResponse> {
        let by = by(request.into_inner().by)?;
        self.followers.catch_up().await;
        let done = self.town.undo(&by).await.map_err(status)?;
        let last = done.commands.list().last();
        let undone_revision = match last.map(|command| &command.act) {
            Some(Act::Undo { undone }) => *undone,
            _ => 0,
        };
        Ok(Response::new(rpc::UndoResponse { taken: Some(taken(&done)), undone_revision }))
    }
}

/// Computes an answer off the async threads, which knows all that was announced before the request.
async fn compute<T: Send + 'static>(
    desk: &Desk,
    answer: impl FnOnce(&Desk, &Present<'_>) -> Result<T, Problem> + Send + 'static,
) -> Answer<T> {
    desk.followers.catch_up().await;
    let this = desk.clone();
    let answered = desk.work.run(move || this.now(|now| answer(&this, now))).await;
    answered.and_then(|answer| answer).map(Response::new).map_err(status)
}

fn by(by: Option<rpc::By>) -> Result<By, Status> {
    let rpc::By { actor, reason } = by.unwrap_or_default();
    By::new(Some(&actor), Some(&reason)).map_err(status)
}

fn newcomer(asked: rpc::SpawnRequest) -> Result<town::Wanted, Problem> {
    let share = |field: &'static str, value: Option<u32>| {
        let share = value.map(u16::try_from).transpose();
        share.map_err(|_| invalid(field, "expected 0 to 1000"))
    };
    Ok(town::Wanted {
        name: named(&asked.name).map(str::to_owned),
        home: named(&asked.home).map(str::to_owned),
        workplace: named(&asked.workplace).map(str::to_owned),
        character: [
            share("sociable", asked.sociable)?,
            share("devout", asked.devout)?,
            share("hardy", asked.hardy)?,
            share("diligent", asked.diligent)?,
        ],
        id: asked.id,
        region: asked.region_id,
        role: asked.role,
    })
}

fn status(problem: Problem) -> Status {
    let code = match problem.status {
        404 => Code::NotFound,
        409 => Code::FailedPrecondition,
        503 => Code::Unavailable,
        500 => Code::Internal,
        _ => Code::InvalidArgument,
    };
    Status::new(code, problem.detail)
}

//! The same over gRPC: `worldbus.state.v1.WorldStateService`. Not here: what a step does (`model`),
//! what is kept (`store`).

mod watch;

use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use futures_util::Stream;
use tokio::sync::Semaphore;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

use crate::desk::Desk;
use crate::model::{
    Change, EntityName, FieldName, Op, Refusal, Step, StepParts, Value, check_prefix,
};
use crate::store::{Entity, PAGE_COUNT_MAX, Wanted};
use worldbus_rpc::state as rpc;
use worldbus_rpc::state::world_state_service_server::{WorldStateService, WorldStateServiceServer};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_world::GameTime;

/// Bytes of a request: those of the largest step, and of what is around its values.
const REQUEST_BYTES_MAX: usize = 2 << 20;
const LIMIT_DEFAULT: usize = 100;
/// Clients that watch at a time; others are refused.
const WATCH_COUNT_MAX: usize = 2_048;

type Answer<T> = Result<Response<T>, Status>;

/// The desk as the service sees it, and the places of those who watch.
struct Face(Desk, Arc<Semaphore>);

pub(crate) fn routes(desk: Desk) -> Router {
    let service =
        WorldStateServiceServer::new(Face(desk, Arc::new(Semaphore::new(WATCH_COUNT_MAX))));
    let service = service.max_decoding_message_size(REQUEST_BYTES_MAX);
    Routes::new(service).prepare().into_axum_router().reset_fallback()
}

#[tonic::async_trait]
impl WorldStateService for Face {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<rpc::WatchResponse, Status>> + Send>>;

    async fn get(&self, request: Request<rpc::GetRequest>) -> Answer<rpc::GetResponse> {
        let rpc::GetRequest { entity, at_version } = request.into_inner();
        let name = EntityName::from_str(&entity).map_err(|why| invalid("entity", &why))?;
        let read = self.0.store.entity(name.as_str(), at_version).await;
        let (entity, world_version) =
            read.map_err(|error| status(error.into_problem("at_version")))?;
        let entity = entity
            .ok_or_else(|| Status::not_found(format!("no entity {name} at {world_version}")))?;
        Ok(Response::new(rpc::GetResponse { entity: Some(view(entity)), world_version }))
    }

    async fn list(&self, request: Request<rpc::ListRequest>) -> Answer<rpc::ListResponse> {
        let rpc::ListRequest { prefix, limit, after, at_version } = request.into_inner();
        check_prefix(&prefix).map_err(|why| invalid("prefix", &why))?;
        let limit = match limit as usize {
            0 => LIMIT_DEFAULT,
            limit if limit <= PAGE_COUNT_MAX => limit,
            limit => {
                let why = format!("expected 1 to {PAGE_COUNT_MAX}, found {limit}");
                return Err(invalid("limit", &why));
            }
        };
        let problem = |error: crate::store::StoreError| status(error.into_problem("at_version"));
        let at = match at_version {
            Some(at) => at,
            None => self.0.store.versions().await.map_err(problem)?.world,
        };
        let after = Some(after).filter(|after| !after.is_empty());
        let wanted = Wanted { prefix, after, limit, conditions: Vec::new() };
        let page = self.0.store.list(wanted, at).await.map_err(problem)?;
        Ok(Response::new(rpc::ListResponse {
            entities: page.entities.into_iter().map(view).collect(),
            world_version: at,
            next_after: page.next.unwrap_or_default(),
        }))
    }

    async fn command(&self, request: Request<rpc::CommandRequest>) -> Answer<rpc::CommandResponse> {
        let step = step(request.into_inner()).map_err(status)?;
        let taken = self.0.take(step).await.map_err(|error| status(error.into()))?;
        Ok(Response::new(rpc::CommandResponse { world_version: taken.version }))
    }

    async fn watch(&self, request: Request<rpc::WatchRequest>) -> Answer<Self::WatchStream> {
        let from = request.into_inner().from_version;
        let place = Arc::clone(&self.1).try_acquire_owned().map_err(|_| {
            let text = format!("{WATCH_COUNT_MAX} clients watch already; try again later");
            Status::unavailable(text)
        })?;
        let watched = watch::begin(self.0.clone(), place, from).await?;
        Ok(Response::new(Box::pin(watched)))
    }
}

fn step(request: rpc::CommandRequest) -> Result<Step, Problem> {
    let by = By::new(Some(&request.actor), Some(&request.reason))?;
    let changes = request.changes.into_iter().enumerate();
    let changes = changes.map(|(index, wanted)| {
        change(wanted).map_err(|(part, why)| {
            Problem::from(Refusal::invalid(format!("changes[{index}].{part}"), why))
        })
    });
    let parts = StepParts {
        changes: changes.collect::<Result<_, _>>()?,
        by,
        expires_at: request.expires_at_game.map(GameTime::from_minutes),
        key: Some(request.idempotency_key).filter(|key| !key.is_empty()),
        ..StepParts::default()
    };
    Ok(Step::new(parts)?)
}

fn change(wanted: rpc::Change) -> Result<Change, (&'static str, String)> {
    let field = || FieldName::from_str(&wanted.field).map_err(|why| ("field", why));
    let value = || Value::parse(&wanted.value).map_err(|why| ("value", why));
    let op = match wanted.operation() {
        rpc::Operation::Set => Op::Set(field()?, value()?),
        rpc::Operation::Remove if wanted.field.is_empty() => Op::Remove(None),
        rpc::Operation::Remove => Op::Remove(Some(field()?)),
        rpc::Operation::Increment => Op::Increment(field()?, value()?),
        rpc::Operation::Unspecified => {
            return Err(("operation", "expected set, remove or increment".to_owned()));
        }
    };
    let entity = wanted.entity.parse().map_err(|why| ("entity", why))?;
    Ok(Change { entity, op, if_version: wanted.if_version })
}

fn view(entity: Entity) -> rpc::Entity {
    let fields = entity.fields.into_iter();
    let fields = fields.map(|(name, value)| (name, value.as_str().as_bytes().to_vec())).collect();
    rpc::Entity { name: entity.name, version: entity.version, fields }
}

fn invalid(field: &str, why: &str) -> Status {
    Status::invalid_argument(format!("{field}: {why}"))
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

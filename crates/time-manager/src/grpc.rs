//! The same commands over gRPC: `worldbus.time.v1.TimeService`. Not here: what they do (`desk`).

use std::collections::BTreeMap;

use axum::Router;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

use crate::clock::clockwork::Taken;
use crate::clock::command::Speed;
use crate::desk::{Desk, Face, NoSchedule, Wish};
use crate::schedule::Schedule;
use worldbus_rpc::time as rpc;
use worldbus_rpc::time::change_clock_request::Change;
use worldbus_rpc::time::time_service_server::{TimeService, TimeServiceServer};
use worldbus_service::Problem;
use worldbus_simulated::commands::By;
use worldbus_world::{SetTime, WallTime};

/// Trailers that say where in a schedule the fault is, in characters.
pub(crate) const FAULT_AT: &str = "worldbus-fault-at";
pub(crate) const FAULT_LENGTH: &str = "worldbus-fault-length";

/// Bytes of a request: a schedule with its payload in JSON.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

type Answer<T> = Result<Response<T>, Status>;

pub(crate) fn routes(desk: Desk) -> Router {
    let service = TimeServiceServer::new(desk).max_decoding_message_size(REQUEST_BYTES_MAX);
    Routes::new(service).prepare().into_axum_router().reset_fallback()
}

#[tonic::async_trait]
impl TimeService for Desk {
    async fn get_clock(
        &self,
        request: Request<rpc::GetClockRequest>,
    ) -> Answer<rpc::GetClockResponse> {
        let face = self.face(&request.into_inner().clock).map_err(status)?;
        Ok(Response::new(rpc::GetClockResponse { clock: Some(now(face)) }))
    }

    async fn list_clocks(
        &self,
        _: Request<rpc::ListClocksRequest>,
    ) -> Answer<rpc::ListClocksResponse> {
        let clocks = self.clocks().map(|(_, face)| now(face)).collect();
        Ok(Response::new(rpc::ListClocksResponse { clocks }))
    }

    async fn change_clock(
        &self,
        request: Request<rpc::ChangeClockRequest>,
    ) -> Answer<rpc::ChangeClockResponse> {
        let request = request.into_inner();
        let by = signed(request.actor, request.reason)?;
        let face = self.face(&request.clock).map_err(status)?;
        let change = request.change.ok_or_else(|| {
            Status::invalid_argument("change: expected set, skip_us, scale, pause or resume")
        })?;
        let taken = changed(face, change, &by).await.map_err(status)?;
        Ok(Response::new(rpc::ChangeClockResponse {
            clock: Some(view(face, &taken.history, taken.effective)),
            effective_wall_us: taken.effective.0,
            announced: taken.announced,
        }))
    }

    async fn list_commands(
        &self,
        request: Request<rpc::ListCommandsRequest>,
    ) -> Answer<rpc::ListCommandsResponse> {
        let face = self.face(&request.into_inner().clock).map_err(status)?;
        let history = face.clockwork.view().log;
        let commands = history.records().iter().rev().map(|record| rpc::Command {
            taken_wall_us: record.at.0,
            effective_wall_us: record.effective.0,
            command: record.command.name().to_owned(),
            detail: record.detail.clone(),
            actor: record.actor.clone(),
            reason: record.reason.clone(),
            epoch: record.epoch,
            game_us: record.game.0,
        });
        Ok(Response::new(rpc::ListCommandsResponse { commands: commands.collect() }))
    }

    async fn add_schedule(
        &self,
        request: Request<rpc::AddScheduleRequest>,
    ) -> Answer<rpc::AddScheduleResponse> {
        let request = request.into_inner();
        let by = signed(request.actor, request.reason)?;
        let face = self.face(&request.clock).map_err(status)?;
        let wish = Wish {
            text: request.schedule,
            event_type: request.event_type,
            payload: request.payload_json,
            entity: Some(request.entity),
        };
        let added = self.add(face, &wish, &by).await.map_err(no_schedule)?;
        let warning = self.caution(&added).unwrap_or_default();
        let schedule = Some(scheduled(face, &added));
        Ok(Response::new(rpc::AddScheduleResponse { schedule, warning }))
    }

    async fn list_schedules(
        &self,
        request: Request<rpc::ListSchedulesRequest>,
    ) -> Answer<rpc::ListSchedulesResponse> {
        let (desk, clock) = (self.clone(), request.into_inner().clock);
        let list = move || {
            let face = desk.face(&clock)?;
            Ok(face.live().iter().map(|schedule| scheduled(face, schedule)).collect())
        };
        let schedules = self.work.run(list).await.and_then(|listed| listed).map_err(status)?;
        Ok(Response::new(rpc::ListSchedulesResponse { schedules }))
    }

    async fn cancel_schedule(
        &self,
        request: Request<rpc::CancelScheduleRequest>,
    ) -> Answer<rpc::CancelScheduleResponse> {
        let request = request.into_inner();
        let by = signed(request.actor, request.reason)?;
        let face = self.face(&request.clock).map_err(status)?;
        let cancelled = face.cancel(&request.schedule_id, &by).await.map_err(status)?;
        let schedule = Some(scheduled(face, &cancelled));
        Ok(Response::new(rpc::CancelScheduleResponse { schedule }))
    }
}

async fn changed(face: &Face, change: Change, by: &By) -> Result<Taken, Problem> {
    match change {
        Change::Set(rpc::SetClock { hour, minute, day, month, year }) => {
            face.set(&SetTime { hour, minute, day, month, year }, by).await
        }
        Change::SkipUs(us) => face.skip(us, by).await,
        Change::Scale(rpc::ScaleClock { real_seconds_per_game_hour: seconds, phase_speeds }) => {
            let phase_speeds = phase_speeds.map(by_name);
            face.scale(&Speed { seconds, phase_speeds }, by).await
        }
        Change::Pause(_) => face.turn(true, by).await,
        Change::Resume(_) => face.turn(false, by).await,
    }
}

fn by_name(speeds: rpc::PhaseSpeeds) -> BTreeMap<String, f64> {
    let rpc::PhaseSpeeds { dawn, day, dusk, night } = speeds;
    let all = [("dawn", dawn), ("day", day), ("dusk", dusk), ("night", night)];
    all.into_iter().filter_map(|(name, speed)| Some((name.to_owned(), speed?))).collect()
}

fn signed(actor: String, reason: String) -> Result<By, Status> {
    By::new(Some(&actor), Some(&reason)).map_err(status)
}

fn now(face: &Face) -> rpc::ClockView {
    view(face, &face.clockwork.view().log, face.clockwork.now())
}

fn view(face: &Face, history: &crate::clock::history::History, wall: WallTime) -> rpc::ClockView {
    let segment = history.clock().segment_at(wall);
    let game = segment.game_at(wall);
    rpc::ClockView {
        world: face.world.id.clone(),
        game_us: game.0,
        date_time: face.clockwork.calendar.at(game).to_string(),
        real_seconds_per_game_hour: segment.real_seconds_per_game_hour(),
        running: !segment.paused,
        epoch: segment.epoch,
    }
}

fn scheduled(face: &Face, schedule: &Schedule) -> rpc::Schedule {
    let next = face.next(schedule).map(|due| due.game);
    let date = next.map(|game| face.clockwork.calendar.at(game).to_string());
    rpc::Schedule {
        schedule_id: schedule.id(),
        schedule: schedule.text.clone(),
        event_type: schedule.event.name.clone(),
        entity: schedule.event.entity.clone().unwrap_or_default(),
        next_game_us: next.map(|game| game.0),
        next_date_time: date.unwrap_or_default(),
        actor: schedule.by.actor.clone(),
        reason: schedule.by.reason.clone(),
    }
}

fn no_schedule(error: NoSchedule) -> Status {
    match error {
        NoSchedule::Other(problem) => status(problem),
        NoSchedule::Text(error) => {
            let mut status = Status::invalid_argument(format!("schedule: {error}"));
            let trailers = status.metadata_mut();
            trailers.insert(FAULT_AT, MetadataValue::from(error.at));
            trailers.insert(FAULT_LENGTH, MetadataValue::from(error.length));
            status
        }
    }
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

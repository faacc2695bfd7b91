//! The gRPC service over a real port does what the REST routes do, and reports where a fault is.

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::kit::{TOPIC, of_type, run, world};
use worldbus_events::{Event as _, v1};
use worldbus_rpc::time as rpc;
use worldbus_rpc::time::change_clock_request::Change;
use worldbus_rpc::time::time_service_client::TimeServiceClient;
use worldbus_service::Work;
use worldbus_testkit::{Instance, Place};

const HOUR_US: i64 = 25_000_000;
const GAME_HOUR_US: i64 = 3_600_000_000;

type Client = TimeServiceClient<Channel>;

fn client(instance: &Instance) -> Client {
    TimeServiceClient::new(Endpoint::from_shared(instance.url.clone()).unwrap().connect_lazy())
}

fn wish(schedule: &str, entity: &str) -> rpc::AddScheduleRequest {
    rpc::AddScheduleRequest {
        actor: "anna".to_owned(),
        reason: "caravan".to_owned(),
        schedule: schedule.to_owned(),
        event_type: "weather.changed".to_owned(),
        payload_json: r#"{"wind_speed_dmps":7}"#.to_owned(),
        entity: entity.to_owned(),
        ..rpc::AddScheduleRequest::default()
    }
}

async fn list(client: &mut Client) -> Vec<rpc::Schedule> {
    let answer = client.list_schedules(rpc::ListSchedulesRequest::default()).await.unwrap();
    answer.into_inner().schedules
}

async fn change(client: &mut Client, change: Change) -> Result<rpc::ChangeClockResponse, Status> {
    let request = rpc::ChangeClockRequest {
        actor: "anna".to_owned(),
        reason: "the siege begins".to_owned(),
        change: Some(change),
        ..rpc::ChangeClockRequest::default()
    };
    client.change_clock(request).await.map(tonic::Response::into_inner)
}

/// The clock that a change answers with.
async fn changed(client: &mut Client, wanted: Change) -> rpc::ClockView {
    let answer = change(client, wanted).await.unwrap();
    assert!(answer.announced);
    answer.clock.unwrap()
}

#[tokio::test]
async fn schedule_is_added_listed_published_and_cancelled_over_grpc() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    let added = client.add_schedule(wish("every 2 hours", "harbour")).await.unwrap().into_inner();
    let added = added.schedule.unwrap();
    let wanted = rpc::Schedule {
        schedule_id: "1".to_owned(),
        schedule: "every 2 hours".to_owned(),
        event_type: "weather.changed".to_owned(),
        entity: "harbour".to_owned(),
        next_game_us: Some(2 * GAME_HOUR_US),
        next_date_time: "2024-03-01T08:00:00".to_owned(),
        actor: "anna".to_owned(),
        reason: "caravan".to_owned(),
    };
    assert_eq!(added, wanted);
    assert_eq!(list(&mut client).await, [wanted]);
    place.advance(2 * HOUR_US + 10_000);
    let all = place.events_until(v1::WeatherChanged::TOPIC, |all| all.len() == 1).await;
    assert_eq!(all[0].entity.as_deref(), Some("harbour"));
    assert_eq!(of_type::<v1::WeatherChanged>(&all)[0].wind_speed_dmps, 7);
    assert_eq!(list(&mut client).await[0].next_game_us, Some(4 * GAME_HOUR_US));
    let cancel = rpc::CancelScheduleRequest {
        schedule_id: "1".to_owned(),
        ..rpc::CancelScheduleRequest::default()
    };
    let cancelled = client.cancel_schedule(cancel.clone()).await.unwrap().into_inner();
    assert_eq!(cancelled.schedule.unwrap().schedule_id, "1");
    assert_eq!(list(&mut client).await, []);
    let again = client.cancel_schedule(cancel).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound, "{again:?}");
    instance.stop().await;
}

#[tokio::test]
async fn text_that_is_no_schedule_is_refused_with_trailers_that_say_where() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    for (text, at, length, expected) in [
        ("at teatime", 3, 7, "a date such as"),
        ("every möonday", 6, 7, "Monday"),
        ("in 3", 4, 1, "`minutes`"),
        ("at 2020-01-01", 3, 10, "a time to come"),
    ] {
        let refused = client.add_schedule(wish(text, "")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{text}: {refused:?}");
        assert!(refused.message().contains(expected), "{text}: {refused:?}");
        let number = |name| -> usize {
            let value = refused.metadata().get(name).unwrap_or_else(|| panic!("{refused:?}"));
            value.to_str().unwrap().parse().unwrap()
        };
        let place = (number("worldbus-fault-at"), number("worldbus-fault-length"));
        assert_eq!(place, (at, length), "{text}");
    }
    // A fault elsewhere is not one of the text.
    let other = rpc::AddScheduleRequest {
        event_type: "weather.chnged".to_owned(),
        ..wish("in 3 hours", "")
    };
    let refused = client.add_schedule(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("did you mean"), "{refused:?}");
    assert!(refused.metadata().get("worldbus-fault-at").is_none());
    assert_eq!(list(&mut client).await, []);
    instance.stop().await;
}

#[tokio::test]
async fn clock_is_set_skipped_scaled_paused_and_resumed_by_who_is_named_and_why() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    let set = rpc::SetClock { hour: 20, minute: Some(30), ..rpc::SetClock::default() };
    let shown = changed(&mut client, Change::Set(set)).await;
    assert_eq!((shown.date_time.as_str(), shown.epoch), ("2024-03-01T20:30:00", 1));
    place.advance(1_000);
    let skip = Change::SkipUs(2 * GAME_HOUR_US);
    let shown = changed(&mut client, skip).await;
    assert_eq!(&shown.date_time[..16], "2024-03-01T22:30");
    place.advance(1_000);
    let scale = rpc::ScaleClock {
        real_seconds_per_game_hour: Some(60.0),
        phase_speeds: Some(rpc::PhaseSpeeds { night: Some(2.0), ..rpc::PhaseSpeeds::default() }),
    };
    let shown = changed(&mut client, Change::Scale(scale)).await;
    assert_eq!((shown.real_seconds_per_game_hour, shown.running), (60.0, true));
    place.advance(1_000);
    assert!(!changed(&mut client, Change::Pause(rpc::PauseClock {})).await.running);
    place.advance(1_000);
    assert!(changed(&mut client, Change::Resume(rpc::ResumeClock {})).await.running);
    let commands = client.list_commands(rpc::ListCommandsRequest::default()).await.unwrap();
    let commands = commands.into_inner().commands;
    let names: Vec<_> = commands.iter().map(|command| command.command.as_str()).collect();
    assert_eq!(names, ["resume", "pause", "scale", "skip", "set"]);
    for (command, epoch) in commands.iter().rev().zip(1..) {
        let who = (command.actor.as_str(), command.reason.as_str(), command.epoch);
        assert_eq!(who, ("anna", "the siege begins", epoch));
    }
    assert!(commands[4].detail.contains("20:30"), "{:?}", commands[4]);
    let jumped = place.events_until(TOPIC, |all| of_type::<v1::Jumped>(all).len() == 2).await;
    assert_eq!(of_type::<v1::Jumped>(&jumped)[1].actor, "anna");
    instance.stop().await;
}

#[tokio::test]
async fn wrong_commands_are_refused_and_change_nothing() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    let cases = [
        (Change::Set(rpc::SetClock { hour: 25, ..Default::default() }), "from 0 to 23"),
        (Change::SkipUs(-1), "to go back, set the clock"),
        (Change::Scale(rpc::ScaleClock::default()), "phase_speeds"),
    ];
    for (wanted, expected) in cases {
        let refused = change(&mut client, wanted).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().contains(expected), "{refused:?}");
    }
    let nothing = client.change_clock(rpc::ChangeClockRequest::default()).await.unwrap_err();
    assert!(nothing.message().contains("pause or resume"), "{nothing:?}");
    let long = rpc::ChangeClockRequest {
        actor: "x".repeat(65),
        change: Some(Change::Pause(rpc::PauseClock {})),
        ..rpc::ChangeClockRequest::default()
    };
    let long = client.change_clock(long).await.unwrap_err();
    assert!(long.message().contains("actor: expected at most 64 bytes"), "{long:?}");
    let commands = client.list_commands(rpc::ListCommandsRequest::default()).await.unwrap();
    assert_eq!(commands.into_inner().commands, []);
    instance.stop().await;
}

#[tokio::test]
async fn each_clock_of_a_world_is_asked_and_moved_by_its_name() {
    let more = "[clocks.dungeon]\nreal_seconds_per_game_hour = 50";
    let place = Place::new().await.with_world(world(more));
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    let pause = rpc::ChangeClockRequest {
        clock: "dungeon".to_owned(),
        change: Some(Change::Pause(rpc::PauseClock {})),
        ..rpc::ChangeClockRequest::default()
    };
    client.change_clock(pause).await.unwrap();
    place.advance(1_000);
    let clocks = client.list_clocks(rpc::ListClocksRequest {}).await.unwrap().into_inner().clocks;
    let shown: Vec<_> = clocks.iter().map(|clock| (clock.world.as_str(), clock.running)).collect();
    assert_eq!(shown, [("europe", true), ("europe:dungeon", false)]);
    let dungeon = rpc::GetClockRequest { clock: "dungeon".to_owned() };
    let dungeon = client.get_clock(dungeon).await.unwrap().into_inner().clock.unwrap();
    assert_eq!((dungeon.real_seconds_per_game_hour, dungeon.running), (50.0, false));
    let unknown = rpc::GetClockRequest { clock: "moon".to_owned() };
    let unknown = client.get_clock(unknown).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert!(unknown.message().contains("dungeon"), "{unknown:?}");
    instance.stop().await;
}

#[tokio::test]
async fn schedules_are_listed_in_a_place_for_computations_over_grpc_and_rest() {
    let mut place = Place::new().await;
    place.work = Work::new(1, 0);
    let instance = run(&place, 0).await;
    let mut client = client(&instance);
    let (begin, begun) = tokio::sync::oneshot::channel();
    let (go, gone) = std::sync::mpsc::sync_channel(1);
    let work = place.work.clone();
    let taken = tokio::spawn(async move {
        let compute = move || {
            begin.send(()).unwrap();
            gone.recv().unwrap();
        };
        work.run(compute).await.unwrap();
    });
    begun.await.unwrap();
    let refused = client.list_schedules(rpc::ListSchedulesRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert_eq!(instance.get("/api/time/schedules").await.0, 503);
    // What is small, and commands, do not wait.
    client.get_clock(rpc::GetClockRequest::default()).await.unwrap();
    assert_eq!(instance.get("/api/time/current").await.0, 200);
    client.add_schedule(wish("every 2 game hours", "harbour")).await.unwrap();
    go.send(()).unwrap();
    taken.await.unwrap();
    assert_eq!(list(&mut client).await.len(), 1);
    assert_eq!(instance.get("/api/time/schedules").await.0, 200);
    instance.stop().await;
}

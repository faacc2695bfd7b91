//! The director over a real bus: proposals, answers, their requests, and who may not answer.

use crate::kit::{place, run_with, settings};
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, v1};
use worldbus_storyteller::DirectorMode;
use worldbus_testkit::{DEADLINE, Instance, Place, Seen};

const HOUR_WALL_US: i64 = 25_000_000;

fn count<E: worldbus_events::Event>(events: &[Seen]) -> usize {
    events.iter().filter(|event| event.event_type == E::NUMBER).count()
}

/// What the director shows once it has looked at the hour that it is.
async fn looked(instance: &Instance) -> serde_json::Value {
    let looked = async {
        loop {
            let (_, director) = instance.get("/api/director").await;
            let hour = |key: &str| director[key].as_str().map(|time| time[..13].to_owned());
            if hour("looked").is_some() && hour("looked") == hour("game_time") {
                return director;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, looked).await.expect("not looked in time")
}

/// A quiet world, up to the first proposal.
async fn proposed(mode: DirectorMode) -> (Place, tempfile::TempDir, Instance) {
    let place = place().await;
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path().join("chronicle.db"));
    let settings = worldbus_storyteller::Settings { director: mode, ..settings };
    let instance = run_with(&place, settings).await;
    for _ in 0..48 {
        place.advance(HOUR_WALL_US);
        let director = looked(&instance).await;
        if !director["proposals"].as_array().unwrap().is_empty() {
            break;
        }
    }
    (place, dir, instance)
}

#[tokio::test]
async fn proposal_is_accepted_once_and_its_request_names_who_and_why() {
    let (place, _dir, instance) = proposed(DirectorMode::Propose).await;
    let (status, director) = instance.get("/api/director").await;
    assert_eq!(status, 200, "{director}");
    let proposal = &director["proposals"][0];
    assert_eq!(proposal["state"], "open", "{director}");
    let id = proposal["id"].as_str().unwrap();
    let path = format!("/api/director/proposals/{id}/accept");
    let wrong = r#"{"actor":"a\nb"}"#;
    assert_eq!(instance.post(&path, wrong).await.0, 422);
    let by = r#"{"actor":"gm","reason":"the boss fight"}"#;
    let (status, accepted) = instance.post(&path, by).await;
    assert_eq!((status.as_u16(), accepted["state"].as_str()), (200, Some("accepted")));
    assert_eq!(instance.post(&path, by).await.0, 409);
    let reject = path.replace("accept", "reject");
    assert_eq!(instance.post(&reject, by).await.0, 409);
    assert_eq!(instance.post("/api/director/proposals/none/accept", by).await.0, 404);

    let is_request = |event: &Seen| {
        let types = [v1::WeatherOverrideRequested::NUMBER, v1::WorldStateChangeRequested::NUMBER];
        types.contains(&event.event_type)
    };
    let events = place.events_until("time", |events| events.iter().any(is_request)).await;
    let request = events.iter().find(|event| is_request(event)).unwrap();
    let by = match v1::WeatherOverrideRequested::NUMBER == request.event_type {
        true => {
            let request = v1::WeatherOverrideRequested::decode(request.payload.as_slice()).unwrap();
            (request.actor, request.reason)
        }
        false => {
            let request =
                v1::WorldStateChangeRequested::decode(request.payload.as_slice()).unwrap();
            (request.actor, request.reason)
        }
    };
    assert_eq!(by, ("gm".to_owned(), "the boss fight".to_owned()));
    let answered = |events: &[Seen]| count::<v1::StoryProposalAnswered>(events) == 1;
    place.events_until(v1::StoryProposalAnswered::TOPIC, answered).await;
    instance.stop().await;
}

#[tokio::test]
async fn setting_auto_accepts_as_the_director() {
    let (place, _dir, instance) = proposed(DirectorMode::Auto).await;
    let answered = |events: &[Seen]| count::<v1::StoryProposalAnswered>(events) == 1;
    let events = place.events_until(v1::StoryProposalAnswered::TOPIC, answered).await;
    let answer = events.iter().find(|e| e.event_type == v1::StoryProposalAnswered::NUMBER).unwrap();
    let answer = v1::StoryProposalAnswered::decode(answer.payload.as_slice()).unwrap();
    assert_eq!((answer.accepted, answer.actor.as_str()), (true, "director"));
    instance.stop().await;
}

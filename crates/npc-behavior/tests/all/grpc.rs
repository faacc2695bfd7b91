//! The same over gRPC.

use tonic::Code;

use crate::kit::{HOUR_US, begun};
use worldbus_events::v1::{NpcActivity, NpcCause};
use worldbus_rpc::people as rpc;
use worldbus_rpc::people::people_service_client::PeopleServiceClient;

#[tokio::test]
async fn people_over_grpc_are_those_over_rest() {
    let (place, _, instance) = begun().await;
    place.advance(4 * HOUR_US);
    let endpoint = worldbus_rpc::endpoint(&instance.url).unwrap();
    let mut client = PeopleServiceClient::new(endpoint.connect_lazy());

    let wanted =
        rpc::ListRequest { region_id: "paris".to_owned(), limit: 60, ..Default::default() };
    let first = client.list(wanted.clone()).await.unwrap().into_inner();
    let rest = rpc::ListRequest { cursor: first.next_cursor.clone(), ..wanted };
    let second = client.list(rest).await.unwrap().into_inner();
    assert_eq!((first.people.len(), second.people.len()), (60, 40));
    assert!(second.next_cursor.is_empty());

    let get = rpc::GetRequest { person_id: "paris-7".to_owned() };
    let person = client.get(get).await.unwrap().into_inner().person.unwrap();
    assert_eq!(person, first.people[6]);
    let (_, over_rest) = instance.get("/api/people/paris-7").await;
    assert_eq!(
        (over_rest["place"].as_str(), over_rest["until_minutes"].as_i64()),
        (Some(person.place.as_str()), Some(person.until_minutes))
    );
    let plan = rpc::PlanRequest { person_id: person.id.clone(), hours: 0 };
    let parts = client.plan(plan).await.unwrap().into_inner().parts;
    assert_eq!((parts[0].from_minutes, parts[0].to_minutes), (4 * 60, person.until_minutes));
    let why = rpc::WhyRequest { person_id: person.id.clone() };
    let why = client.why(why).await.unwrap().into_inner();
    assert!(why.candidates.iter().all(|other| other.score <= why.candidates[0].score));
    let wanted = rpc::StatisticsRequest { region_id: "paris".to_owned() };
    let counted = client.statistics(wanted).await.unwrap().into_inner();
    assert_eq!(counted.total, 100);
    assert_eq!(counted.activities.iter().map(|of| of.count).sum::<u32>(), 100);
    instance.stop().await;
}

#[tokio::test]
async fn commands_over_grpc_are_those_over_rest() {
    let (place, _, instance) = begun().await;
    let endpoint = worldbus_rpc::endpoint(&instance.url).unwrap();
    let mut client = PeopleServiceClient::new(endpoint.connect_lazy());
    let by = Some(rpc::By { actor: "anna".to_owned(), reason: "the feast".to_owned() });
    let spawn = rpc::SpawnRequest {
        id: "wieland".to_owned(),
        region_id: "paris".to_owned(),
        role: "artisan".to_owned(),
        by: by.clone(),
        ..Default::default()
    };
    let taken = client.spawn(spawn.clone()).await.unwrap().into_inner().taken.unwrap();
    assert_eq!(taken.revision, 1);
    assert_eq!(client.spawn(spawn).await.unwrap_err().code(), Code::FailedPrecondition);
    let direct = rpc::DirectRequest {
        person_ids: vec!["wieland".to_owned()],
        activity: NpcActivity::Gather.into(),
        duration_game_minutes: 120,
        by: by.clone(),
        ..Default::default()
    };
    let directed = client.direct(direct.clone()).await.unwrap().into_inner();
    assert_eq!((directed.directive_id.as_str(), directed.person_count), ("directive-2", 1));
    place.advance(HOUR_US);
    let get = rpc::GetRequest { person_id: "wieland".to_owned() };
    let person = client.get(get.clone()).await.unwrap().into_inner().person.unwrap();
    assert_eq!((person.activity(), person.cause()), (NpcActivity::Gather, NpcCause::Directive));

    let clear = rpc::ClearRequest { directive_id: directed.directive_id, by: by.clone() };
    client.clear(clear).await.unwrap();
    let undone = client.undo(rpc::UndoRequest { by: by.clone() }).await.unwrap().into_inner();
    assert_eq!(undone.undone_revision, 3);
    let remove = rpc::RemoveRequest { person_id: "wieland".to_owned(), by };
    client.remove(remove).await.unwrap();
    place.advance(HOUR_US);
    assert_eq!(client.get(get).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(client.direct(direct).await.unwrap_err().code(), Code::NotFound);
    let (_, log) = instance.get("/api/people/directives").await;
    assert_eq!(log["commands"][0]["actor"], "anna");
    let invalid = rpc::PlanRequest { person_id: "paris-7".to_owned(), hours: 169 };
    assert_eq!(client.plan(invalid).await.unwrap_err().code(), Code::InvalidArgument);
    instance.stop().await;
}

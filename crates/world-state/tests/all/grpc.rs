//! The same over gRPC.

use serde_json::json;
use tonic::Code;

use crate::kit::{State, set};
use worldbus_rpc::state as rpc;
use worldbus_rpc::state::watch_response::Part;
use worldbus_rpc::state::world_state_service_client::WorldStateServiceClient;

fn change(field: &str, operation: rpc::Operation, value: &str) -> rpc::Change {
    rpc::Change {
        entity: "city/ghent".to_owned(),
        field: field.to_owned(),
        operation: operation.into(),
        value: value.as_bytes().to_vec(),
        if_version: None,
    }
}

#[tokio::test]
async fn step_over_grpc_is_read_listed_and_refused_as_over_rest() {
    let (_state, instance) = State::begun().await;
    let endpoint = worldbus_rpc::endpoint(&instance.url).unwrap();
    let mut client = WorldStateServiceClient::new(endpoint.connect_lazy());
    let changes = vec![
        change("mood", rpc::Operation::Set, "\"merry\""),
        change("guests", rpc::Operation::Increment, "40"),
    ];
    let command = rpc::CommandRequest { changes, ..rpc::CommandRequest::default() };
    let taken = client.command(command.clone()).await.unwrap().into_inner();
    assert_eq!(taken.world_version, 1);
    let get = rpc::GetRequest { entity: "city/ghent".to_owned(), at_version: None };
    let got = client.get(get.clone()).await.unwrap().into_inner();
    let entity = got.entity.unwrap();
    assert_eq!((entity.version, entity.fields["guests"].as_slice()), (1, &b"40"[..]));
    let listed = client.list(rpc::ListRequest::default()).await.unwrap().into_inner();
    assert_eq!((listed.entities.len(), listed.world_version), (1, 1));

    let mut stale = command;
    stale.changes[0].if_version = Some(9);
    let refused = client.command(stale).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("it has version 1"), "{refused}");
    let future = rpc::GetRequest { at_version: Some(7), ..get };
    assert_eq!(client.get(future).await.unwrap_err().code(), Code::InvalidArgument);
    let nothing = rpc::GetRequest { entity: "nothing".to_owned(), at_version: None };
    assert_eq!(client.get(nothing).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn watch_gives_the_state_and_then_every_step() {
    let (_state, instance) = State::begun().await;
    for number in 0..300 {
        set(&instance, &format!("e/{number:03}"), "x", json!(number)).await;
    }
    let endpoint = worldbus_rpc::endpoint(&instance.url).unwrap();
    let mut client = WorldStateServiceClient::new(endpoint.connect_lazy());
    let mut parts = client.watch(rpc::WatchRequest::default()).await.unwrap().into_inner();
    let mut entities = 0;
    loop {
        match parts.message().await.unwrap().unwrap().part.unwrap() {
            Part::Snapshot(page) => {
                assert_eq!(page.world_version, 300);
                entities += page.entities.len();
                if page.is_last {
                    break;
                }
            }
            Part::Step(step) => panic!("{step:?} before the snapshot's end"),
        }
    }
    assert_eq!(entities, 300);
    for version in 301..=303 {
        set(&instance, "later", "x", json!(version)).await;
        let Part::Step(step) = parts.message().await.unwrap().unwrap().part.unwrap() else {
            panic!("a second snapshot")
        };
        assert_eq!(step.version, version);
        assert_eq!(step.changes[0].value, version.to_string().into_bytes());
    }
    let behind = rpc::WatchRequest { from_version: Some(299) };
    let mut parts = client.watch(behind).await.unwrap().into_inner();
    let part = parts.message().await.unwrap().unwrap().part.unwrap();
    assert!(matches!(part, Part::Step(step) if step.version == 300));
    let future = rpc::WatchRequest { from_version: Some(999) };
    assert_eq!(client.watch(future).await.unwrap_err().code(), Code::InvalidArgument);
}

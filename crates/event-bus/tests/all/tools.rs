//! gRPC health and reflection, for tools that do not know us.

use futures_util::{StreamExt as _, stream};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::server::{Server, dir};

/// Those of the event-bus, and one of another part on its port.
const SERVICES: [&str; 3] =
    ["worldbus.bus.v1.BusService", "grpc.health.v1.Health", "worldbus.time.v1.TimeService"];

fn channel(server: &Server) -> Channel {
    Endpoint::from_shared(server.url()).unwrap().connect_lazy()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_answers_for_the_bus_and_the_whole() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut client = HealthClient::new(channel(&server));
    for service in ["", "worldbus.bus.v1.BusService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = client.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services_and_knows_bus_and_contract() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut client = ServerReflectionClient::new(channel(&server));
    let symbols = ["worldbus.bus.v1.BusService", "worldbus.events.v1.EventBatch"];
    let requests = symbols
        .map(|symbol| MessageRequest::FileContainingSymbol(symbol.to_owned()))
        .into_iter()
        .chain([MessageRequest::ListServices(String::new())])
        .map(|request| ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        });
    let requests = stream::iter(requests.collect::<Vec<_>>());
    let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
    for symbol in symbols {
        let answer = answers.next().await.unwrap().unwrap().message_response;
        assert!(
            matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))),
            "{symbol}: {answer:?}"
        );
    }
    let listed = answers.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else {
        panic!("{listed:?}");
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for name in SERVICES {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_answers_tools_that_ask_for_v1alpha() {
    use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1alpha::{ServerReflectionRequest, ServiceResponse};

    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut client = ServerReflectionClient::new(channel(&server));
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let request = stream::iter([request]);
    let mut answers = client.server_reflection_info(request).await.unwrap().into_inner();
    let listed = answers.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else {
        panic!("{listed:?}");
    };
    for name in SERVICES {
        let is = |known: &ServiceResponse| known.name == name;
        assert!(listed.service.iter().any(is), "{:?}", listed.service);
    }
    server.stop().await;
}

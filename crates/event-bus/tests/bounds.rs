//! What one client can make the event-bus hold: every count, length and duration of a call has a
//! bound, and what is beyond it is refused before it costs anything.
#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use futures_util::stream;
use server::{Server, dir};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use worldbus_bus::{Fate, Kind, Position, Transport};
use worldbus_conformance::{batch, next, spec, topic};
use worldbus_rpc::v1::bus_service_client::BusServiceClient;
use worldbus_rpc::v1::subscribe_request::Request;
use worldbus_rpc::{from_status, v1};

async fn raw(server: &Server) -> BusServiceClient<Channel> {
    let channel = Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
    BusServiceClient::new(channel)
}

fn refused(status: &Status) -> Kind {
    let error = from_status(status).unwrap_or_else(|| panic!("no error of ours: {status}"));
    assert_eq!(error.fate(), Fate::Refused, "{error}");
    error.kind()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_repeat_or_outnumber_the_events_are_refused() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let log = &server.embedded;
    let mut remote =
        server.connect().await.subscribe(spec("s", &["t"], Position::Now)).await.unwrap();
    log.publish(&topic("t"), batch(1, 0..4096)).await.unwrap();
    let delivered = next(&mut remote).await;
    let mut client = raw(&server).await;
    for (indexes, kind) in [
        (vec![4095; 2], Kind::Invalid),
        (vec![4096], Kind::Invalid),
        (vec![4095; 4097], Kind::TooLarge),
        (vec![0; 100_000], Kind::TooLarge),
    ] {
        let event = |index| v1::DeadEvent { index, ..Default::default() };
        let events = indexes.into_iter().map(event).collect();
        let lease = Some((&delivered.lease).into());
        let status = client.dead_letter(v1::DeadLetterRequest { lease, events }).await.unwrap_err();
        assert_eq!(refused(&status), kind, "{status}");
    }
    assert_eq!(log.dead_letters(None, 10).await.unwrap(), []);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_beyond_a_bound_is_refused_and_leaves_nothing() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let good = || v1::Subscription::from(&spec("s", &["t"], Position::Now));
    let filter = |entities: Vec<String>, types| Some(v1::Filter { entities, types });
    let beyond = [
        v1::Subscription { lease_ms: u64::MAX, ..good() },
        v1::Subscription { lease_ms: 12 * 3600 * 1000 + 1, ..good() },
        v1::Subscription { in_flight_max: u32::MAX, ..good() },
        v1::Subscription { consumer: "x".repeat(1 << 20), ..good() },
        v1::Subscription { topics: vec!["t".to_owned(); 257], ..good() },
        v1::Subscription { filter: filter(vec!["e".repeat(1 << 20)], vec![]), ..good() },
        v1::Subscription { filter: filter(vec![], vec![6; 1025]), ..good() },
        v1::Subscription { name: "n".repeat(1 << 20), ..good() },
    ];
    for open in beyond {
        let first = v1::SubscribeRequest { request: Some(Request::Open(open)) };
        let status = raw(&server).await.subscribe(stream::iter([first])).await.unwrap_err();
        assert!(matches!(refused(&status), Kind::Invalid | Kind::TooLarge), "{status}");
    }
    assert_eq!(server.embedded.topics().await.unwrap(), []);
    server.stop().await;
}

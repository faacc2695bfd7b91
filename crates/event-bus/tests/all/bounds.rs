//! What one client can make the event-bus hold: every count, length and duration of a call has a
//! bound, and what is beyond it is refused before it costs anything.

use futures_util::{StreamExt as _, stream};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};

use crate::server::{Server, dir};
use worldbus_bus::limits::TOPIC_COUNT_MAX;
use worldbus_bus::{Fate, Kind, Position, Transport};
use worldbus_conformance::{batch, next, soon, spec, topic, typed};
use worldbus_rpc::limits::SETTLE_COUNT_MAX;
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
    let filter = |entities: Vec<String>, types| {
        let places = entities.clone();
        Some(v1::Filter { entities, types, places })
    };
    let places = vec!["p".repeat(64 << 10), "p".to_owned()];
    let beyond = [
        v1::Subscription { lease_ms: u64::MAX, ..good() },
        v1::Subscription { lease_ms: 12 * 3600 * 1000 + 1, ..good() },
        v1::Subscription { lease_ms: 0, ..good() },
        v1::Subscription { attempts_max: 0, ..good() },
        v1::Subscription { in_flight_max: 0, ..good() },
        v1::Subscription { in_flight_max: u32::MAX, ..good() },
        v1::Subscription { consumer: "x".repeat(1 << 20), ..good() },
        v1::Subscription { topics: vec!["t".to_owned(); TOPIC_COUNT_MAX + 1], ..good() },
        v1::Subscription { filter: filter(vec!["e".repeat(1 << 20)], vec![]), ..good() },
        v1::Subscription { filter: filter(vec![], vec![6; 1025]), ..good() },
        v1::Subscription { filter: Some(v1::Filter { places, ..Default::default() }), ..good() },
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

/// A publish that announces so many bytes, sends a few, and then nothing.
async fn announce(channel: &mut Channel, bytes: u32) -> http::Response<tonic::body::Body> {
    let mut head = vec![0];
    head.extend(bytes.to_be_bytes());
    let first = stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(head))]);
    let body = axum::body::Body::from_stream(first.chain(stream::pending()));
    let request = http::Request::post("/worldbus.bus.v1.BusService/Publish")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(tonic::body::Body::new(body))
        .unwrap();
    channel.ready().await.unwrap().call(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_publish_passes_while_others_hold_all_room_for_large_ones() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut greedy = Vec::new();
    for _ in 0..6 {
        let mut channel = Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
        greedy.push(tokio::spawn(async move { announce(&mut channel, 6_000_000).await }));
    }
    let entry = v1::PublishEntry { topic: "t".to_owned(), batch: batch(1, 0..1).bytes().clone() };
    let request = v1::PublishRequest { entries: vec![entry] };
    let mut client = raw(&server).await;
    soon("a small publish", client.publish(request)).await.unwrap();
    assert!(greedy.iter().all(|one| !one.is_finished()), "they are still held");
    greedy.iter().for_each(|one| one.abort());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_beyond_its_bound_is_refused_by_what_it_announces() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut channel = Endpoint::from_shared(server.url()).unwrap().connect().await.unwrap();
    let response = soon("a refusal", announce(&mut channel, u32::MAX)).await;
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!((status.code(), refused(&status)), (Code::OutOfRange, Kind::TooLarge));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_with_more_elements_than_it_may_have_is_refused_before_it_is_decoded() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let mut client = raw(&server).await;
    let entries = vec![v1::PublishEntry::default(); 100_000];
    let status = client.publish(v1::PublishRequest { entries }).await.unwrap_err();
    assert_eq!(refused(&status), Kind::TooLarge, "{status}");
    let settlements = vec![v1::Settlement::default(); 100_000];
    let status = client.settle(v1::SettleRequest { settlements }).await.unwrap_err();
    assert_eq!(refused(&status), Kind::TooLarge, "{status}");
    // On a stream of deliveries fewer are taken at once, and there is room for fewer bytes.
    for count in [SETTLE_COUNT_MAX + 1, 100_000] {
        let open = Request::Open((&spec("s", &["t"], Position::Now)).into());
        let settlements = vec![v1::Settlement::default(); count];
        let settle = Request::Settle(v1::SettleRequest { settlements });
        let requests = [open, settle].map(|one| v1::SubscribeRequest { request: Some(one) });
        let requests = stream::iter(requests).chain(stream::pending());
        let mut deliveries = client.subscribe(requests).await.unwrap().into_inner();
        let end = soon("the end", deliveries.message()).await;
        assert!(!matches!(end, Ok(Some(_))), "{end:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_calls_of_one_connection_do_not_starve_each_other() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let client = raw(&server).await;
    let calls = (0..8).map(|call| {
        let mut client = client.clone();
        let entry = |n: u64| {
            let sequence = call * 3 + n;
            let batch = typed(1, sequence..sequence + 1, 6, None, 1_000_000);
            v1::PublishEntry { topic: "t".to_owned(), batch: batch.bytes().clone() }
        };
        let entries = (0..3).map(entry).collect();
        async move { client.publish(v1::PublishRequest { entries }).await }
    });
    let answers = soon("all answers", futures_util::future::join_all(calls)).await;
    for answer in answers {
        answer.unwrap();
    }
    server.stop().await;
}

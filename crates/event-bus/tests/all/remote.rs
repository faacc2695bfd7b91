//! The remote transport against a real event-bus over TCP: what only the wire can break. The
//! contract is in `conformance.rs`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::server::{Server, dir};
use worldbus_bus::{
    Fate, Gap, GapReason, Kind, Lease, Notice, Outcome, Position, ReadSpec, Reader,
    SubscriptionSpec, Transport,
};
use worldbus_conformance::{batch, next, read_all, soon, spec, topic, typed};
use worldbus_rpc::v1::bus_service_client::BusServiceClient;
use worldbus_rpc::v1::subscribe_request::{More, Request};
use worldbus_rpc::{from_status, v1};
use worldbus_service::server::Limits;
use worldbus_transport_remote::{ApiKey, Remote, RemoteOptions};

#[tokio::test(flavor = "multi_thread")]
async fn consumer_outlives_a_restart_and_settles_what_it_held() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut consumer = remote.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for sequence in 0..3 {
        remote.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let held = next(&mut consumer).await;
    assert_eq!((held.lease.offset, held.lease.attempt), (0, 1));
    for offset in 1..3 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, offset);
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }

    let server = server.restart(dir.path()).await;
    server.embedded.publish(&topic("t"), batch(1, 3..4)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.lease.offset, 3, "the lease of 0 outlives the restart");
    let settler = consumer.settler();
    settler.settle(&held.lease, Outcome::Ack).await.unwrap();
    settler.settle(&delivered.lease, Outcome::Ack).await.unwrap();
    let twice = settler.settle(&held.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!(twice.kind(), Kind::LeaseLost);
    server.stop().await;
}

/// While what came together is handled, the next is on its way: the event-bus has sent it before it
/// is asked for, and may be gone by then.
#[tokio::test(flavor = "multi_thread")]
async fn next_deliveries_come_while_others_are_handled() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    for sequence in 0..2 {
        remote.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let of = || spec("s", &["t"], Position::Start);
    let mut consumer = remote.subscribe(of()).await.unwrap();
    assert_eq!(next(&mut consumer).await.lease.offset, 0);
    remote.publish(&topic("t"), batch(1, 2..3)).await.unwrap();
    // Until another consumer, to which it goes else, gets nothing.
    let mut other = server.embedded.subscribe(of()).await.unwrap();
    let sent = soon("it to be sent", async {
        while let Ok(delivered) = timeout(Duration::from_millis(50), other.next()).await {
            let lease = delivered.unwrap().lease;
            other.settler().settle(&lease, Outcome::Release).await.unwrap();
        }
    });
    sent.await;
    server.stop().await;
    for offset in 1..3 {
        assert_eq!(next(&mut consumer).await.lease.offset, offset);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settlement_before_the_consumer_is_back_may_be_tried_again() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut consumer = remote.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    remote.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let held = next(&mut consumer).await;
    let server = server.restart(dir.path()).await;
    let channel = tonic::transport::Endpoint::from_shared(server.url()).unwrap().connect_lazy();
    let mut client = BusServiceClient::new(channel);
    let lease = Some(v1::Lease::from(&held.lease));
    let outcome = Some(Outcome::Ack.into());
    let other = v1::Lease { subscription: "other".to_owned(), ..lease.clone().unwrap() };
    let settlements = vec![v1::Settlement { lease: Some(other), outcome }];
    let settled = client.settle(v1::SettleRequest { settlements }).await.unwrap().into_inner();
    let error: worldbus_bus::Error = settled.results[0].error.clone().unwrap().into();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry), "{error}");
    assert!(error.context().contains("was not opened"), "{error}");
    // The consumer comes back by itself, though no one asks it for deliveries.
    let settler = consumer.settler();
    let settled = soon("it to be settled", async {
        // Each try is a call to the event-bus, or fails for want of a connection.
        while let Err(error) = settler.settle(&held.lease, Outcome::Ack).await {
            assert_ne!(error.fate(), Fate::Refused, "{error}");
            tokio::task::yield_now().await;
        }
    });
    settled.await;
    server.stop().await;
}

/// By the messages themselves: one in flight, which is settled before the next is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_on_a_stream_makes_room_for_what_is_asked_for_behind_it() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    for sequence in 0..3 {
        server.embedded.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let channel = tonic::transport::Endpoint::from_shared(server.url()).unwrap().connect_lazy();
    let (requests, mut sent) = tokio::sync::mpsc::channel(8);
    let send = async |request| {
        requests.send(v1::SubscribeRequest { request: Some(request) }).await.unwrap();
    };
    let spec = SubscriptionSpec { in_flight_max: 1, ..spec("s", &["t"], Position::Start) };
    send(Request::Open((&spec).into())).await;
    send(Request::More(More {})).await;
    let requests = futures_util::stream::poll_fn(move |context| sent.poll_recv(context));
    let mut stream = BusServiceClient::new(channel).subscribe(requests).await.unwrap().into_inner();
    let mut message =
        async || soon("a message", stream.message()).await.unwrap().expect("the stream goes on");
    let mut lease = message().await.deliveries[0].lease(&spec.name).unwrap();
    for offset in 1..3 {
        let settlement = |lease: &Lease| v1::Settlement {
            lease: Some(lease.into()),
            outcome: Some(Outcome::Ack.into()),
        };
        // Twice: each has a result of its own.
        let settlements = vec![settlement(&lease), settlement(&lease)];
        send(Request::Settle(v1::SettleRequest { settlements })).await;
        send(Request::More(More {})).await;
        let settled = message().await.settled.expect("an answer before the deliveries");
        let lost = settled.results.iter().map(|result| result.error.is_some());
        assert_eq!(lost.collect::<Vec<_>>(), [false, true]);
        let deliveries = message().await.deliveries;
        assert_eq!(deliveries.iter().map(|one| one.offset).collect::<Vec<_>>(), [offset]);
        lease = deliveries[0].lease(&spec.name).unwrap();
    }
    server.stop().await;
}

/// Ends with the error of a request that is invalid; what came before it is durable.
#[tokio::test(flavor = "multi_thread")]
async fn publish_stream_answers_in_order_until_a_request_is_invalid() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let channel = tonic::transport::Endpoint::from_shared(server.url()).unwrap().connect_lazy();
    let entry = |sequence: u64| v1::PublishEntry {
        topic: "t".to_owned(),
        batch: batch(1, sequence..sequence + 1).bytes().clone(),
    };
    let good = (0..50).map(move |call| v1::PublishStreamRequest {
        entries: vec![entry(2 * call), entry(2 * call + 1)],
    });
    let wrong = v1::PublishStreamRequest { entries: vec![entry(0); 5000] };
    let requests = futures_util::stream::iter(good.chain([wrong]));
    let mut stream =
        BusServiceClient::new(channel).publish_stream(requests).await.unwrap().into_inner();
    for call in 0..50 {
        let response = soon("an answer", stream.message()).await.unwrap().unwrap();
        let results = response.results.into_iter().map(|one| one.into_result().unwrap().unwrap());
        let offsets: Vec<_> = results.map(|appended| appended.offset).collect();
        assert_eq!(offsets, [Some(2 * call), Some(2 * call + 1)]);
    }
    let status = soon("an answer", stream.message()).await.unwrap_err();
    assert_eq!(from_status(&status).unwrap().kind(), Kind::TooLarge);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_outlives_restarts_without_gap_or_double() {
    const BATCHES: u64 = 60;
    let dir = dir();
    let mut server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut all = remote.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut found = Vec::new();
        while found.len() < BATCHES as usize {
            let stored = soon("a batch", all.next()).await.unwrap().unwrap();
            found.push((stored.topic.as_str().to_owned(), stored.offset));
        }
        found
    });
    for number in 0..BATCHES {
        if number % 20 == 10 {
            server = server.restart(dir.path()).await;
        }
        let name = if number % 2 == 0 { "even" } else { "odd" };
        server.embedded.publish(&topic(name), batch(1, number..number + 1)).await.unwrap();
    }
    let found = reading.await.unwrap();
    for name in ["even", "odd"] {
        let offsets: Vec<_> =
            found.iter().filter(|(topic, _)| topic == name).map(|&(_, offset)| offset).collect();
        assert_eq!(offsets, (0..BATCHES / 2).collect::<Vec<_>>());
    }
    server.stop().await;
}

/// The sequences of the next events, each a batch of its own.
async fn sequences(reader: &mut Box<dyn Reader>, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < count {
        let stored = soon("a batch", reader.next()).await.unwrap().unwrap();
        found.push(stored.batch.first_id().sequence);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_goes_on_in_another_log_by_time_and_returns_nothing_twice() {
    let (dir, other) = (dir(), dir());
    let server = Server::start(other.path()).await;
    // In another order, and with more: what the first had not got yet.
    for number in (0..30).rev() {
        server.embedded.publish(&topic("t"), batch(1, number..number + 1)).await.unwrap();
    }
    server.stop().await;
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut readers = Vec::new();
    for from in [Position::Start, Position::Now] {
        readers.push(remote.read(ReadSpec::all(from, true)).await.unwrap());
    }
    for number in 0..20 {
        server.embedded.publish(&topic("t"), batch(1, number..number + 1)).await.unwrap();
    }
    for reader in &mut readers {
        assert_eq!(sequences(reader, 20).await, (0..20).collect::<Vec<_>>());
        assert_eq!(reader.notice(), None);
    }
    let server = server.restart(other.path()).await;
    for reader in &mut readers {
        assert_eq!(sequences(reader, 1).await, [29]);
        assert!(matches!(reader.notice(), Some(Notice::Resumed { .. })));
        // Events of tests happened long before any log began.
        let began = |gap: &Gap| gap.reason == GapReason::LogBegan;
        assert!(matches!(reader.notice(), Some(Notice::Gap(gap)) if began(&gap)));
        assert_eq!(sequences(reader, 4).await, [28, 27, 26, 25]);
    }
    // In the same log it goes on exactly.
    let server = server.restart(other.path()).await;
    server.embedded.publish(&topic("t"), batch(1, 30..31)).await.unwrap();
    for reader in &mut readers {
        assert_eq!(sequences(reader, 6).await, [24, 23, 22, 21, 20, 30]);
        assert_eq!(reader.notice(), None);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publisher_loses_and_doubles_nothing_while_the_event_bus_restarts() {
    const EVENTS: u64 = 300;
    let dir = dir();
    let mut server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let publisher = tokio::spawn(async move {
        for sequence in 0..EVENTS {
            soon("a durable batch", async {
                // The same batch again: safe whatever became of it.
                while let Err(error) =
                    remote.publish(&topic("t"), batch(1, sequence..sequence + 1)).await
                {
                    assert_ne!(error.fate(), Fate::Refused, "{error}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        }
    });
    while !publisher.is_finished() {
        server = server.restart(dir.path()).await;
        let seen = server.embedded.topics().await.unwrap();
        let count = seen.first().map_or(0, |status| status.events_total);
        soon("progress", async {
            while !publisher.is_finished() {
                let now = server.embedded.topics().await.unwrap();
                if now.first().map_or(0, |status| status.events_total) > count + 40 {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    publisher.await.unwrap();
    let all = ReadSpec::topics([topic("t")], Position::Start, false);
    let all = read_all(&server.embedded, all).await;
    let found: Vec<_> =
        all.iter().flat_map(|stored| stored.batch.iter().map(|e| e.id.sequence)).collect();
    assert_eq!(found, (0..EVENTS).collect::<Vec<_>>());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumer_that_closes_hands_back_what_it_took_ahead() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let (first, second) = (server.connect().await, server.connect().await);
    let mut leaving = first.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for sequence in 0..10 {
        first.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    let held = next(&mut leaving).await;
    soon("the close", leaving.close()).await.unwrap();
    let mut other = second.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    for offset in 1..10 {
        let delivered = next(&mut other).await;
        assert_eq!((delivered.lease.offset, delivered.lease.attempt), (offset, 1));
    }
    other.settler().settle(&held.lease, Outcome::Ack).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_transport_reports_it() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut consumer = remote.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    let mut reader = remote.read(ReadSpec::all(Position::Now, true)).await.unwrap();
    let (delivery, stored, closed) =
        soon("the end", async { tokio::join!(consumer.next(), reader.next(), remote.close()) })
            .await;
    closed.unwrap();
    assert_eq!(delivery.unwrap_err().kind(), Kind::Closed);
    assert_eq!(stored.unwrap_err().kind(), Kind::Closed);
    let refused = remote.publish(&topic("t"), batch(1, 0..1)).await.unwrap_err();
    assert_eq!((refused.kind(), refused.fate()), (Kind::Closed, Fate::Refused));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_is_asked_for_and_the_wrong_one_refused() {
    let dir = dir();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::start_at(dir.path(), any, Some("swordfish")).await;
    for key in [None, Some("sardine")] {
        let api_key = key.map(|key| ApiKey::new(key).unwrap());
        let options = RemoteOptions { api_key, ..RemoteOptions::default() };
        let error = Remote::connect(&server.url(), options).await.unwrap_err();
        assert_eq!((error.kind(), error.fate()), (Kind::Unauthorized, Fate::Refused), "{error}");
        assert!(error.context().contains("WORLDBUS_API_KEY"), "{error}");
    }
    let options =
        RemoteOptions { api_key: ApiKey::new("swordfish").ok(), ..RemoteOptions::default() };
    let remote = Remote::connect(&server.url(), options).await.unwrap();
    remote.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn address_without_an_event_bus_states_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let connect = Remote::connect(&url, RemoteOptions::default());
    let error = soon("a refusal", connect).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Retry), "{error}");
    assert!(error.context().contains("worldbus up"), "{error}");

    // A Worldbus service that is not an event-bus.
    let access = worldbus_service::access::Access::new(address, None).unwrap();
    let (router, _) = worldbus_service::part::Host::new("time-manager", access).assemble();
    let listener = worldbus_service::server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = worldbus_service::CancellationToken::new();
    let serving = tokio::spawn(worldbus_service::server::serve(listener, router, shutdown.clone()));
    let url = format!("http://{address}");
    let connect = Remote::connect(&url, RemoteOptions::default());
    let error = soon("a refusal", connect).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unsupported, Fate::Refused), "{error}");
    shutdown.cancel();
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connection_leaves_the_fate_of_a_publish_unknown_and_a_refused_one_does_not() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    server.stop().await;
    let name = topic("t");
    let publish = || remote.publish(&name, batch(1, 0..1));
    // The first may find the old connection breaking; then no connection is to be had.
    let error = soon("a refusal", async {
        loop {
            let error = publish().await.unwrap_err();
            if error.fate() == Fate::Retry {
                return error;
            }
            assert_eq!((error.kind(), error.fate()), (Kind::Unavailable, Fate::Unknown), "{error}");
        }
    });
    assert_eq!(error.await.kind(), Kind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bytes_are_refused_entry_by_entry() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let channel = tonic::transport::Endpoint::from_shared(server.url()).unwrap().connect_lazy();
    let mut client = BusServiceClient::new(channel);
    let entry = |topic: &str, batch: &[u8]| v1::PublishEntry {
        topic: topic.to_owned(),
        batch: batch.to_vec().into(),
    };
    let good = batch(1, 0..2);
    let cut = &good.bytes()[..good.bytes().len() - 1];
    let entries = vec![
        entry("t", b"\xff\xff\xff\xff"),
        entry("t", b""),
        entry("t", cut),
        entry("T!", good.bytes()),
        entry("t", good.bytes()),
    ];
    let results = client.publish(v1::PublishRequest { entries }).await.unwrap().into_inner();
    let mut results: Vec<_> =
        results.results.into_iter().map(|result| result.into_result().unwrap()).collect();
    assert_eq!(results.pop().unwrap().unwrap().offset, Some(0));
    for result in results {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused), "{error}");
    }
    let too_many = v1::PublishRequest { entries: vec![entry("t", b""); 5000] };
    let status = client.publish(too_many).await.unwrap_err();
    assert_eq!(from_status(&status).unwrap().kind(), Kind::TooLarge);
    let nothing = futures_util::stream::iter([v1::SubscribeRequest::default()]);
    let status = client.subscribe(nothing).await.unwrap_err();
    assert_eq!(from_status(&status).unwrap().kind(), Kind::Invalid);
    let status = client.read(v1::ReadRequest::default()).await.unwrap_err();
    assert_eq!(from_status(&status).unwrap().kind(), Kind::Invalid);
    let oversize = v1::PublishEntry { topic: "t".to_owned(), batch: vec![0; 9 << 20].into() };
    let status = client.publish(v1::PublishRequest { entries: vec![oversize] }).await.unwrap_err();
    assert_ne!(status.code(), tonic::Code::Ok);
    let topics = server.embedded.topics().await.unwrap();
    assert_eq!(topics.iter().map(|status| status.events_total).sum::<u64>(), 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_batches_go_through_in_order() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let remote = server.connect().await;
    let mut consumer = remote.subscribe(spec("s", &["t"], Position::Start)).await.unwrap();
    let publish = async |sequence: u64| {
        let large = typed(1, sequence..sequence + 1, 6, None, 900 << 10);
        remote.publish(&topic("t"), large).await.unwrap();
    };
    let publishing = futures_util::future::join_all((0..20).map(publish));
    let consuming = async {
        for sequence in 0..20 {
            let delivered = next(&mut consumer).await;
            assert_eq!(delivered.batch.first_id().sequence, sequence);
            consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
        }
    };
    tokio::join!(publishing, consuming);
    drop(Arc::clone(&remote));
    server.stop().await;
}

/// The port cuts connections without a stream, and our own client sits idle between its calls.
#[tokio::test(flavor = "multi_thread")]
async fn client_whose_idle_connection_is_cut_again_and_again_loses_no_call() {
    let dir = dir();
    let idle = Duration::from_millis(20);
    let limits = Limits { idle, ..Limits::default() };
    let bus = Server::start_within(dir.path(), limits).await;
    let remote = bus.connect().await;
    for round in 1..=60 {
        // Around the deadline, so that some calls cross the goodbye.
        tokio::time::sleep(idle * (round % 6) / 3).await;
        // Not a publish: its stream would keep the connection from being idle.
        let topics = soon("the topics", remote.topics()).await;
        assert!(topics.is_ok(), "round {round}: {topics:?}");
    }
    soon("a publish", remote.publish(&topic("t"), batch(1, 0..1))).await.unwrap();
    bus.stop().await;
}

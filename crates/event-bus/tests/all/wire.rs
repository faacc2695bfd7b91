//! What a publish and a delivery take between two processes, counted by a relay on the way: pieces,
//! each of them a write of its sender, since the next thing is sent only once this one has come.
//!
//! What it cannot show: what a write costs, and the calls by which a process waits.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, dir};
use worldbus_bus::{Outcome, Position, Transport};
use worldbus_conformance::{batch, next, spec, topic};
use worldbus_transport_remote::{Remote, RemoteOptions};

const ROUNDS: u64 = 200;

/// What passed in one direction.
#[derive(Default)]
struct Passed {
    pieces: AtomicU64,
    bytes: AtomicU64,
}

impl Passed {
    fn read(&self) -> (u64, u64) {
        (self.pieces.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Passes on what comes, to the server and to the client; where it listens.
async fn relay(to: u16, passed: [Arc<Passed>; 2]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Stopped: the client comes again.
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { continue };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let [up, down] = passed.clone();
            tokio::spawn(pass_on(from_client, to_server, up));
            tokio::spawn(pass_on(from_server, to_client, down));
        }
    });
    port
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passed: Arc<Passed>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer).await
        && read > 0
        && to.write_all(&buffer[..read]).await.is_ok()
    {
        passed.pieces.fetch_add(1, Ordering::Relaxed);
        passed.bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// Pieces and bytes of a round, to the server and to the client.
async fn a_round(passed: &[Arc<Passed>; 2], mut round: impl AsyncFnMut(u64)) -> [(f64, f64); 2] {
    // The streams are opened.
    round(0).await;
    let before = passed.each_ref().map(|passed| passed.read());
    for number in 1..=ROUNDS {
        round(number).await;
    }
    let after = passed.each_ref().map(|passed| passed.read());
    [0, 1].map(|way| {
        let of = |now: u64, then: u64| (now - then) as f64 / ROUNDS as f64;
        (of(after[way].0, before[way].0), of(after[way].1, before[way].1))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_is_one_write_each_way_and_a_delivery_with_its_settlement_two() {
    let dir = dir();
    let server = Server::start(dir.path()).await;
    let passed = <[Arc<Passed>; 2]>::default();
    let port = relay(server.address.port(), passed.clone()).await;
    let url = format!("http://127.0.0.1:{port}");
    let remote = Remote::connect(&url, RemoteOptions::default()).await.unwrap();
    let batch_bytes = batch(1, 1000..1001).bytes().len() as f64;

    let publishes = a_round(&passed, async |round| {
        remote.publish(&topic("t"), batch(1, 1000 + round..1001 + round)).await.unwrap();
    });
    let [up, down] = publishes.await;
    println!("publish: {up:?} to the event-bus, {down:?} back");
    // Now and then a frame about windows goes on its own.
    assert!(up.0 <= 1.1 && down.0 <= 1.1, "pieces of a publish: {} up, {} down", up.0, down.0);
    // A call has headers and trailers.
    assert!(up.1 <= batch_bytes + 32.0 && down.1 <= 32.0, "bytes: {up:?}, {down:?}");

    let mut consumer = remote.subscribe(spec("s", &["d"], Position::Now)).await.unwrap();
    let deliveries = a_round(&passed, async |round| {
        server.embedded.publish(&topic("d"), batch(2, round..round + 1)).await.unwrap();
        let lease = next(&mut consumer).await.lease;
        consumer.settler().settle(&lease, Outcome::Ack).await.unwrap();
    });
    let [up, down] = deliveries.await;
    println!("delivery: {up:?} to the event-bus, {down:?} back");
    assert!(up.0 <= 2.2 && down.0 <= 2.2, "pieces of a delivery: {} up, {} down", up.0, down.0);
    server.stop().await;
}

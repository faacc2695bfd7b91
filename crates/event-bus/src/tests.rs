//! Clients that do not read, over real sockets and a real log.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::open::Open;
use crate::places::Places;
use crate::registry::Registry;
use crate::{grpc, rest};
use worldbus_bus::{Bus, Transport as _};
use worldbus_conformance::{soon, topic, typed};
use worldbus_events::Catalogue;
use worldbus_rpc::v1;
use worldbus_rpc::v1::bus_service_client::BusServiceClient;
use worldbus_service::server;
use worldbus_transport_embedded::{Embedded, Options};

/// Bytes of a batch, and batches: more than any socket takes.
const BATCH_BYTES: usize = 900 << 10;
const BATCHES: u64 = 24;

/// An event-bus with one place of each kind.
struct Narrow {
    address: SocketAddr,
    open: Arc<Open>,
    embedded: Embedded,
    shutdown: CancellationToken,
    _dir: TempDir,
}

async fn narrow() -> Narrow {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, ..Options::default() };
    let embedded = Embedded::open(dir.path(), options).unwrap();
    let bus = Bus::new(Arc::new(embedded.clone()));
    let publisher = bus.publisher("event-bus", "test");
    let shutdown = CancellationToken::new();
    let state = format!("sqlite:{}", dir.path().join("state.db").display());
    let state = worldbus_service::state::open(&state).await.unwrap();
    let registry = Registry::open(state, Arc::new(Catalogue::builtin())).await.unwrap();
    let registry = Arc::new(registry);
    let mut open = Open::new(bus, publisher, registry, "europe".to_owned(), shutdown.clone());
    (open.sse, open.readers) = (Places::new("sse", 1), Places::new("read", 1));
    let open = Arc::new(open);
    let router = grpc::routes(Arc::clone(&open)).await;
    let router = router.merge(rest::routes(Arc::clone(&open)));
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, router, shutdown.clone()));
    Narrow { address, open, embedded, shutdown, _dir: dir }
}

impl Narrow {
    async fn fill(&self) {
        for sequence in 0..BATCHES {
            let large = typed(1, sequence..sequence + 1, 1, None, BATCH_BYTES);
            self.embedded.publish(&topic("weather"), large).await.unwrap();
        }
    }

    async fn stream(&self, query: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            format!("GET /api/events/stream?{query} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Waits until the client of a stream leaves what it was given.
    async fn is_stalled(&self, places: &Places) {
        soon("a stalled client", async {
            while places.unread_bytes() == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

/// What comes first.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let count = soon("an answer", stream.read(&mut bytes)).await.unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomer_gets_the_place_of_an_sse_client_that_does_not_read() {
    let bus = narrow().await;
    bus.fill().await;
    let mut stalled = bus.stream("from=start", "").await;
    bus.is_stalled(&bus.open.sse).await;
    soon("a place", async {
        loop {
            let mut newcomer = bus.stream("", "").await;
            let head = head(&mut newcomer).await;
            if head.starts_with("HTTP/1.1 200") {
                break;
            }
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // Cut, with most of it never sent.
    let mut rest = Vec::new();
    let _ = soon("the end", stalled.read_to_end(&mut rest)).await;
    assert!(rest.len() < BATCHES as usize * BATCH_BYTES, "{}", rest.len());
    bus.shutdown.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomer_gets_the_place_of_a_grpc_reader_that_does_not_read() {
    let bus = narrow().await;
    bus.fill().await;
    let connect = || {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", bus.address));
        BusServiceClient::new(endpoint.unwrap().connect_lazy()).max_decoding_message_size(16 << 20)
    };
    let position = v1::position::Position::Start(v1::position::Start {});
    let start = v1::Position { position: Some(position) };
    let request =
        v1::ReadRequest { default_from: Some(start), all_topics: true, ..Default::default() };
    let mut stalled = connect().read(request.clone()).await.unwrap().into_inner();
    bus.is_stalled(&bus.open.readers).await;
    let mut found = soon("a place", async {
        loop {
            match connect().read(request.clone()).await {
                Ok(newcomer) => break newcomer.into_inner(),
                Err(status) => assert_eq!(status.code(), tonic::Code::Unavailable),
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut batches = 0;
    while let Some(message) = soon("a message", found.message()).await.unwrap() {
        batches += message.batches.len();
    }
    assert_eq!(batches, BATCHES as usize, "who reads gets all");
    let cut = async { while let Ok(Some(_)) = stalled.message().await {} };
    timeout(Duration::from_secs(60), cut).await.expect("the stalled stream ends");
    bus.shutdown.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_that_is_refused_for_lack_of_a_place_reconnects_and_others_get_503() {
    let bus = narrow().await;
    let mut reads = bus.stream("", "").await;
    assert!(head(&mut reads).await.starts_with("HTTP/1.1 200"));
    let mut program = bus.stream("", "").await;
    let refused = head(&mut program).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"), "{refused}");
    let accept = "accept: text/event-stream\r\nconnection: close\r\n";
    let mut browser = bus.stream("", accept).await;
    let mut answer = String::new();
    soon("the end", browser.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("text/event-stream") && answer.contains("retry: 5000"), "{answer}");
    bus.shutdown.cancel();
}

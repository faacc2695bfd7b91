//! What a panic does to a process that serves, over real sockets. One test, in a process of its
//! own: the hook is the process's.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use worldbus_service::access::Access;
use worldbus_service::panics::Panics;
use worldbus_service::part::Host;
use worldbus_service::{CancellationToken, Part, server};

const DEADLINE: Duration = Duration::from_secs(60);

async fn ask(address: SocketAddr, path: &str) -> String {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(DEADLINE, talk).await.expect("no answer in time")
}

fn routes() -> Router {
    let fails = async || -> &'static str { panic!("in a handler") };
    let spawns = async || {
        tokio::spawn(async { panic!("in a task of its own") });
        "spawned"
    };
    let streams = async || {
        let items = stream::iter(0..2).then(|item| async move {
            // What came before is sent meanwhile.
            tokio::task::yield_now().await;
            assert_eq!(item, 0, "in a stream");
            Ok::<_, std::io::Error>(Bytes::from_static(b"first"))
        });
        Body::from_stream(items)
    };
    Router::new()
        .route("/handler", get(fails))
        .route("/stream", get(streams))
        .route("/task", get(spawns))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panic_of_a_request_ends_its_connection_and_one_of_a_task_the_process() {
    let shutdown = CancellationToken::new();
    let panics = Panics::end(&shutdown);
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access::new(address, None).unwrap();
    let host = Host::new("test", access).with(Part::new("test", routes()));
    let host = tokio::spawn(host.run(listener, shutdown.clone()));

    assert_eq!(ask(address, "/handler").await, "", "the connection ends");
    assert!(ask(address, "/stream").await.contains("first"));
    assert_eq!(panics.first(), None);
    assert!(ask(address, "/livez").await.ends_with("ok\n"));

    ask(address, "/task").await;
    tokio::time::timeout(DEADLINE, shutdown.cancelled()).await.expect("no shutdown in time");
    tokio::time::timeout(DEADLINE, host).await.expect("no end in time").unwrap().unwrap();
    let first = panics.first().unwrap();
    assert!(first.contains("in a task of its own") && first.contains("panics.rs"), "{first}");
}

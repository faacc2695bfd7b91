//! What grows with a request or with the world is computed in the places for it, and what is small
//! does not wait for them.

use std::sync::mpsc::sync_channel;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::kit::{new_clock, run, tell};
use worldbus_service::Work;
use worldbus_testkit::Place;

const YEAR: &str = "region=paris&from=2024-03-01T06:00:00&to=2025-03-01T06:00:00";
const DAY: &str = "region=paris&from=2024-03-01T06:00:00&to=2024-03-02T06:00:00";

async fn livez(url: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_grows_waits_for_a_place_while_health_commands_and_small_looks_are_answered() {
    let mut place = Place::new().await;
    place.work = Work::new(1, 0);
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    let grows = [
        "/api/weather/regions".to_owned(),
        "/api/weather/current".to_owned(),
        "/api/weather/forecast?region=paris".to_owned(),
        "/api/weather/forecast?region=paris&kind=fallible".to_owned(),
        format!("/api/weather/history?{DAY}"),
        format!("/api/weather/statistics?{YEAR}"),
        "/api/weather/alerts".to_owned(),
        "/api/weather/overrides".to_owned(),
    ];

    let (begin, begun) = tokio::sync::oneshot::channel();
    let (go, gone) = sync_channel(1);
    let work = place.work.clone();
    let taken = tokio::spawn(async move {
        let compute = move || {
            begin.send(()).unwrap();
            gone.recv().unwrap();
        };
        work.run(compute).await.unwrap();
    });
    begun.await.unwrap();
    for path in &grows {
        let (status, problem) = instance.get(path).await;
        assert_eq!(status, 503, "{path} is not computed in a place");
        assert_eq!(problem["type"], "urn:worldbus:problem:unavailable", "{problem}");
    }
    assert!(livez(&instance.url).await.starts_with("HTTP/1.1 200"));
    for path in ["/api/weather/current?region=paris", "/api/weather/at?region=paris"] {
        assert_eq!(instance.get(path).await.0, 200, "{path}");
    }
    let body = r#"{"region":"paris","state":"fog"}"#;
    assert_eq!(instance.post("/api/weather/set", body).await.0, 200);

    go.send(()).unwrap();
    taken.await.unwrap();
    for path in &grows {
        assert_eq!(instance.get(path).await.0, 200, "{path}");
    }
    instance.stop().await;
}

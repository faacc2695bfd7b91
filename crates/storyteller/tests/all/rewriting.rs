//! A language model that works, hangs, lies about lengths or answers garbage: a real server each.
//! No entry waits for it.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::{feast, place, run_with, settings};
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, v1};
use worldbus_storyteller::Settings;
use worldbus_testkit::{Place, Seen};

/// Reads a request to its end.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return text;
        }
    }
}

/// A server that answers every request with the same bytes, and then holds the connection.
async fn server(answer: Vec<u8>) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
    let (sender, requests) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let text = request(&mut stream).await;
            stream.write_all(&answer).await.unwrap_or_default();
            held.push(stream);
            sender.send(text).await.unwrap_or_default();
        }
    });
    (url, requests)
}

fn http(body: &str, length: usize) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

fn of<E: worldbus_events::Event>(events: &[Seen]) -> Vec<&Seen> {
    events.iter().filter(|event| event.event_type == E::NUMBER).collect()
}

async fn asking(url: &str) -> (Place, tempfile::TempDir, worldbus_testkit::Instance) {
    let place = place().await;
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        chat_url: Some(url.to_owned()),
        chat_api_key: Some(worldbus_service::Secret::new("k3y")),
        ..settings(dir.path().join("chronicle.db"))
    };
    let instance = run_with(&place, settings).await;
    (place, dir, instance)
}

#[tokio::test]
async fn text_of_a_model_is_sanitised_stored_and_published() {
    let body = json!({"model": "poet", "choices": [{"message": {"content":
        "Lanterns\u{1b}[2J <b>swung</b>\nover the town."}}]});
    let body = body.to_string();
    let (url, mut requests) = server(http(&body, body.len())).await;
    let (place, _dir, instance) = asking(&url).await;
    feast(&place, 18, "Lantern Night").await;
    let rewritten = |events: &[Seen]| of::<v1::StoryEntryRewritten>(events).len() == 1;
    let events = place.events_until(v1::StoryEntryRewritten::TOPIC, rewritten).await;
    let event = of::<v1::StoryEntryRewritten>(&events)[0];
    let event = v1::StoryEntryRewritten::decode(event.payload.as_slice()).unwrap();
    assert_eq!(event.text, "Lanterns [2J <b>swung</b> over the town.");
    assert_eq!(event.model, "poet");
    let (_, entry) = instance.get(&format!("/api/chronicle/{}", event.entry_id)).await;
    assert_eq!(entry["text"], event.text);
    assert!(entry["original_text"].as_str().unwrap().contains("Lantern Night"));
    let asked = requests.recv().await.unwrap();
    assert!(asked.contains("authorization: Bearer k3y") && asked.contains("Lantern Night"));
    instance.stop().await;
}

/// The grammar's text stands, at once, whatever the model does.
async fn stands(answer: Vec<u8>) {
    let (url, mut requests) = server(answer).await;
    let (place, _dir, instance) = asking(&url).await;
    feast(&place, 18, "Lantern Night").await;
    let added = |events: &[Seen]| !of::<v1::StoryEntryAdded>(events).is_empty();
    place.events_until(v1::StoryEntryAdded::TOPIC, added).await;
    requests.recv().await.unwrap();
    // While it is asked, or after it failed: another entry comes at once.
    feast(&place, 19, "Second Night").await;
    let two = |events: &[Seen]| of::<v1::StoryEntryAdded>(events).len() == 2;
    let events = place.events_until(v1::StoryEntryAdded::TOPIC, two).await;
    assert_eq!(of::<v1::StoryEntryRewritten>(&events).len(), 0);
    let (_, found) = instance.get("/api/chronicle?q=lantern").await;
    assert!(found["entries"][0]["text"].as_str().unwrap().contains("Lantern Night"));
    instance.stop().await;
}

#[tokio::test]
async fn model_that_hangs_delays_nothing() {
    stands(Vec::new()).await;
}

#[tokio::test]
async fn model_that_lies_about_its_length_delays_nothing() {
    stands(http("{\"choices\":[]}", 1 << 40)).await;
}

#[tokio::test]
async fn model_that_sends_more_than_may_be_delays_nothing() {
    let body = "x".repeat(1 << 20);
    stands(http(&body, body.len())).await;
}

#[tokio::test]
async fn model_that_answers_garbage_delays_nothing() {
    stands(b"\x00\xff nothing of HTTP".to_vec()).await;
    stands(http("<html>busy</html>", 17)).await;
    stands(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
}

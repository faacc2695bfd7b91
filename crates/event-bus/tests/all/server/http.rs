//! A small HTTP/1.1 client that reads streams as they come, which polite libraries do not.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(60);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Reply {
    request(address, &format!("GET {path} HTTP/1.1"), "").await
}

pub async fn post(address: SocketAddr, path: &str, body: &str) -> Reply {
    let head = format!("POST {path} HTTP/1.1\r\ncontent-type: application/json");
    request(address, &head, body).await
}

async fn request(address: SocketAddr, head: &str, body: &str) -> Reply {
    let mut stream = open(address, &format!("{head}\r\nconnection: close"), body).await;
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    tokio::time::timeout(DEADLINE, read).await.unwrap().unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, body: body.to_owned() }
}

async fn open(address: SocketAddr, head: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!("{head}\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub id: String,
    pub event: String,
    pub data: Value,
}

/// An open event stream.
pub struct EventStream {
    stream: TcpStream,
    text: String,
}

impl EventStream {
    pub async fn open(address: SocketAddr, query: &str, last_event_id: Option<&str>) -> Self {
        let mut head = format!("GET /api/events/stream?{query} HTTP/1.1");
        if let Some(id) = last_event_id {
            head.push_str(&format!("\r\nlast-event-id: {id}"));
        }
        let stream = open(address, &head, "").await;
        let mut this = Self { stream, text: String::new() };
        while !this.text.contains("\r\n\r\n") {
            assert!(this.more().await, "{}", this.text);
        }
        assert!(this.text.starts_with("HTTP/1.1 200"), "{}", this.text);
        this
    }

    /// The next block: its id, event and data, each if it has it.
    async fn block(&mut self) -> Option<(String, String, String)> {
        loop {
            // Chunk sizes stand on lines of their own, which no field begins with.
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().to_owned()
                };
                return Some((field("id: "), field("event: "), field("data: ")));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The id that comes before any event.
    pub async fn first_id(&mut self) -> String {
        self.block().await.unwrap().0
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            let (id, event, data) = self.block().await?;
            if !data.is_empty() {
                return Some(Sent { id, event, data: serde_json::from_str(&data).unwrap() });
            }
        }
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes);
        let count = tokio::time::timeout(DEADLINE, read).await.unwrap().unwrap_or(0);
        self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        count > 0
    }
}

//! NATS JetStream in its text protocol: publishes with a reply subject, a pull consumer with
//! explicit acks.
//!
//! Not the crate `async-nats`: a client that only counts is faster, and what is measured is the
//! server.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Syncs, Wire, line};

/// Deliveries that are asked for and did not come yet, at the most; half as many are asked for
/// again.
const PULL_COUNT: u64 = 1000;

pub(super) fn server(program: &Path, port: u16, folder: &Path, sync: Syncs) -> Result<Command> {
    let sync = if sync == Syncs::Always { "sync_interval: always" } else { "" };
    let folder = std::path::absolute(folder)?;
    let store = folder.join("store");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{\n  store_dir: \"{}\"\n  {sync}\n}}\n",
        store.display()
    );
    let file = folder.join("nats.conf");
    std::fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.arg("--config").arg(file);
    Ok(command)
}

/// Makes the stream and its consumer.
pub(super) async fn set_up(port: u16) -> Result<()> {
    let stream = json!({ "name": "S", "subjects": ["s"], "storage": "file" });
    let consumer = json!({ "stream_name": "S", "config": {
        "durable_name": "c", "ack_policy": "explicit", "max_ack_pending": 100_000 } });
    request(port, "$JS.API.STREAM.CREATE.S", &stream.to_string()).await?;
    request(port, "$JS.API.CONSUMER.DURABLE.CREATE.S.c", &consumer.to_string()).await
}

async fn request(port: u16, subject: &str, body: &str) -> Result<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut out = Vec::new();
    let mut side = Nats::of("_INBOX.api");
    side.begin(&mut out);
    write_pub(&mut out, subject, "_INBOX.api", body.as_bytes());
    connection.write_all(&out).await?;
    let mut input = Vec::new();
    loop {
        ensure!(connection.read_buf(&mut input).await? > 0, "NATS closed the connection");
        let mut out = Vec::new();
        let (used, answers) = side.answers(&input, &mut out)?;
        connection.write_all(&out).await?;
        if answers > 0 {
            return Ok(());
        }
        input.drain(..used);
    }
}

fn write_pub(out: &mut Vec<u8>, subject: &str, reply: &str, payload: &[u8]) {
    // A vector takes all there is.
    let _ = write!(out, "PUB {subject} {reply} {}\r\n", payload.len());
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// Either side.
pub(super) struct Nats {
    inbox: &'static str,
    /// Deliveries that were asked for and did not come yet.
    asked: u64,
}

/// What a server sends.
enum Received<'a> {
    /// A message, and the subject of its answer.
    Message(&'a str, &'a [u8]),
    Ping,
    Else,
}

impl Nats {
    pub(super) fn producer() -> Self {
        Self::of("_INBOX.p")
    }

    pub(super) fn consumer() -> Self {
        Self::of("_INBOX.c")
    }

    fn of(inbox: &'static str) -> Self {
        Self { inbox, asked: 0 }
    }

    fn ask(&mut self, out: &mut Vec<u8>) {
        if self.asked <= PULL_COUNT / 2 {
            let count = PULL_COUNT - self.asked;
            let body = format!("{{\"batch\":{count}}}");
            write_pub(out, "$JS.API.CONSUMER.MSG.NEXT.S.c", self.inbox, body.as_bytes());
            self.asked += count;
        }
    }
}

impl Wire for Nats {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let _ = write!(
            out,
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"headers\":true}}\r\nSUB {} 1\r\n",
            self.inbox
        );
    }

    fn publish(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        write_pub(out, "s", self.inbox, payload);
    }

    fn answers(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, u64)> {
        let (mut used, mut count) = (0, 0);
        while let Some((received, bytes)) = received(&input[used..])? {
            match received {
                Received::Message(_, body) => {
                    let is_error = body.windows(8).any(|part| part == b"\"error\":");
                    ensure!(!is_error, "NATS answers {}", String::from_utf8_lossy(body));
                    count += 1;
                }
                Received::Ping => out.extend_from_slice(b"PONG\r\n"),
                Received::Else => {}
            }
            used += bytes;
        }
        Ok((used, count))
    }

    fn deliveries(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        let mut used = 0;
        while let Some((received, bytes)) = received(&input[used..])? {
            match received {
                Received::Message(reply, body) => {
                    each(body);
                    self.asked -= 1;
                    let _ = write!(out, "PUB {reply} 4\r\n+ACK\r\n");
                }
                Received::Ping => out.extend_from_slice(b"PONG\r\n"),
                Received::Else => {}
            }
            used += bytes;
        }
        self.ask(out);
        Ok(used)
    }
}

/// The first message in some bytes, and what it takes there.
fn received(input: &[u8]) -> Result<Option<(Received<'_>, usize)>> {
    let Some((head, bytes)) = line(input) else { return Ok(None) };
    let head = std::str::from_utf8(head)?;
    let mut words = head.split(' ');
    match words.next() {
        Some("MSG") => {}
        Some("PING") => return Ok(Some((Received::Ping, bytes))),
        Some("INFO" | "PONG" | "+OK") => return Ok(Some((Received::Else, bytes))),
        _ => bail!("NATS sends {head:?}"),
    }
    let words: Vec<&str> = words.collect();
    let size: usize = words.last().context("a message without a size")?.parse()?;
    let reply = if words.len() == 4 { words[2] } else { "" };
    let body = input.get(bytes..bytes + size);
    let whole = bytes + size + 2;
    Ok(body.filter(|_| input.len() >= whole).map(|body| (Received::Message(reply, body), whole)))
}

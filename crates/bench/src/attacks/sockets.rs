//! Sockets that send nothing, or begin something that they do not end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::Watch;
use crate::broker::Broker;
use crate::report::Row;

const SOCKET_COUNT: usize = 2_000;
/// Those that are not cut until then stay for good.
const WAIT_MAX: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Silent,
    HalfPreface,
    IdleHttp2,
    HalfHead,
    NoBody,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Silent, Self::HalfPreface, Self::IdleHttp2, Self::HalfHead, Self::NoBody];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Silent => "2,000 silent sockets",
            Self::HalfPreface => "2,000 halves of an HTTP/2 preface",
            Self::IdleHttp2 => "2,000 idle HTTP/2 connections",
            Self::HalfHead => "2,000 halves of a request's head",
            Self::NoBody => "2,000 bodies that never come",
        }
    }

    /// What is sent first, and last.
    fn sent(self) -> &'static [u8] {
        match self {
            Self::Silent => b"",
            Self::HalfPreface => b"PRI * HT",
            // The preface, and a frame of settings without any.
            Self::IdleHttp2 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            Self::HalfHead => b"GET / HTTP/1.1\r\nhost: loc",
            Self::NoBody => {
                b"POST /api/events/publish HTTP/1.1\r\nhost: localhost\r\n\
                  content-type: application/json\r\ncontent-length: 100000\r\n\r\n{"
            }
        }
    }
}

pub(super) fn rows(worldbus: &Path, kind: Kind) -> Result<Vec<Row>> {
    let broker = Broker::start(worldbus, "event-bus")?;
    let watch = Watch::start(&broker)?;
    let begun = Instant::now();
    let mut open = Vec::with_capacity(SOCKET_COUNT);
    for _ in 0..SOCKET_COUNT {
        let mut stream = TcpStream::connect(broker.address()).context("connect; see ulimit -n")?;
        // One that is cut at once is what the attack is about.
        let _ = stream.write_all(kind.sent());
        stream.set_nonblocking(true)?;
        open.push(stream);
    }
    while !open.is_empty() && begun.elapsed() < WAIT_MAX {
        open.retain(is_open);
        std::thread::sleep(Duration::from_millis(100));
    }
    let (left, seconds) = (open.len() as f64, begun.elapsed().as_secs_f64());
    let name = kind.name();
    let mut rows = watch.end(name)?;
    rows.push(Row::new(format!("{name}: not cut in 60 s"), "", vec![left], "0"));
    rows.push(Row::new(format!("{name}: all cut after"), "s", vec![seconds], ""));
    Ok(rows)
}

/// Reads what there is, which keeps the other side from waiting for us.
fn is_open(mut stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}

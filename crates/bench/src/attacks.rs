//! What one caller can take from a running event-bus: memory above idle, and how long `/livez`
//! keeps others waiting meanwhile. Each attack has a process and a log of its own.
//!
//! Not here: that nothing is lost (`crates/cli/tests/end_to_end/crash.rs`), and what each refusal
//! asserts (`crates/event-bus/tests/all/bounds.rs`).

mod requests;
mod sockets;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::broker::Broker;
use crate::idle::resident_kib;
use crate::report::Row;

const PROBE_EACH: Duration = Duration::from_millis(50);
/// A probe that takes longer counts as so long.
const PROBE_MAX: Duration = Duration::from_secs(10);
const LIVEZ_TARGET: &str = "<= 1,000";
const MEMORY_TARGET: &str = "<= 128";

pub(crate) fn rows(
    worldbus: &Path,
    wanted: impl Fn(&str) -> bool,
    runtime: &tokio::runtime::Runtime,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for kind in sockets::Kind::ALL {
        if wanted(kind.name()) {
            rows.extend(sockets::rows(worldbus, kind)?);
        }
    }
    for attack in requests::Attack::ALL {
        if wanted(attack.name()) {
            rows.extend(runtime.block_on(requests::rows(worldbus, attack))?);
        }
    }
    Ok(rows)
}

/// Watches a broker from its start to the end of an attack.
struct Watch {
    idle_kib: f64,
    stop: Arc<AtomicBool>,
    watcher: JoinHandle<Result<Seen>>,
}

/// What a watch saw.
struct Seen {
    peak_kib: f64,
    livez_max: Duration,
}

impl Watch {
    fn start(broker: &Broker) -> Result<Self> {
        let (pid, address) = (broker.pid(), broker.address());
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let watcher = std::thread::spawn(move || {
            let mut seen = Seen { peak_kib: 0.0, livez_max: Duration::ZERO };
            while !ended.load(Ordering::Relaxed) {
                seen.peak_kib = seen.peak_kib.max(resident_kib(pid)?);
                seen.livez_max = seen.livez_max.max(probe(address));
                std::thread::sleep(PROBE_EACH);
            }
            Ok(seen)
        });
        Ok(Self { idle_kib: resident_kib(pid)?, stop, watcher })
    }

    fn end(self, name: &str) -> Result<Vec<Row>> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.watcher.join().map_err(|_| anyhow::anyhow!("the watch panicked"))??;
        let mebibytes = (seen.peak_kib - self.idle_kib) / 1024.0;
        let millis = seen.livez_max.as_secs_f64() * 1e3;
        Ok(vec![
            Row::new(format!("{name}: memory above idle"), "MiB", vec![mebibytes], MEMORY_TARGET),
            Row::new(format!("{name}: longest /livez"), "ms", vec![millis], LIVEZ_TARGET),
        ])
    }
}

/// How long `/livez` took to answer 200 on a connection of its own.
fn probe(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PROBE_MAX)?;
        stream.set_read_timeout(Some(PROBE_MAX))?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    if ask().unwrap_or(false) { begun.elapsed() } else { PROBE_MAX }
}

//! What events cost over SNS and SQS, counted at an emulator of AWS, and how fast they go there,
//! three ways in one run: one JSON event a request, as the system that Worldbus replaces did it;
//! ten single protobufs a request; and batches, also at the pace of one world's clock, where
//! there is little to gather.
//!
//! The first two are stock boto3 (`aws/stock.py`). Each way runs alone, in a process of its own,
//! behind a proxy that counts its requests. What an emulator cannot show: AWS's own speed.

mod load;
mod meter;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::report::Row;
use meter::{Count, Meter};

pub(crate) use load::{Load, run as load};

/// How long a way may take.
const RUN_MAX: Duration = Duration::from_secs(600);

/// A way to send events.
struct Way {
    name: &'static str,
    events: u64,
    by: By,
}

/// What runs a way.
enum By {
    /// `stock.py` with this argument.
    Stock(&'static str),
    /// Ourselves: with an encoding, at so many events a second, with a linger in milliseconds.
    Ours(&'static str, f64, u32),
}

/// As that of 33,000 worlds at the default scale; and of one.
const CROWD: f64 = 80_000.0;
const ONE_WORLD: f64 = 2.4;

const WAYS: [Way; 6] = [
    Way { name: "JSON, one a request (boto3)", events: 10_000, by: By::Stock("json") },
    Way { name: "protobuf, ten a request (boto3)", events: 10_000, by: By::Stock("batch") },
    Way { name: "batches", events: 240_000, by: By::Ours("protobuf", CROWD, 50) },
    Way { name: "batches, zstd", events: 240_000, by: By::Ours("zstd", CROWD, 50) },
    // Two minutes each.
    Way { name: "2.4/s, no linger", events: 288, by: By::Ours("protobuf", ONE_WORLD, 0) },
    Way { name: "2.4/s, linger 1 s", events: 288, by: By::Ours("protobuf", ONE_WORLD, 1000) },
];

/// Runs every way at an emulator that `python` has, and counts.
pub(crate) async fn rows(python: &Path) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for way in &WAYS {
        let emulator = Emulator::start(python).await?;
        let meter = Meter::start(emulator.port);
        let throughput = run(way, python, meter.port()).await?;
        let count = meter.count();
        let per_million = |value: u64| value as f64 * 1e6 / way.events as f64;
        let row = |figure: &str, unit, value, target| {
            Row::new(format!("{figure}: {}", way.name), unit, vec![value], target)
        };
        let Count { requests, units, batch_bytes, .. } = count;
        rows.push(row("requests", "per million events", per_million(requests), ""));
        rows.push(row("billed units", "per million events", per_million(units), ""));
        rows.push(row("end to end", "events/s", throughput, ""));
        if let By::Ours(_, pace, _) = way.by {
            let bytes = batch_bytes as f64 / way.events as f64;
            let target = if pace < CROWD { "" } else { "8 with zstd, 18 without" };
            rows.push(row("batch", "B an event", bytes, target));
        }
        eprintln!("{}: {count:?}, {throughput:.0} events/s", way.name);
    }
    Ok(rows)
}

/// Events a second, from the first publish until the last was handled.
async fn run(way: &Way, python: &Path, port: u16) -> Result<f64> {
    let mut command = match way.by {
        By::Stock(how) => {
            let mut command = Command::new(python);
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/stock.py")).arg(how);
            command.arg(way.events.to_string());
            command
        }
        By::Ours(encoding, pace, linger_ms) => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--aws-load", encoding, "--events", &way.events.to_string()]);
            command.args(["--aws-pace", &pace.to_string()]);
            command.args(["--aws-linger-ms", &linger_ms.to_string()]);
            command
        }
    };
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
    let output = tokio::task::spawn_blocking(move || command.stderr(Stdio::inherit()).output());
    let output = tokio::time::timeout(RUN_MAX, output).await.context("it takes too long")???;
    ensure!(output.status.success(), "{} failed ({})", way.name, output.status);
    let text = String::from_utf8(output.stdout)?;
    let seconds: f64 = text.trim().parse().with_context(|| format!("no seconds: {text:?}"))?;
    Ok(way.events as f64 / seconds)
}

/// An emulator of its own for each way; killed when dropped.
struct Emulator {
    child: Child,
    port: u16,
}

impl Emulator {
    async fn start(python: &Path) -> Result<Self> {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let script: PathBuf =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../emulators/ministack.py");
        let mut command = Command::new(python);
        command.arg(script).env("GATEWAY_PORT", free.to_string()).env("SERVICES", "sns,sqs");
        command.env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1");
        command.env("IOT_MTLS_ENABLED", "0").stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("cannot start the emulator")?;
        while tokio::net::TcpStream::connect(("127.0.0.1", free)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { child, port: free })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! `worldbus health`: asks the service on this machine how it is, for orchestrators that run a
//! command in a container which has no shell and no HTTP client.
//!
//! Not an HTTP client crate: one request with a fixed head, of whose answer the first line counts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::output;
use crate::output::format::Format;
use crate::session;
use crate::settings::Health;
use worldbus_service::config::Flags;

/// How long the service may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(4);
/// Bytes of an answer that are read; ours has some hundred.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Which service to ask.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct HealthArguments {
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<Health>,
}

const HELP: &str = "\
Examples:
  worldbus health                         the service on 127.0.0.1:7070
  worldbus health --listen 0.0.0.0:7071

For the health check of a container, where WORLDBUS_LISTEN is that of its service. A service is
healthy from when it was ready for the first time (/readyz) and as long as it answers (/livez);
/healthz reports it.";

/// Runs the command: success if the service is healthy.
pub(crate) async fn run(arguments: &HealthArguments) -> Result<ExitCode> {
    let Some(settings) = session::settings(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let address = from_here(settings.listen);
    let answer = tokio::time::timeout(ANSWER_MAX, ask(address)).await;
    let answer = answer
        .with_context(|| format!("{address} does not answer within {ANSWER_MAX:?}"))?
        .with_context(|| {
            format!("nothing answers at {address}; --listen and WORLDBUS_LISTEN say where")
        })?;
    let (head, page) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("{address} is not healthy: {status}: {}", page.trim().replace('\n', "; "));
    }
    let document = json!({ "healthy": true, "address": address.to_string() });
    output::page(&arguments.format.page(&document, || "ok\n".to_owned()))?;
    Ok(ExitCode::SUCCESS)
}

/// Where a service that listens at an address is reached from its own machine.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_address_is_reached_on_loopback() {
        let cases = [
            ("0.0.0.0:7071", "127.0.0.1:7071"),
            ("[::]:7071", "[::1]:7071"),
            ("10.0.0.1:7071", "10.0.0.1:7071"),
        ];
        for (listen, reached) in cases {
            assert_eq!(from_here(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}

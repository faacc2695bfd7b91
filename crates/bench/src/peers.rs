//! Redis Streams and NATS JetStream under the load of `worldbus bench`: the same events, the same
//! window, two connections of one client process, the server another process on loopback.
//!
//! What favours the peers: clients that do nothing but this (requests are written from one buffer,
//! answers are counted, not matched), no library, no retries, no duplicates dropped, an ack that is
//! not answered (NATS) or one for many events (Redis). What they lack is not counted against them.

mod load;
mod nats;
mod redis;
mod server;
mod times;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use load::Load;
use server::Server;

/// Which peer, how durable, and which load.
#[derive(Debug, Args)]
pub(crate) struct PeerArguments {
    #[arg(value_enum)]
    peer: Peer,
    /// Its server's program.
    #[arg(long)]
    server: PathBuf,
    /// When it syncs.
    #[arg(long, value_enum)]
    sync: Syncs,
    #[command(flatten)]
    load: Load,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Peer {
    Redis,
    Nats,
}

/// When what was published is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Syncs {
    /// Before it is answered: `appendfsync always`, `sync_interval: always`.
    Always,
    /// Later: `appendfsync everysec`; by NATS, as it is installed, every two minutes.
    Default,
}

/// What producer and consumer of a peer write and read, without I/O.
trait Wire: Send + 'static {
    /// Appends what is written first.
    fn begin(&mut self, out: &mut Vec<u8>);

    /// Appends the request that publishes a payload.
    fn publish(&mut self, payload: &[u8], out: &mut Vec<u8>);

    /// Reads answers to publishes: the bytes that were used, and how many.
    fn answers(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, u64)>;

    /// Reads deliveries, appends their acks and what asks for more: the bytes that were used.
    fn deliveries(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize>;
}

/// Starts the server, runs the load, prints what it found.
pub(crate) async fn run(arguments: PeerArguments) -> Result<()> {
    let PeerArguments { peer, server, sync, load } = arguments;
    let found = match peer {
        Peer::Redis => {
            let server = Server::start(|port, folder| redis::server(&server, port, folder, sync))?;
            redis::set_up(server.port).await?;
            load::run(load, server.port, redis::Redis::default(), redis::Redis::default()).await?
        }
        Peer::Nats => {
            let server = Server::start(|port, folder| nats::server(&server, port, folder, sync))?;
            nats::set_up(server.port).await?;
            load::run(load, server.port, nats::Nats::producer(), nats::Nats::consumer()).await?
        }
    };
    println!("{found:#}");
    Ok(())
}

/// The first line of some bytes, without its end, and what it takes.
fn line(input: &[u8]) -> Option<(&[u8], usize)> {
    let end = input.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&input[..end], end + 2))
}

#[cfg(test)]
mod tests;

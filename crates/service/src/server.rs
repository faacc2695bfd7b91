//! One port for HTTP/1.1 and HTTP/2 with prior knowledge (gRPC without TLS), with bounds on what a
//! client may hold open, and a drain that ends.
//!
//! Not `axum::serve`: it bounds neither connections nor the time that headers may take, and its
//! graceful shutdown waits for the last client as long as that likes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Connections open at once; more wait in the operating system's accept queue.
pub const CONNECTION_COUNT_MAX: usize = 1024;
/// How long a drain may take before the connections that are left are dropped.
pub const DRAIN_MS_MAX: u64 = 4_000;
/// How long a client may take to send the headers of a request.
pub const HEADER_READ_MS_MAX: u64 = 10_000;
/// Headers of a request, in number.
pub const HEADER_COUNT_MAX: usize = 100;
/// Headers of a request, in bytes.
pub const HEADER_BYTES_MAX: u32 = 64 * 1024;
/// Requests and streams at once on one HTTP/2 connection.
pub const STREAM_COUNT_MAX: u32 = 256;
/// Bytes of one HTTP/2 stream that may come before they are read.
pub const STREAM_WINDOW_BYTES: u32 = 128 << 10;
/// Bytes of all streams of one HTTP/2 connection that may come before they are read: of several,
/// so that some which are not read do not hold up the others.
pub const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;
/// A silent HTTP/2 peer is probed this often, and dropped if it does not answer in time.
const KEEP_ALIVE_MS: u64 = 20_000;
/// A pause after an accept that failed for lack of file descriptors or memory.
const ACCEPT_RETRY_MS: u64 = 100;

/// Which connection a request came on: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ConnectionId(pub u64);

/// The port could not be opened; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there.
    #[error(
        "port {} is in use on {}: stop the process that has it, or choose another with \
         --listen {}:PORT",
        .0.port(), .0.ip(), .0.ip()
    )]
    InUse(SocketAddr),
    /// Ports below 1024 need a privilege.
    #[error(
        "no permission to listen on {0}: choose a port from 1024 with --listen {ip}:PORT",
        ip = .0.ip()
    )]
    Denied(SocketAddr),
    /// The address is not one of this machine, or another refusal of the operating system.
    #[error("cannot listen on {listen}: {source}; choose an address of this machine with --listen")]
    Other {
        /// The address that was asked for.
        listen: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Opens the port. With port 0 the system chooses; ask the listener for it.
///
/// # Errors
/// [`BindError`], for people.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(listen).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(listen),
        io::ErrorKind::PermissionDenied => BindError::Denied(listen),
        _ => BindError::Other { listen, source },
    })
}

/// Serves until `shutdown`, then drains: no new connections, requests under way finish. After
/// [`DRAIN_MS_MAX`] what is left is dropped. Returns the number of connections dropped.
///
/// Streams without an end of their own must watch the same token ([`shutdown::until`]).
///
/// [`shutdown::until`]: crate::shutdown::until
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> usize {
    let permits = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    let mut connections = JoinSet::new();
    let mut id = ConnectionId::default();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        match accepted {
            Ok((stream, permit)) => {
                id.0 += 1;
                let connection = connection(stream, router.clone(), id, shutdown.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) if is_about_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again");
                sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
    drop(listener);
    drain(connections).await
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _peer) = listener.accept().await?;
    // A batch leaves when it is written, not when the peer has acknowledged the one before.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

fn is_about_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput)
}

async fn drain(mut connections: JoinSet<()>) -> usize {
    let deadline = Duration::from_millis(DRAIN_MS_MAX);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(deadline, all).await.is_ok() {
        return 0;
    }
    let dropped = connections.len();
    tracing::warn!(connections = dropped, "still open after the drain; dropped");
    connections.shutdown().await;
    dropped
}

async fn connection(
    stream: TcpStream,
    router: Router,
    id: ConnectionId,
    shutdown: CancellationToken,
) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(id);
        service.call(request)
    });
    let builder = builder();
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(error, "connection ended");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEADER_READ_MS_MAX))
        .max_headers(HEADER_COUNT_MAX)
        .max_buf_size(HEADER_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_streams(STREAM_COUNT_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(Duration::from_millis(KEEP_ALIVE_MS))
        .keep_alive_timeout(Duration::from_millis(KEEP_ALIVE_MS));
    builder
}

#[cfg(test)]
mod tests;

//! One port for HTTP/1.1 and HTTP/2 with prior knowledge (gRPC without TLS), with bounds on what a
//! client may hold open, and a drain that ends.
//!
//! Accepting never stops: when there is no place for one more connection, another one goes, by
//! the rule of `connections`. A connection without a request under way has a deadline from the
//! moment that it is accepted on, whatever protocol it speaks or begins to speak.
//!
//! Not `axum::serve`: it bounds neither connections nor the time that headers may take, and its
//! graceful shutdown waits for the last client as long as that likes.

mod answer;
mod connections;
mod limits;
mod message;
mod peer;
mod progress;
mod unread;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::observe::panics;
use connections::{Connection, Connections};
use progress::Progress;
use unread::Unread;

pub use connections::Caller;
pub use limits::{
    BACKLOG, ESTABLISHED_COUNT_MAX, ESTABLISHED_OF_PEER_MAX, FIRST_REQUEST_MS_MAX, IDLE_MS_MAX,
    Limits, NEWCOMER_COUNT_MAX, NEWCOMERS_OF_PEER_MAX,
};
pub use message::GRPC_MESSAGE_BYTES_MAX;
pub use peer::Peer;
pub use progress::{Cut, WRITE_STALL_MS_MAX};
pub use unread::{
    ANSWER_BYTES_MAX, ANSWER_WAIT_MS_MAX, SMALL_ANSWER_BYTES, STALL_CONTENDED_MS_MAX,
    WAITING_BYTES_MAX,
};

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
/// Bytes of a response that wait for the window of an HTTP/2 stream; one message more may go in.
const SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// A silent HTTP/2 peer is probed this often, and dropped if it does not answer in time.
const KEEP_ALIVE_MS: u64 = 20_000;
/// How long an idle connection has to answer the goodbye. A call that crosses it is still served.
const GOODBYE_MS_MAX: u64 = 1_000;
/// A pause after an accept that failed for lack of file descriptors or memory, and how many
/// connections are shed before it.
const ACCEPT_RETRY_MS: u64 = 100;
const ACCEPT_SHED_COUNT: usize = 16;

/// Which connection a request came on: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ConnectionId(pub u64);

/// The port could not be opened; the text states what to do.
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
        /// What the operating system reported.
        source: io::Error,
    },
}

/// Opens the port. With port 0 the system chooses; ask the listener for it.
///
/// # Errors
/// [`BindError`], for people.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, BindError> {
    let bound = || {
        let v6 = listen.is_ipv6();
        let socket = if v6 { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(listen)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(listen),
        io::ErrorKind::PermissionDenied => BindError::Denied(listen),
        _ => BindError::Other { listen, source },
    })
}

/// Serves until `shutdown`, then drains: no new connections, requests under way finish. After
/// [`DRAIN_MS_MAX`] what is left is dropped. Returns the number of connections dropped.
///
/// The bounds are the default [`Limits`], or less if the process may not open as many files; its
/// soft limit of open files is raised to what they need.
///
/// Streams without an end of their own must watch the same token ([`shutdown::until`]).
///
/// [`shutdown::until`]: crate::run::shutdown::until
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> usize {
    serve_within(Limits::of_process(), listener, router, shutdown).await
}

/// [`serve`] with other bounds.
pub async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> usize {
    serve_counted(limits, &Unread::new(limits.answer_bytes), listener, router, shutdown).await
}

async fn serve_counted(
    limits: Limits,
    unread: &Unread,
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> usize {
    let serving = tokio::select! {
        serving = accept(limits, unread, listener, router, shutdown) => serving,
        never = unread.watch() => match never {},
    };
    drain(serving).await
}

/// Serves connections until `shutdown`; returns those that are open then.
async fn accept(
    limits: Limits,
    unread: &Unread,
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> JoinSet<()> {
    let connections = Connections::new(limits);
    let mut serving = JoinSet::new();
    loop {
        while serving.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return serving,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let connection = connections.admit(Peer::of(address.ip()));
                let (router, unread) = (router.clone(), unread.clone());
                let conversation = converse(stream, connection, router, unread, shutdown.clone());
                serving.spawn(panics::of_client(conversation));
            }
            Err(error) if is_about_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; shedding idle ones, retrying");
                connections.shed(ACCEPT_SHED_COUNT);
                sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
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

/// Serves one connection to its end: the client's, the deadline's, the shutdown's, or at once when
/// another connection needs its place.
async fn converse(
    stream: TcpStream,
    connection: Arc<Connection>,
    router: Router,
    unread: Unread,
    shutdown: CancellationToken,
) {
    // A batch leaves when it is written, not when the peer has acknowledged the one before.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (builder, cut) = (builder(), Cut::default());
    let service = answer::service(router, Arc::clone(&connection), unread, cut.clone());
    let stream = TokioIo::new(Progress::new(stream));
    let mut served = std::pin::pin!(builder.serve_connection(stream, service));
    let served = tokio::select! {
        served = served.as_mut() => served,
        () = cut.cut() => return,
        () = connection.shed() => return,
        () = connection.idle() => {
            served.as_mut().graceful_shutdown();
            tokio::select! {
                served = served.as_mut() => served,
                () = connection.shed() => return,
                () = connection.idle_from_now(Duration::from_millis(GOODBYE_MS_MAX)) => return,
            }
        }
        () = shutdown.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(error, "connection ended");
    }
}

/// Runs the streams of an HTTP/2 connection.
#[derive(Clone, Copy)]
struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(panics::of_client(stream));
    }
}

fn builder() -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams);
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
        .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
        .keep_alive_interval(Duration::from_millis(KEEP_ALIVE_MS))
        .keep_alive_timeout(Duration::from_millis(KEEP_ALIVE_MS));
    builder
}

#[cfg(test)]
mod tests;

//! SIGTERM or Ctrl-C becomes a cancelled token that every task and stream watches; a second signal
//! means "now": the process exits at once with code 130.

use std::io;

use futures_util::{Stream, StreamExt as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::logging;

/// The exit code of a second signal: 128 + SIGINT, as shells have it.
pub const EXIT_CODE_FORCED: i32 = 130;

/// Listens for signals from now on; the token is cancelled by the first.
///
/// # Errors
/// When the operating system refuses the signal handlers.
pub fn on_signal() -> io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let first = shutdown.clone();
    tokio::spawn(async move {
        let name = next(&mut interrupt, &mut terminate).await;
        first.cancel();
        // Only now: whatever becomes of the line, the signal has its effect.
        tracing::info!(signal = name, "draining; a second signal exits at once");
        next(&mut interrupt, &mut terminate).await;
        logging::flush();
        std::process::exit(EXIT_CODE_FORCED);
    });
    Ok(shutdown)
}

/// Has a write beyond the limit of file sizes (`ulimit -f`) fail, as one on a full disk does: by
/// default its signal kills the process without a word. For the life of the process.
///
/// # Errors
/// When the operating system refuses the signal handler.
pub fn survive_file_size_limit() -> io::Result<()> {
    let file_size = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when its stream is dropped.
    signal(file_size).map(drop)
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

/// `stream` until `shutdown`: for SSE and gRPC streams, which would else hold the drain until its
/// deadline.
pub fn until<S: Stream>(stream: S, shutdown: CancellationToken) -> impl Stream<Item = S::Item> {
    stream.take_until(shutdown.cancelled_owned())
}

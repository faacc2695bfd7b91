//! SIGTERM or Ctrl-C becomes a cancelled token that every task and stream watches; a second signal
//! means "now": the process exits at once with code 130. On Windows: Ctrl-C and Ctrl-Break.

use std::io;

use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::observe::logging;

/// The exit code of a second signal: 128 + SIGINT, as shells have it.
pub const EXIT_CODE_FORCED: i32 = 130;

/// Listens for signals from now on; the token is cancelled by the first.
///
/// # Errors
/// When the operating system refuses the signal handlers.
pub fn on_signal() -> io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let mut signals = system::Signals::listen()?;
    let first = shutdown.clone();
    tokio::spawn(async move {
        let name = signals.next().await;
        first.cancel();
        // Only now: whatever becomes of the line, the signal has its effect.
        tracing::info!(signal = name, "draining; a second signal exits at once");
        signals.next().await;
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
    system::survive_file_size_limit()
}

/// `stream` until `shutdown`: for SSE and gRPC streams, which would else hold the drain until its
/// deadline.
pub fn until<S: Stream>(stream: S, shutdown: CancellationToken) -> impl Stream<Item = S::Item> {
    stream.take_until(shutdown.cancelled_owned())
}

#[cfg(unix)]
mod system {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
        }

        /// Waits for the next signal; its name.
        pub(super) async fn next(&mut self) -> &'static str {
            tokio::select! {
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.terminate.recv() => "SIGTERM",
            }
        }
    }

    pub(super) fn survive_file_size_limit() -> io::Result<()> {
        let file_size = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        // The handler stays when its stream is dropped.
        signal(file_size).map(drop)
    }
}

#[cfg(windows)]
mod system {
    use std::io;

    use tokio::signal::windows::{CtrlBreak, CtrlC, ctrl_break, ctrl_c};

    pub(super) struct Signals {
        interrupt: CtrlC,
        terminate: CtrlBreak,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_break()? })
        }

        /// Waits for the next signal; its name.
        pub(super) async fn next(&mut self) -> &'static str {
            tokio::select! {
                _ = self.interrupt.recv() => "Ctrl-C",
                _ = self.terminate.recv() => "Ctrl-Break",
            }
        }
    }

    /// There is no such limit.
    pub(super) fn survive_file_size_limit() -> io::Result<()> {
        Ok(())
    }
}

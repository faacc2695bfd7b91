//! What a panic does to a process that serves: it is logged, and the process ends in order with an
//! error. A task that panicked leaves its work undone and its locks in doubt; half a process that
//! answers `/livez` would hide that from who could start it again.
//!
//! Only a panic under one client's connection ends no more than that connection: else one request
//! that meets a fault of ours would stop the service for all.

use std::future::Future;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

tokio::task_local! {
    /// Set while what runs belongs to one connection.
    static OF_CLIENT: ();
}

/// Remembers the first panic of this process that was not under a connection.
#[derive(Debug, Clone)]
pub struct Panics {
    first: Arc<OnceLock<String>>,
}

impl Panics {
    /// Logs every panic of this process from now on; one outside of connections also cancels
    /// `shutdown`. The hook that was there before is replaced.
    pub fn end(shutdown: &CancellationToken) -> Self {
        let first = Arc::new(OnceLock::new());
        let (noted, shutdown) = (Arc::clone(&first), shutdown.clone());
        std::panic::set_hook(Box::new(move |info| {
            let text = describe(info);
            let of_client = is_of_client();
            if !of_client {
                // Before the log line: nothing may come between.
                let _ = noted.set(text.clone());
                shutdown.cancel();
            }
            metrics::counter!("worldbus_panics_total").increment(1);
            let backtrace = std::backtrace::Backtrace::capture();
            tracing::error!(panic = text, of_client, %backtrace, "a task panicked; this is a bug");
        }));
        Self { first }
    }

    /// Where and why the first panic was that ends the process.
    pub fn first(&self) -> Option<&str> {
        self.first.get().map(String::as_str)
    }
}

/// Work of one connection: a panic in it ends no more than itself.
pub(crate) async fn of_client<F: Future>(work: F) -> F::Output {
    OF_CLIENT.scope((), work).await
}

/// The same for what such work computes on a thread of its own.
pub(crate) fn of_client_now<T>(work: impl FnOnce() -> T) -> T {
    OF_CLIENT.sync_scope((), work)
}

pub(crate) fn is_of_client() -> bool {
    OF_CLIENT.try_with(|()| ()).is_ok()
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    let why = info.payload_as_str().unwrap_or("without a message");
    format!("thread `{}` panicked{place}: {why}", thread.name().unwrap_or("unnamed"))
}

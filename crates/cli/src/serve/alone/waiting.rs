//! A single service whose event-bus is not there yet: it waits, live but not ready, and says why.

#[cfg(unix)]
use std::os::fd::AsFd as _;
#[cfg(windows)]
use std::os::windows::io::AsSocket as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use crate::serve::ground::Ground;
use crate::session::connection;
use worldbus_bus::{Backoff, Bus, Error, Fate};
use worldbus_service::config::Common;
use worldbus_service::health::Condition;
use worldbus_service::part::Host;
use worldbus_service::{CancellationToken, Readiness, Secret};

/// The first pause between attempts, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Connects to the bus, however long that takes; meanwhile the port answers health. `None` when
/// the shutdown came first.
pub(super) async fn connect(ground: &Ground, common: &Common) -> Result<Option<Bus>> {
    let key = common.api_key.as_ref();
    let error = match worldbus::connect(&common.url, key.map(Secret::expose)).await {
        Ok(bus) => return Ok(Some(bus)),
        Err(error) => error,
    };
    let readiness = Readiness::default();
    let condition = readiness.condition("bus");
    attempt_failed(error, &common.url, &condition)?;
    let stop = ground.shutdown.child_token();
    let host = Host::new(ground.name, ground.access.clone());
    let host = host.with_readiness(readiness).waiting_for("the event-bus");
    let listener = twin(&ground.listener).context("cannot serve while waiting")?;
    let serving = tokio::spawn(host.run(listener, stop.clone()));
    // Ends with what serves meanwhile, too.
    let bus = retry(common, &condition, &stop).await;
    stop.cancel();
    serving.await.context("serving while waiting")??;
    bus
}

async fn retry(
    common: &Common,
    condition: &Condition,
    shutdown: &CancellationToken,
) -> Result<Option<Bus>> {
    let key = common.api_key.as_ref();
    let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        let attempt = async {
            tokio::time::sleep(pauses.next()).await;
            worldbus::connect(&common.url, key.map(Secret::expose)).await
        };
        let attempt = tokio::select! {
            () = shutdown.cancelled() => return Ok(None),
            attempt = attempt => attempt,
        };
        match attempt {
            Ok(bus) => return Ok(Some(bus)),
            Err(error) => attempt_failed(error, &common.url, condition)?,
        }
    }
}

/// What will pass is a reason not to be ready; what will not is the end.
fn attempt_failed(error: Error, url: &str, condition: &Condition) -> Result<()> {
    if error.fate() == Fate::Refused {
        return Err(connection::explain(url, error));
    }
    tracing::warn!(%error, "waiting for the bus");
    condition.failed(error.to_string());
    Ok(())
}

/// A second listener on the socket that is open, so that the port is ours without a gap.
fn twin(listener: &TcpListener) -> std::io::Result<TcpListener> {
    #[cfg(unix)]
    let socket = listener.as_fd().try_clone_to_owned()?;
    #[cfg(windows)]
    let socket = listener.as_socket().try_clone_to_owned()?;
    TcpListener::from_std(socket.into())
}

//! An event-bus over an embedded log, on a port of its own, that tests stop and start again.

pub mod http;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use worldbus_bus::{Bus, Transport};
use worldbus_event_bus::{Registry, Setup, part};
use worldbus_events::Catalogue;
use worldbus_service::access::Access;
use worldbus_service::part::{Host, Part, TaskEnded};
use worldbus_service::{CancellationToken, Secret, server};
use worldbus_transport_embedded::{Embedded, Options};
use worldbus_transport_remote::{Remote, RemoteOptions};

/// A running event-bus.
pub struct Server {
    pub address: SocketAddr,
    pub embedded: Embedded,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), TaskEnded>>,
}

impl Server {
    /// On a port that the system chooses.
    pub async fn start(dir: &Path) -> Self {
        Self::start_at(dir, "127.0.0.1:0".parse().unwrap(), None).await
    }

    /// Where the port has other limits; its tasks do not run.
    pub async fn start_within(dir: &Path, limits: server::Limits) -> Self {
        let (address, embedded, host, listener, shutdown) =
            Self::prepare(dir, "127.0.0.1:0".parse().unwrap(), None).await;
        let (router, _tasks) = host.assemble();
        let serving = server::serve_within(limits, listener, router, shutdown.clone());
        let running = tokio::spawn(async {
            serving.await;
            Ok(())
        });
        Self { address, embedded, shutdown, running }
    }

    /// With a log that is kept otherwise.
    pub async fn start_keeping(dir: &Path, options: Options) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let (address, embedded, host, listener, shutdown) =
            Self::prepare_keeping(dir, any, None, options).await;
        let running = tokio::spawn(host.run(listener, shutdown.clone()));
        Self { address, embedded, shutdown, running }
    }

    pub async fn start_at(dir: &Path, address: SocketAddr, key: Option<&str>) -> Self {
        let (address, embedded, host, listener, shutdown) = Self::prepare(dir, address, key).await;
        let running = tokio::spawn(host.run(listener, shutdown.clone()));
        Self { address, embedded, shutdown, running }
    }

    async fn prepare(
        dir: &Path,
        address: SocketAddr,
        key: Option<&str>,
    ) -> (SocketAddr, Embedded, Host, TcpListener, CancellationToken) {
        Self::prepare_keeping(dir, address, key, Options::default()).await
    }

    async fn prepare_keeping(
        dir: &Path,
        address: SocketAddr,
        key: Option<&str>,
        options: Options,
    ) -> (SocketAddr, Embedded, Host, TcpListener, CancellationToken) {
        let embedded = Embedded::open(dir, Options { sync: false, ..options }).unwrap();
        let bus = Bus::new(Arc::new(embedded.clone()));
        let shutdown = CancellationToken::new();
        let state = format!("sqlite:{}", dir.join("state.db").display());
        let state = worldbus_service::state::open(&state).await.unwrap();
        let registry = Registry::open(state, Arc::new(Catalogue::builtin())).await.unwrap();
        let setup = Setup {
            bus,
            registry: Arc::new(registry),
            world: "test".to_owned(),
            shutdown: shutdown.clone(),
        };
        let part = part(setup).await;
        let listener = bind(address).await;
        let address = listener.local_addr().unwrap();
        let access = Access::new(address, key.map(Secret::new)).unwrap();
        // As where it shares a port: reflection lists what all parts serve.
        let other = Part::new("time-manager", axum::Router::new())
            .with_descriptors(worldbus_rpc::TIME_FILE_DESCRIPTOR_SET);
        let host = Host::new("event-bus", access).with(part).with(other);
        (address, embedded, host, listener, shutdown)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn connect(&self) -> Arc<Remote> {
        let options =
            RemoteOptions { reconnect_for: Duration::from_secs(30), ..RemoteOptions::default() };
        Arc::new(Remote::connect(&self.url(), options).await.unwrap())
    }

    /// Drains and gives the directory back.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
        self.embedded.close().await.unwrap();
    }

    /// Stops, and starts again on the same port.
    pub async fn restart(self, dir: &Path) -> Self {
        let address = self.address;
        self.stop().await;
        Self::start_at(dir, address, None).await
    }
}

/// The port of a server that just ended may take a moment to be free.
async fn bind(address: SocketAddr) -> TcpListener {
    let attempts = async {
        loop {
            match server::bind(address).await {
                Ok(listener) => return listener,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), attempts).await.unwrap()
}

pub fn dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

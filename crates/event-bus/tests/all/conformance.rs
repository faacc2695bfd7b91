//! The remote transport held to the suite, over TCP, in its column of the matrix: what the wire
//! adds to the log behind the event-bus is the same contract.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::server::{Server, dir};
use worldbus_bus::{Appended, Error, Topic, Transport};
use worldbus_conformance::Engine;
use worldbus_rpc::v1;
use worldbus_rpc::v1::bus_service_client::BusServiceClient;
use worldbus_transport_remote::Remote;

/// An event-bus and a connection to it that outlives its restarts.
struct EventBus {
    dir: TempDir,
    url: String,
    /// `None` while it restarts.
    server: Mutex<Option<Server>>,
    remote: Arc<Remote>,
}

impl EventBus {
    async fn start() -> Self {
        let dir = dir();
        let server = Server::start(dir.path()).await;
        let (url, remote) = (server.url(), server.connect().await);
        assert_eq!(remote.capabilities().transport, "remote");
        assert_eq!(remote.capabilities().has, server.embedded.capabilities().has);
        Self { dir, url, server: Mutex::new(Some(server)), remote }
    }

    /// Past all checks of our side: bytes as another program may send them.
    async fn publish_bytes(&self, topic: &Topic, batch: Bytes) -> Result<(), Error> {
        let endpoint = tonic::transport::Endpoint::from_shared(self.url.clone()).unwrap();
        let mut client = BusServiceClient::new(endpoint.connect_lazy());
        let entries = vec![v1::PublishEntry { topic: topic.to_string(), batch }];
        let response = client.publish(v1::PublishRequest { entries }).await.unwrap().into_inner();
        let result: Result<Appended, Error> = response.results[0].clone().into_result().unwrap();
        result.map(drop)
    }
}

impl Engine for EventBus {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::<Remote>::clone(&self.remote)
    }

    fn restart(&self) -> Option<BoxFuture<'_, ()>> {
        let restart = async {
            let mut server = self.server.lock().await;
            let before = server.take().unwrap();
            *server = Some(before.restart(self.dir.path()).await);
        };
        Some(restart.boxed())
    }

    fn inject(&self, topic: &Topic, bytes: Bytes) -> Option<BoxFuture<'_, Result<(), Error>>> {
        let topic = topic.clone();
        Some(async move { self.publish_bytes(&topic, bytes).await }.boxed())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence/conformance.md");
    let report = worldbus_conformance::check(EventBus::start().await).await;
    report.assert_matrix(&matrix, "remote");
}

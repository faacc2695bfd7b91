//! An instance of a service under test, and requests to it.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::DEADLINE;
use worldbus_service::access::Access;
use worldbus_service::part::Host;
use worldbus_service::{Part, Readiness, server};

type Answer = (StatusCode, Value);

/// A service that runs. It goes on until it is stopped or the test ends.
pub struct Instance {
    /// Its conditions.
    pub readiness: Readiness,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    ask: Box<dyn Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Answer> + Send + Sync>,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

impl Instance {
    pub(crate) async fn run(part: Part, readiness: Readiness, shutdown: CancellationToken) -> Self {
        let routes = part.router.clone();
        let ask = move |request: Request<Full<Bytes>>| -> BoxFuture<'static, Answer> {
            let routes = routes.clone();
            Box::pin(async move {
                let response = routes.oneshot(request).await.unwrap();
                let status = response.status();
                let bytes = response.into_body().collect().await.unwrap().to_bytes();
                (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
            })
        };
        let listen = "127.0.0.1:0".parse().unwrap();
        let listener = server::bind(listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let host = Host::new(part.name, Access::new(listen, None).unwrap()).with(part);
        let token = shutdown.clone();
        let ended = tokio::spawn(async move { host.run(listener, token).await.unwrap() });
        Self { readiness, url, ask: Box::new(ask), shutdown, ended }
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.ended).await.expect("no end in time").unwrap();
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        let ready = async {
            while !self.readiness.is_ready() {
                tokio::task::yield_now().await;
            }
        };
        let ready = tokio::time::timeout(DEADLINE, ready).await;
        assert!(ready.is_ok(), "not ready in time: {:?}", self.readiness.missing());
    }

    /// Asks its routes.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        (self.ask)(Request::get(path).body(Full::default()).unwrap()).await
    }

    /// Asks it to forget something.
    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        (self.ask)(Request::delete(path).body(Full::default()).unwrap()).await
    }

    /// Commands it by JSON.
    pub async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::post(path).header("content-type", "application/json");
        (self.ask)(request.body(Full::from(body.to_owned())).unwrap()).await
    }
}

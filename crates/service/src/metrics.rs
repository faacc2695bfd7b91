//! Metrics as Prometheus text. Code anywhere counts through the `metrics` facade; this module is
//! the one place that knows who collects. Names begin with `worldbus_` and end in their unit.

use std::sync::OnceLock;

use ::metrics::{counter, gauge, histogram};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;

/// Bounds of histograms in seconds: from a local call to the longest wait a client accepts.
const SECONDS_BUCKETS: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Bounds of histograms that count events or bytes: powers of four up to the largest batch.
const SIZE_BUCKETS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process. Once is enough and more do no harm; what is counted
/// before the first is lost. If the process has another recorder already, that one keeps.
pub fn install() {
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)
            .and_then(|builder| builder.set_buckets(SIZE_BUCKETS))
            .and_then(PrometheusBuilder::install_recorder);
        match handle {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::warn!(%error, "metrics are collected elsewhere; /metrics is empty");
                None
            }
        }
    });
}

/// All metrics in the Prometheus text format; empty before [`install`].
pub fn render() -> String {
    match HANDLE.get() {
        Some(Some(handle)) => {
            // Moves what histograms gathered into their buckets, which bounds their memory.
            handle.run_upkeep();
            handle.render()
        }
        _ => String::new(),
    }
}

/// Counts a request and its time by route. The route is the pattern, not the path, so that clients
/// cannot make up series.
pub(crate) async fn count_request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let method = method_label(request.method());
    let start = Instant::now();
    gauge!("worldbus_http_requests_running").increment(1.0);
    let running = Running;
    let response = next.run(request).await;
    drop(running);
    let status = response.status().as_u16().to_string();
    counter!(
        "worldbus_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status
    )
    .increment(1);
    histogram!("worldbus_http_request_seconds", "route" => route)
        .record(start.elapsed().as_secs_f64());
    response
}

/// Counts down also when the client goes away and the handler is dropped.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("worldbus_http_requests_running").decrement(1.0);
    }
}

fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

//! The span of a request over REST: the beginning of a trace, or the next step of the one that its
//! `traceparent` names.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use tracing::field::Empty;

use worldbus_bus::trace::{self, TARGET, TRACEPARENT};

/// Requests under it are traced; health, metrics and gRPC are not.
const TRACED: &str = "/api/";

/// Runs a request in its span. The route is the pattern, so that names are few.
pub(crate) async fn trace_request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let Some(route) = route.filter(|route| route.starts_with(TRACED)) else {
        return next.run(request).await;
    };
    let method = request.method();
    let span = tracing::debug_span!(
        target: TARGET,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        "http.request.method" = %method,
        "http.route" = route,
        "url.path" = request.uri().path(),
        "http.response.status_code" = Empty,
        "error.type" = Empty,
    );
    let given = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    if let Some(parent) = given.and_then(|text| text.trim().parse().ok()) {
        trace::set_parent(&span, parent);
    }
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.to_string());
    }
    response
}

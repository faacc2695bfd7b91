//! Counting requests: by route those of HTTP, by method and status those of gRPC, whose HTTP status
//! is 200 whatever comes of the call.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::metrics::{counter, gauge, histogram};
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use crate::http::content;

/// Names of the status codes by number, <https://grpc.io/docs/guides/status-codes>.
const GRPC_STATUS: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const CANCELLED: &str = GRPC_STATUS[1];
const UNKNOWN: &str = GRPC_STATUS[2];
const UNIMPLEMENTED: &str = GRPC_STATUS[12];

/// What the routes of gRPC services end in: they take every method, and refuse what they have not.
const SERVICE_ROUTE_END: &str = "/{*rest}";

/// Counts a request and the time until its answer begins.
pub(crate) async fn count_request(request: Request, next: Next) -> Response {
    let start = Instant::now();
    gauge!("worldbus_http_requests_running").increment(1.0);
    let running = Running;
    // The pattern, not the path, so that clients cannot make up series.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    if content::is_grpc(request.headers())
        && (route == "none" || route.ends_with(SERVICE_ROUTE_END))
    {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let response = next.run(request).await;
        drop(running);
        return count_call(path, response, start);
    }
    let method = method_label(request.method());
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

/// Counts a call of gRPC once its status is known: in the headers, if it failed at once, or at the
/// end of the answer.
fn count_call(path: String, response: Response, start: Instant) -> Response {
    let status = grpc_status(response.headers());
    // Only a service knows its methods. A path that none took is no label, else clients could make
    // up series.
    let method = if status == Some(UNIMPLEMENTED) { "unknown".to_owned() } else { path };
    histogram!("worldbus_grpc_request_seconds", "method" => method.clone())
        .record(start.elapsed().as_secs_f64());
    let call = Call { method, status };
    response.map(|body| Body::new(Counted { body, call }))
}

fn grpc_status(headers: &HeaderMap) -> Option<&'static str> {
    let code = headers.get("grpc-status")?.to_str().ok()?.parse::<usize>().ok();
    Some(code.and_then(|code| GRPC_STATUS.get(code).copied()).unwrap_or(UNKNOWN))
}

/// A call under way; counted when it is dropped, as cancelled if it had no status until then.
struct Call {
    method: String,
    status: Option<&'static str>,
}

impl Drop for Call {
    fn drop(&mut self) {
        let method = std::mem::take(&mut self.method);
        let status = self.status.unwrap_or(CANCELLED);
        counter!("worldbus_grpc_requests_total", "method" => method, "status" => status)
            .increment(1);
    }
}

/// The body of an answer, whose trailers say what came of the call.
struct Counted {
    body: Body,
    call: Call,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.status = grpc_status(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

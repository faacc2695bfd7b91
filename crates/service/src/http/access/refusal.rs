//! How a request is turned away: a problem document, or a gRPC status, as the caller speaks.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::Problem;
use crate::http::content::is_grpc;

/// Of a body that is refused for its size, so much is read and thrown away, for so long.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// After so many seconds a client may try again what is refused for the moment.
const RETRY_AFTER_SECONDS: u16 = 1;

// https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
const GRPC_PERMISSION_DENIED: u8 = 7;
const GRPC_RESOURCE_EXHAUSTED: u8 = 8;
const GRPC_UNIMPLEMENTED: u8 = 12;
const GRPC_UNAVAILABLE: u8 = 14;
const GRPC_UNAUTHENTICATED: u8 = 16;

/// Why a request is turned away: the status, and a sentence for people.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) detail: &'static str,
}

pub(super) fn refusal(status: StatusCode, detail: &'static str) -> Refusal {
    Refusal { status, detail }
}

pub(super) fn too_large() -> Refusal {
    let detail = "the body is larger than 1048576 bytes; send less in one request";
    refusal(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Answers a request that is not let in.
pub(super) async fn turn_away(request: Request, refusal: &Refusal) -> Response {
    tracing::debug!(
        status = refusal.status.as_u16(),
        path = request.uri().path(),
        "request refused"
    );
    let (head, body) = request.into_parts();
    if refusal.status == StatusCode::PAYLOAD_TOO_LARGE {
        // The answer waits no longer than that; what is left is cut off.
        let _ = tokio::time::timeout(DRAIN_TIME_MAX, drain(body)).await;
    }
    refuse(&head.headers, refusal.status, refusal.detail)
}

/// Reads a refused body on for a while: a client that is still sending would see its connection
/// reset instead of the answer.
async fn drain(body: Body) {
    let mut bytes_left = DRAIN_BYTES_MAX;
    let mut data = body.into_data_stream();
    while let Some(Ok(chunk)) = data.next().await {
        bytes_left = bytes_left.saturating_sub(chunk.len());
        if bytes_left == 0 {
            break;
        }
    }
}

/// An answer in the caller's language: a problem document, or a gRPC status without messages.
pub(crate) fn refuse(headers: &HeaderMap, status: StatusCode, detail: &str) -> Response {
    if is_grpc(headers) {
        return grpc_status(status, detail);
    }
    let mut response = Problem::new(status, detail).into_response();
    match status {
        StatusCode::UNAUTHORIZED => {
            let scheme = HeaderValue::from_static("Bearer realm=\"worldbus\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        _ => {}
    }
    response
}

/// A trailers-only response: HTTP 200 whose headers carry the status.
fn grpc_status(status: StatusCode, detail: &str) -> Response {
    let code = match status {
        StatusCode::UNAUTHORIZED => GRPC_UNAUTHENTICATED,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => GRPC_RESOURCE_EXHAUSTED,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => GRPC_UNIMPLEMENTED,
        StatusCode::SERVICE_UNAVAILABLE => GRPC_UNAVAILABLE,
        _ => GRPC_PERMISSION_DENIED,
    };
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(u16::from(code)));
    // Our details are printable ASCII without `%`, which is all that grpc-message needs unescaped.
    if let Ok(message) = HeaderValue::from_str(detail) {
        headers.insert(HeaderName::from_static("grpc-message"), message);
    }
    response
}

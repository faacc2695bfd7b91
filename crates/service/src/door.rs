//! Who may enter. One layer over the whole port, REST and gRPC alike; not authorization: whoever
//! enters may do everything.
//!
//! - With an API key, each request presents it (`authorization: Bearer KEY`), wherever it is from.
//! - Without one, the port must be on loopback, and a request must not come from a web page: page
//!   scripts reach loopback ports, so a foreign `Host` (DNS rebinding) or `Origin` is refused, and
//!   a command must have a content type that browsers ask permission for (which nobody gives: there
//!   are no CORS headers).
//! - `/livez`, `/readyz` and `/healthz` are always open, for orchestrators; they answer without
//!   detail.

mod origin;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::server::Caller;
use crate::{Problem, Secret, extract};

/// The largest body of a REST request. gRPC messages have their own limit, in the gRPC server.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Of a body that is refused for its size, so much is read and thrown away, for so long.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Paths that need no key and no loopback name.
const OPEN_PATHS: [&str; 3] = ["/livez", "/readyz", "/healthz"];

/// After so many seconds a client may try again what is refused for the moment.
const RETRY_AFTER_SECONDS: u16 = 1;

// https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
const GRPC_PERMISSION_DENIED: u8 = 7;
const GRPC_RESOURCE_EXHAUSTED: u8 = 8;
const GRPC_UNIMPLEMENTED: u8 = 12;
const GRPC_UNAVAILABLE: u8 = 14;
const GRPC_UNAUTHENTICATED: u8 = 16;

/// The rule of one port.
#[derive(Debug, Clone)]
pub struct Door {
    key: Option<Secret>,
}

/// The address asks for a key and there is none: refused before the port opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "refusing to listen on {listen}, which other machines can reach, without an API key: \
     set WORLDBUS_API_KEY to a long random text (clients send `authorization: Bearer KEY`), \
     or listen on loopback with --listen 127.0.0.1:{port}",
    port = listen.port()
)]
pub struct KeyRequired {
    /// The address that was asked for.
    pub listen: SocketAddr,
}

impl Door {
    /// The rule for a port at `listen`.
    ///
    /// # Errors
    /// [`KeyRequired`] when `listen` is beyond loopback and there is no key.
    pub fn new(listen: SocketAddr, key: Option<Secret>) -> Result<Self, KeyRequired> {
        if key.is_none() && !listen.ip().to_canonical().is_loopback() {
            return Err(KeyRequired { listen });
        }
        Ok(Self { key })
    }

    /// Whether a key is needed to enter.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Puts the door before every route and fallback of `router`, with the body limit.
    pub fn guard(&self, router: Router) -> Router {
        router
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn_with_state(Arc::new(self.clone()), pass))
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        if OPEN_PATHS.contains(&request.uri().path()) {
            return Ok(());
        }
        match &self.key {
            Some(key) => check_key(key, request.headers())?,
            None => check_loopback(request)?,
        }
        check_length(request)?;
        match request.extensions().get::<Caller>() {
            Some(caller) if !caller.establish() => Err(refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many connections are busy; retry in a second",
            )),
            _ => Ok(()),
        }
    }
}

async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    match door.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::debug!(
                status = refusal.status.as_u16(),
                path = request.uri().path(),
                "request refused at the door"
            );
            let (head, body) = request.into_parts();
            if refusal.status == StatusCode::PAYLOAD_TOO_LARGE {
                // The answer waits no longer than that; what is left is cut off.
                let _ = tokio::time::timeout(DRAIN_TIME_MAX, drain(body)).await;
            }
            refuse(&head.headers, refusal.status, refusal.detail)
        }
    }
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

#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    detail: &'static str,
}

fn refusal(status: StatusCode, detail: &'static str) -> Refusal {
    Refusal { status, detail }
}

fn check_key(key: &Secret, headers: &HeaderMap) -> Result<(), Refusal> {
    let unauthorized = refusal(
        StatusCode::UNAUTHORIZED,
        "this server needs its API key: send `authorization: Bearer KEY`",
    );
    let mut presented = headers.get_all(header::AUTHORIZATION).iter();
    // More than one would leave it to chance which of them a proxy has checked.
    let (Some(value), None) = (presented.next(), presented.next()) else {
        return Err(unauthorized);
    };
    let candidate = bearer(value.as_bytes()).ok_or(unauthorized)?;
    if key.matches(candidate) {
        return Ok(());
    }
    Err(refusal(StatusCode::UNAUTHORIZED, "the API key is not the one of this server"))
}

/// The credentials of the Bearer scheme, whose name is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let scheme = value.get(..SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| value[SCHEME.len()..].trim_ascii())
}

fn check_loopback(request: &Request) -> Result<(), Refusal> {
    if !origin::host_is_loopback(request) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "without an API key this server answers to loopback names only: \
             address it as localhost or 127.0.0.1, or set WORLDBUS_API_KEY",
        ));
    }
    if !origin::origin_is_loopback(request.headers()) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "without an API key this server refuses requests from web pages of other sites",
        ));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || extract::is_json(request.headers()) || is_grpc(request.headers()) {
        return Ok(());
    }
    Err(refusal(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "a command needs `content-type: application/json`, also when it has no body",
    ))
}

/// Refuses by the declared length, before a byte is read; bodies of unknown length are cut off by
/// the limit that [`Door::guard`] gives the extractors.
fn check_length(request: &Request) -> Result<(), Refusal> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let length = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    if length <= BODY_BYTES_MAX as u64 || is_grpc(request.headers()) {
        return Ok(());
    }
    let detail = "the body is larger than 1048576 bytes; send less in one request";
    Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, detail))
}

/// Whether the request speaks gRPC and must be answered in it.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
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
        StatusCode::SERVICE_UNAVAILABLE => {
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
        StatusCode::PAYLOAD_TOO_LARGE => GRPC_RESOURCE_EXHAUSTED,
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

#[cfg(test)]
mod tests;

//! What the body of a request may be: its declared type, its size. Not here: who may send one
//! (`access`), reading it (`extract`).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The largest body of a REST request. gRPC messages have their own limit, in the gRPC server.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Whether the request speaks gRPC and must be answered in it.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Whether the headers declare a JSON body: `application/json` with any parameters. No `+json`
/// types: browsers send some of those (reports) without being asked. Two declarations are none.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return false };
    let declared = value.to_str().ok();
    let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

//! Where a request says it is going (`Host`, `:authority`) and coming from (`Origin`): is it this
//! machine? Names are compared, never resolved: resolving is how DNS rebinding gets in.

use std::net::IpAddr;

use axum::extract::Request;
use http::uri::Authority;
use http::{HeaderMap, Uri, header};

/// Whether every authority that the request names, and at least one, is a loopback name. HTTP/1
/// names it in `Host`, HTTP/2 in `:authority` (which hyper puts into the URI).
pub(super) fn host_is_loopback(request: &Request) -> bool {
    let mut named = 0;
    for host in request.headers().get_all(header::HOST) {
        named += 1;
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        if !authority.is_some_and(|authority| names_loopback(&authority)) {
            return false;
        }
    }
    if let Some(authority) = request.uri().authority() {
        named += 1;
        if !names_loopback(authority) {
            return false;
        }
    }
    named > 0
}

/// With userinfo (`evil.example@localhost`) it is nothing that a client we know would send.
fn names_loopback(authority: &Authority) -> bool {
    !authority.as_str().contains('@') && is_loopback(authority.host())
}

/// Whether there is no `Origin`, or only loopback ones. `null` (a sandboxed page, a file) is none.
pub(super) fn origin_is_loopback(headers: &HeaderMap) -> bool {
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let uri = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        // A bare `null` or `localhost` parses as an authority without a scheme: not an origin.
        uri.is_some_and(|uri| uri.scheme().is_some() && uri.host().is_some_and(is_loopback))
    })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if bare.eq_ignore_ascii_case("localhost") {
        return true;
    }
    bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

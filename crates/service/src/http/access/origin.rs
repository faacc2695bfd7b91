//! Where a request goes (`Host`, `:authority`) and where it comes from (`Origin`,
//! `Sec-Fetch-Site`): is that this machine, and is it a page of another site or port? Names are
//! compared, never resolved: resolving is how DNS rebinding gets in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::Request;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, header};

/// Set by browsers, never by scripts: how the page that asks is related to us (W3C Fetch Metadata
/// Request Headers, section 2.3).
const SEC_FETCH_SITE: &str = "sec-fetch-site";
const SEC_FETCH_MODE: &str = "sec-fetch-mode";
const SEC_FETCH_DEST: &str = "sec-fetch-dest";

/// The origin of a web page, as browsers send it: `https://game.example`, `http://localhost:3000`.
/// In lower case and without a default port, so that equal origins are equal texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected a scheme and a host, and nothing behind them";
        let (scheme, rest) = text.split_once("://").ok_or(expected)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return Err("the scheme must be http or https"),
        };
        let authority: Authority = rest.parse().map_err(|_| expected)?;
        if authority.as_str().contains(['@', '*']) || authority.host().is_empty() {
            return Err(expected);
        }
        let authority = authority.as_str().to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `Origin` header if it is one of `allowed`, for the answer to name it.
pub(super) fn allowed<'a>(headers: &'a HeaderMap, allowed: &[Origin]) -> Option<&'a HeaderValue> {
    let value = only(headers, header::ORIGIN.as_str())?;
    let origin: Origin = value.to_str().ok()?.parse().ok()?;
    allowed.contains(&origin).then_some(value)
}

/// Whether a page of another origin asks. Another port of this machine is another origin: any
/// program may serve pages there. Top-level navigations (a link that is followed) are not the
/// page's: it does not get the answer.
pub(super) fn is_foreign_page(request: &Request) -> bool {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) {
        return !is_own(request);
    }
    let value = |name| only(headers, name).map_or("", |value| value.to_str().unwrap_or("?"));
    match headers.get(SEC_FETCH_SITE).map(|_| value(SEC_FETCH_SITE)) {
        None | Some("same-origin" | "none") => false,
        Some(_) => {
            let navigates = value(SEC_FETCH_MODE) == "navigate";
            let is_top_level = value(SEC_FETCH_DEST) == "document";
            !(request.method() == Method::GET && navigates && is_top_level)
        }
    }
}

/// Whether `Origin` names the host and the port that the request goes to.
fn is_own(request: &Request) -> bool {
    let origin = only(request.headers(), header::ORIGIN.as_str());
    let origin = origin.and_then(|origin| origin.to_str().ok()?.parse::<Origin>().ok());
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => only(request.headers(), header::HOST.as_str()).and_then(|host| host.to_str().ok()),
    };
    let (Some(origin), Some(host)) = (origin, host) else { return false };
    let is_at = |scheme: &str| format!("{scheme}://{host}").parse() == Ok(origin.clone());
    is_at("http") || is_at("https")
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    first.filter(|_| values.next().is_none())
}

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

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if bare.eq_ignore_ascii_case("localhost") {
        return true;
    }
    bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_are_equal_texts() {
        let origin = |text: &str| text.parse::<Origin>().unwrap().to_string();
        assert_eq!(origin("HTTPS://Game.Example:443"), "https://game.example");
        assert_eq!(origin("http://localhost:80"), "http://localhost");
        assert_eq!(origin("http://[::1]:3000"), "http://[::1]:3000");
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let wrong = ["", "null", "*", "localhost", "http://", "http://a/", "http://a/b", "ftp://a"];
        for text in wrong.into_iter().chain(["https://*.example", "http://u@a", "http://a?b"]) {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}

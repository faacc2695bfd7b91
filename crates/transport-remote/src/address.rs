//! Where the event-bus is: `http://host:port`.

use http::Uri;
use worldbus_bus::{Error, Kind};

/// Checks an address.
///
/// # Errors
/// `Invalid`, saying what was expected.
pub(crate) fn parse(url: &str) -> Result<Uri, Error> {
    let wrong = |why: &str| {
        let context = format!(
            "{url:.200?} is not the address of an event-bus: {why}; expected http://HOST:PORT, \
             e.g. http://127.0.0.1:7070"
        );
        Error::refused(Kind::Invalid, context)
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(wrong("TLS ends before the event-bus, at a proxy of yours")),
        _ => return Err(wrong("it does not begin with http://")),
    }
    if uri.port_u16().is_none() {
        return Err(wrong("it names no port"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("nothing may follow the port"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("keys do not stand in it but in WORLDBUS_API_KEY"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_enough() {
        for right in ["http://127.0.0.1:7070", "http://localhost:1/", "http://[::1]:7070"] {
            assert!(parse(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for wrong in [
            "",
            "127.0.0.1:7070",
            "localhost",
            "https://localhost:7070",
            "embedded:here",
            "http://localhost",
            "http://localhost:7070/api",
            "http://localhost:7070/?a=b",
            "http://key@localhost:7070",
            "http://local host:7070",
        ] {
            let error = parse(wrong).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.context().contains("http://127.0.0.1:7070"), "{error}");
        }
    }
}

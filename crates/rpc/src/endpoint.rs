//! Where one of our services is: `http://HOST:PORT`, or `https://HOST[:PORT]` where TLS ends at a
//! proxy in front of it, such as a load balancer.
//!
//! Certificates are checked against those that the machine trusts (`SSL_CERT_FILE` names others).

use tonic::transport::{ClientTlsConfig, Endpoint};

use worldbus_bus::{Error, Kind};

/// How to connect to the service at a URL; nothing is connected yet.
///
/// # Errors
/// `Invalid`, saying what was expected.
pub fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let wrong = |why: &str| {
        let context = format!(
            "{url:.200?} is not the address of a service: {why}; expected http://HOST:PORT or \
             https://HOST, e.g. http://127.0.0.1:7070"
        );
        Error::refused(Kind::Invalid, context)
    };
    let uri: http::Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
    let is_tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong("it does not begin with http:// or https://")),
    };
    if uri.port_u16().is_none() && !is_tls {
        return Err(wrong("it names no port"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("nothing may follow the port"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("keys do not stand in it but in WORLDBUS_API_KEY"));
    }
    let endpoint = Endpoint::from(uri);
    if !is_tls {
        return Ok(endpoint);
    }
    let trusted = ClientTlsConfig::new().with_native_roots();
    endpoint.tls_config(trusted).map_err(|error| wrong(&format!("no TLS: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_enough() {
        for right in [
            "http://127.0.0.1:7070",
            "http://localhost:1/",
            "http://[::1]:7070",
            "https://bus.example.com",
            "https://bus.example.com:8443/",
        ] {
            assert!(endpoint(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for wrong in [
            "",
            "127.0.0.1:7070",
            "localhost",
            "https://localhost:7070/api",
            "embedded:here",
            "http://localhost",
            "http://localhost:7070/api",
            "http://localhost:7070/?a=b",
            "http://key@localhost:7070",
            "http://local host:7070",
        ] {
            let error = endpoint(wrong).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Invalid);
            assert!(error.context().contains("http://127.0.0.1:7070"), "{error}");
        }
    }
}

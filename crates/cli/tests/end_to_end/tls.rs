//! Clients reach an event-bus by `https://` behind a proxy that ends TLS, as at a load balancer.
//!
//! The certificate next to this file is for tests: it names localhost, and its key is public.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{Service, run_with_input, worldbus};

const CERTIFICATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/tls/localhost.crt");

#[test]
fn event_bus_behind_tls_is_reached_by_https_where_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    let runtime = Runtime::new().unwrap();
    let port = runtime.block_on(ends_tls(bus.url.strip_prefix("http://").unwrap()));
    let url = format!("https://localhost:{port}");
    let publish = |trusted: Option<&str>| {
        let mut command = worldbus();
        command.args(["publish", "time.day_activated", "{}", "--url", &url]);
        trusted.map(|file| command.env("SSL_CERT_FILE", file));
        run_with_input(&mut command, b"")
    };
    let published = publish(Some(CERTIFICATE));
    assert_eq!(published.code, 0, "{published:?}");
    let mut tail = worldbus();
    tail.args(["tail", "--url", &url, "--from", "start", "--count", "1", "--format", "json"]);
    let shown = run_with_input(tail.env("SSL_CERT_FILE", CERTIFICATE), b"");
    assert!(shown.lines()[0].contains(&published.lines()[0]), "{shown:?}");

    publish(None).refused(&["https://localhost", "certificate"]);
}

/// A proxy that ends TLS in front of an address; its port.
async fn ends_tls(target: &str) -> u16 {
    let target: SocketAddr = target.parse().unwrap();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/tls/localhost.key");
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut outside = acceptor.accept(outside).await.ok()?;
                let mut inside = TcpStream::connect(target).await.ok()?;
                copy_bidirectional(&mut outside, &mut inside).await.ok()
            });
        }
    });
    port
}

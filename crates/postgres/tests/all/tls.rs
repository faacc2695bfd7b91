//! TLS: who is taken for the server, and who is not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{by_port, open};
use worldbus_postgres::Database;
use worldbus_service::state::{Error, Fate, Kind};
use worldbus_testkit::PostgresServer;

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
const LOGIN: &str = "worldbus:secret";

/// An authority, and a certificate of `localhost` by it.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new(subject: &str) -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let request = [&["req", "-x509", "-days", "2", "-subj", subject], &key[..]].concat();
        this.openssl(&[&request[..], &["-keyout", "ca.key", "-out", "ca.pem"]].concat());
        let request = [&["req", "-subj", "/CN=server"], &key[..]].concat();
        this.openssl(&[&request[..], &["-keyout", "server.key", "-out", "server.csr"]].concat());
        std::fs::write(this.path("names"), "subjectAltName=DNS:localhost\n").unwrap();
        let sign = ["x509", "-req", "-days", "2", "-in", "server.csr", "-extfile", "names"];
        let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem"];
        this.openssl(&[&sign[..], &by].concat());
        this
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments).current_dir(self.folder.path()).stderr(Stdio::null());
        assert!(openssl.status().unwrap().success(), "{openssl:?}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

/// A server that takes nothing unencrypted by its port.
fn encrypted_only(authority: &Authority) -> PostgresServer {
    let server = PostgresServer::start();
    server.write("server.key", &authority.text("server.key"));
    server.write("server.crt", &authority.text("server.pem"));
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    server.write("pg_hba.conf", rules);
    server.set("ssl", "on");
    server.sql("postgres", "ALTER ROLE worldbus PASSWORD 'secret'");
    server
}

fn refused(error: &Error, parts: &[&str]) {
    assert_eq!((error.kind(), error.fate()), (Kind::Unopenable, Fate::Refused), "{error}");
    assert!(parts.iter().all(|part| error.to_string().contains(part)), "{parts:?}: {error}");
}

async fn is_encrypted(url: &str) -> bool {
    let database = Database::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    let client = database.client().await.unwrap();
    client.read(IS_ENCRYPTED, &[]).await.unwrap()[0].get(0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn server_is_verified_by_authority_and_name_or_not_at_all_as_the_url_asks() {
    let (authority, stranger) = (Authority::new("/CN=tests"), Authority::new("/CN=others"));
    let server = encrypted_only(&authority);
    let address = by_port(&server, LOGIN, "worldbus");
    let name = address.replace("127.0.0.1", "localhost");
    let verified = |url: &str, authorities: &Path| {
        format!("{url}?sslmode=verify-full&sslrootcert={}", authorities.display())
    };
    assert!(is_encrypted(&verified(&name, &authority.path("ca.pem"))).await);
    assert!(is_encrypted(&format!("{address}?sslmode=require")).await);

    let wrong = open(&verified(&name, &stranger.path("ca.pem"))).await.unwrap_err();
    refused(&wrong, &["TLS handshake", "UnknownIssuer", "sslrootcert"]);
    let other = open(&verified(&address, &authority.path("ca.pem"))).await.unwrap_err();
    refused(&other, &["not valid for name", "127.0.0.1", "host's name"]);
    let plain = open(&format!("{address}?sslmode=disable")).await.unwrap_err();
    refused(&plain, &["28000", "no encryption", "pg_hba.conf"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn file_without_authorities_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, damaged) = (folder.path().join("empty.pem"), folder.path().join("damaged.pem"));
    std::fs::write(&empty, "nothing\n").unwrap();
    let begin = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    std::fs::write(&damaged, begin).unwrap();
    for file in [&empty, &damaged, &folder.path().join("missing.pem")] {
        let url = format!("postgres://w@localhost/w?sslrootcert={}", file.display());
        let error = open(&url).await.unwrap_err();
        refused(&error, &["sslrootcert", &file.display().to_string()]);
    }
}

//! URLs that are taken and URLs that are refused.

use super::*;

fn parsed(url: &str) -> Options {
    Options::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn everything_of_a_url_is_read() {
    let url = "postgresql://wo%40rld:p%2Fs+s%3A:w@[::1]:6543/my%20db?schema=s%C3%A9";
    let options = parsed(url);
    assert_eq!((options.user.as_str(), options.database.as_str()), ("wo@rld", "my db"));
    assert_eq!(options.password.unwrap().expose(), "p/s+s::w");
    assert_eq!((options.host.as_str(), options.port, options.schema.as_str()), ("::1", 6543, "sé"));
    let short = parsed("postgres://w@localhost/db");
    assert_eq!((short.port, short.schema.as_str()), (5432, "public"));
    assert!(short.password.is_none());
}

#[test]
fn socket_is_a_directory_as_host_or_as_parameter() {
    for url in [
        "postgres://w@%2Fvar%2Frun%2Fpostgresql:5433/db",
        "postgres://w@:5433/db?host=/var/run/postgresql",
    ] {
        let options = parsed(url);
        assert_eq!((options.host.as_str(), options.port), ("/var/run/postgresql", 5433), "{url}");
        assert_eq!(options.encryption, Encryption::Disable);
    }
}

#[test]
fn beyond_this_machine_the_server_is_verified_unless_the_url_has_another_mode() {
    let of = |query: &str| parsed(&format!("postgres://w@db.example/db{query}")).encryption;
    let verified = Encryption::VerifyFull(PathBuf::from("/ca.pem"));
    assert_eq!(of("?sslrootcert=/ca.pem"), verified);
    assert_eq!(of("?sslmode=verify-full&sslrootcert=/ca.pem"), verified);
    assert_eq!(of("?sslmode=require"), Encryption::Require);
    assert_eq!(of("?sslmode=disable"), Encryption::Disable);
    assert_eq!(parsed("postgres://w@127.0.0.9/db").encryption, Encryption::Disable);
}

#[test]
fn other_addresses_are_refused_with_the_reason_and_without_the_password() {
    for (url, reason) in [
        ("postgres:db", "postgres://"),
        ("postgres://w:hunter2@localhost", "no /DATABASE"),
        ("postgres://localhost/db", "no USER@"),
        ("postgres://w:hun/ter2@localhost/db", "write %2F for /"),
        ("postgres://w:hun?ter2@localhost/db", "write %2F for /"),
        ("postgres://:hunter2@localhost/db", "no user"),
        ("postgres://w:hunter2@localhost/", "no database"),
        ("postgres://w:hunter2@/db", "no host"),
        ("postgres://w:hunter2@h/db?host=/run&sslmode=disable", "set one"),
        ("postgres://w:hunter2@/db?host=run", "from /"),
        ("postgres://w:hunter2@localhost:0/db", "port `0`"),
        ("postgres://w:hunter2@localhost:x/db", "port `x`"),
        ("postgres://w:hunter2@localhost/db?sslmod=require", "unknown parameter `sslmod`"),
        ("postgres://w:hunter2@localhost/db?sslmode=prefer", "sslmode `prefer`"),
        ("postgres://w:hunter2@localhost/db?schema=a&schema=b", "`schema` twice"),
        ("postgres://w:hunter2@db.example/db", "needs sslrootcert=FILE"),
        ("postgres://w:hunter2@localhost/db?sslmode=verify-full", "needs sslrootcert=FILE"),
        ("postgres://w:hunter2@db.example/db?sslmode=require&sslrootcert=/ca", "for sslmode="),
        ("postgres://w:hunter2@/db?host=/run&sslmode=require", "leave sslmode out"),
        (&format!("postgres://w:hunter2@localhost/{}", "d".repeat(64)), "at most 63 bytes"),
    ] {
        let error = Options::parse(url).expect_err(url);
        let text = format!("{error} {error:?}");
        assert_eq!(error.kind(), Kind::Unsupported, "{url}");
        assert!(text.contains(reason) && text.contains("HOST/DATABASE"), "{url}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn password_comes_from_one_place_and_is_never_printed() {
    let secret = || Some(Secret::new("hunter2"));
    let options = parsed("postgres://w@localhost/db").with_password(secret()).unwrap();
    assert_eq!(options.password.as_ref().unwrap().expose(), "hunter2");
    assert!(!format!("{options:?}").contains("hunter2"), "{options:?}");
    let twice = parsed("postgres://w:one@localhost/db").with_password(secret()).unwrap_err();
    assert!(twice.to_string().contains("one of the two"), "{twice}");
}

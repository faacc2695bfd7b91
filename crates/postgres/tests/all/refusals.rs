//! What a server refuses, and what the errors say to do.

use tokio::time::Instant;

use crate::{by_port, open, store};
use worldbus_postgres::{Database, Options, Postgres};
use worldbus_service::Secret;
use worldbus_service::state::{Error, Fate, Kind, StateStore};
use worldbus_testkit::{DEADLINE, PostgresServer, free_port};

const SECRET: &str = "open%20sesame";

fn shows(error: &Error, expected: (Kind, Fate), parts: &[&str]) {
    assert_eq!((error.kind(), error.fate()), expected, "{error}");
    let text = format!("{error} {error:?}");
    assert!(parts.iter().all(|part| error.to_string().contains(part)), "{parts:?}: {text}");
    assert!(!text.contains("sesame"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_that_is_wrong_is_reported_at_the_start_with_what_to_do() {
    let server = PostgresServer::start();
    server.sql("postgres", "ALTER ROLE worldbus PASSWORD 'open sesame'");
    let right = by_port(&server, &format!("worldbus:{SECRET}"), "worldbus");
    open(&right).await.unwrap();
    let without = by_port(&server, "worldbus", "worldbus");
    let set = Options::parse(&without).unwrap().with_password(Some(Secret::new("open sesame")));
    Database::open(set.unwrap()).await.unwrap();

    let refused = (Kind::Unopenable, Fate::Refused);
    let wrong = open(&by_port(&server, "worldbus:sesame", "worldbus")).await.unwrap_err();
    shows(&wrong, refused, &["`worldbus` at 127.0.0.1:", "28P01", "correct user and password"]);
    let missing = open(&without).await.unwrap_err();
    shows(&missing, refused, &["password missing", "WORLDBUS_DATABASE_PASSWORD"]);
    let nowhere = open(&by_port(&server, &format!("worldbus:{SECRET}"), "nowhere")).await;
    shows(&nowhere.unwrap_err(), refused, &["nowhere", "3D000", "CREATE DATABASE"]);
    let encrypted = open(&format!("{right}?sslmode=require")).await.unwrap_err();
    shows(&encrypted, refused, &["does not support TLS"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn user_without_rights_is_refused_with_those_it_needs() {
    let server = PostgresServer::start();
    server.sql("worldbus", "CREATE ROLE guest LOGIN");
    let url = server.url().replacen("worldbus@", "guest@", 1);
    for url in [url.clone(), format!("{url}?schema=its_own")] {
        let error = open(&url).await.unwrap_err();
        shows(&error, (Kind::Unopenable, Fate::Refused), &["42501", "CREATE and USAGE"]);
    }
    server.sql("worldbus", "CREATE SCHEMA its_own AUTHORIZATION guest");
    open(&format!("{url}?schema=its_own")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_away_may_be_tried_again() {
    let url = format!("postgres://w@127.0.0.1:{}/w", free_port());
    let error = open(&url).await.unwrap_err();
    shows(&error, (Kind::Busy, Fate::Retry), &["is unavailable", "refused"]);
    let mut server = PostgresServer::start();
    let store = store(&server).await;
    server.kill();
    let error = store.compare_and_set("key", None, vec![1]).await.unwrap_err();
    assert_ne!(error.fate(), Fate::Refused, "{error}");
    let error = store.list("").await.unwrap_err();
    shows(&error, (Kind::Busy, Fate::Retry), &["is unavailable"]);
    server.restart();
    assert_eq!(store.list("").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_read_only_is_read_and_written_again_when_it_is_not() {
    let server = PostgresServer::start();
    let store = store(&server).await;
    let first = store.compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    server.set("default_transaction_read_only", "on");
    let error = eventually_fails(&store, first).await;
    shows(&error, (Kind::Busy, Fate::Retry), &["25006", "name the primary", "automatically"]);
    assert_eq!(store.get("key").await.unwrap().unwrap().value, vec![1]);
    // Tables that are there are opened, and those that are not cannot be made.
    open(&server.url()).await.unwrap();
    let fresh = format!("{}?schema=fresh", server.url());
    shows(&open(&fresh).await.unwrap_err(), (Kind::Busy, Fate::Retry), &["25006"]);

    let last = store.get("key").await.unwrap().unwrap().revision;
    server.set("default_transaction_read_only", "off");
    let end = Instant::now() + DEADLINE;
    while let Err(error) = store.compare_and_set("key", Some(last), vec![2]).await {
        assert!(error.kind() == Kind::Busy && Instant::now() < end, "{error}");
    }
    assert_eq!(store.get("key").await.unwrap().unwrap().value, vec![2]);
}

/// Sessions that are open take a new default between two statements.
async fn eventually_fails(store: &Postgres, mut revision: u64) -> Error {
    let end = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < end, "it is not read-only");
        match store.compare_and_set("key", Some(revision), vec![1]).await {
            Ok(set) => revision = set.unwrap(),
            Err(error) => return error,
        }
    }
}

/// The server's own words for a full disk, by a trigger: filling a real one needs one of our own.
#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_reported_and_what_was_written_stays() {
    let server = PostgresServer::start();
    let store = store(&server).await;
    let first = store.compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    let trigger = "CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                       RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
                   CREATE TRIGGER is_full BEFORE UPDATE ON worldbus_state
                       EXECUTE FUNCTION is_full();";
    server.sql("worldbus", trigger);
    let error = store.compare_and_set("key", Some(first), vec![2]).await.unwrap_err();
    shows(&error, (Kind::Full, Fate::Retry), &["53100", "make room there"]);
    assert_eq!(store.get("key").await.unwrap().unwrap().revision, first);
    server.sql("worldbus", "DROP TRIGGER is_full ON worldbus_state");
    store.compare_and_set("key", Some(first), vec![2]).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_others_changed_and_texts_without_a_form_are_refused() {
    let server = PostgresServer::start();
    let store = store(&server).await;
    let zero = store.compare_and_set("a\0b", None, vec![1]).await.unwrap_err();
    shows(&zero, (Kind::Unencodable, Fate::Refused), &["zero character", "a\\0b"]);
    server.sql("worldbus", "DROP TABLE worldbus_state");
    let gone = store.get("key").await.unwrap_err();
    shows(&gone, (Kind::Damaged, Fate::Refused), &["42P01", "restore them"]);

    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0";
    server.sql("postgres", latin);
    let url = server.url();
    let other = open(&format!("{}latin", url.strip_suffix("worldbus").unwrap())).await.unwrap_err();
    shows(&other, (Kind::Unopenable, Fate::Refused), &["LATIN1", "ENCODING 'UTF8'"]);
}

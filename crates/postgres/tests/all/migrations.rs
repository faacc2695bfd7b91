//! Migrations: applied once, by one of many, or not at all.

use std::sync::Arc;

use crate::open;
use worldbus_postgres::{Database, Migration, Postgres};
use worldbus_service::state::{Error, Fate, Kind, StateStore};
use worldbus_testkit::PostgresServer;

const FIRST: Migration = Migration { name: "first", sql: "CREATE TABLE one (number integer)" };
const SECOND: Migration = Migration {
    name: "second",
    sql: "INSERT INTO one VALUES (1); ALTER TABLE one ADD COLUMN more text",
};
const BROKEN: Migration =
    Migration { name: "broken", sql: "INSERT INTO one VALUES (2); SELECT * FROM nowhere" };

async fn applied(database: &Database) -> Vec<String> {
    const APPLIED: &str = "SELECT name FROM worldbus_migration WHERE part = 'test' ORDER BY number";
    let client = database.client().await.unwrap();
    let rows = client.read(APPLIED, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_open_at_once_create_schema_and_tables_once() {
    let server = PostgresServer::start();
    let url = format!("{}?schema=the%20%22worlds%22", server.url());
    let open = || {
        let url = url.clone();
        tokio::spawn(async move { open(&url).await })
    };
    let mut stores: Vec<Arc<Postgres>> = Vec::new();
    for opened in (0..8).map(|_| open()).collect::<Vec<_>>() {
        stores.push(Arc::new(opened.await.unwrap().unwrap()));
    }
    let revision = stores[0].compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    for store in &stores {
        assert_eq!(store.get("key").await.unwrap().unwrap().revision, revision);
    }
    let count = "SELECT count(*) FROM \"the \"\"worlds\"\"\".worldbus_migration";
    assert_eq!(server.sql("worldbus", count).trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_applied_in_order_and_none_twice() {
    let server = PostgresServer::start();
    let database = Database::connect(&server.url()).await.unwrap();
    database.migrate("test", &[FIRST]).await.unwrap();
    database.migrate("test", &[FIRST, SECOND]).await.unwrap();
    database.migrate("test", &[FIRST, SECOND]).await.unwrap();
    assert_eq!(applied(&database).await, ["first", "second"]);
    assert_eq!(server.sql("worldbus", "SELECT count(*) FROM one").trim(), "1");
    // The history of another part is its own.
    database.migrate("other", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn migration_that_fails_leaves_nothing_of_those_with_it() {
    let server = PostgresServer::start();
    let database = Database::connect(&server.url()).await.unwrap();
    database.migrate("test", &[FIRST]).await.unwrap();
    let failed = database.migrate("test", &[FIRST, SECOND, BROKEN]).await.unwrap_err();
    assert!(failed.to_string().contains("nowhere"), "{failed}");
    assert_eq!(applied(&database).await, ["first"]);
    assert_eq!(server.sql("worldbus", "SELECT count(*) FROM one").trim(), "0");
    database.migrate("test", &[FIRST, SECOND]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn older_program_refuses_newer_tables_and_another_history() {
    let server = PostgresServer::start();
    let database = Database::connect(&server.url()).await.unwrap();
    database.migrate("test", &[FIRST, SECOND]).await.unwrap();
    let refused = |error: Error, kind: Kind, parts: &[&str]| {
        assert_eq!((error.kind(), error.fate()), (kind, Fate::Refused), "{error}");
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
    };
    let newer = database.migrate("test", &[FIRST]).await.unwrap_err();
    let parts = ["`test` in schema `public`", "`second`", "run the newer worldbus", "?schema="];
    refused(newer, Kind::Newer, &parts);
    let other = database.migrate("test", &[SECOND, FIRST]).await.unwrap_err();
    refused(other, Kind::Damaged, &["`first` stands where this worldbus has `second`"]);

    let store = open(&server.url()).await.unwrap();
    store.compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    let later = "INSERT INTO worldbus_migration VALUES ('state', 2, 'of tomorrow')";
    server.sql("worldbus", later);
    refused(open(&server.url()).await.unwrap_err(), Kind::Newer, &["`of tomorrow`", "knows 1"]);
}

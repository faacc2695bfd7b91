//! Connections and transactions as services use them.

use std::process::Command;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use worldbus_postgres::{CLIENT_MAX, CONNECTION_COUNT_MAX, Database, Migration, STATEMENT_MAX};
use worldbus_service::state::{Fate, Kind};
use worldbus_testkit::{DEADLINE, PostgresServer};

const NUMBERS: &[Migration] =
    &[Migration { name: "numbers", sql: "CREATE TABLE numbers (number bigint PRIMARY KEY)" }];
const INSERT: &str = "INSERT INTO numbers VALUES ($1) RETURNING number";
const ALL: &str = "SELECT number FROM numbers ORDER BY number";
const SLOW: &str = "SELECT pg_sleep(9)::text";
const OWN: &str = "SELECT pg_backend_pid()";

async fn numbers(server: &PostgresServer) -> Database {
    let database = Database::connect(&server.url()).await.unwrap();
    database.migrate("numbers", NUMBERS).await.unwrap();
    database
}

async fn all(database: &Database) -> Vec<i64> {
    let client = database.client().await.unwrap();
    let rows = client.read(ALL, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_happens_whole_or_not_at_all() {
    let server = PostgresServer::start();
    let database = numbers(&server).await;
    let mut client = database.client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    for number in [1_i64, 2] {
        let rows = transaction.query(INSERT, &[&number]).await.unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), number);
    }
    assert!(all(&database).await.is_empty());
    transaction.commit().await.unwrap();
    assert_eq!(all(&database).await, [1, 2]);

    let dropped = client.transaction().await.unwrap();
    dropped.query(INSERT, &[&3_i64]).await.unwrap();
    drop(dropped);
    let failing = client.transaction().await.unwrap();
    failing.query(INSERT, &[&4_i64]).await.unwrap();
    let twice = failing.query(INSERT, &[&4_i64]).await.unwrap_err();
    assert!(twice.to_string().contains("23505"), "{twice}");
    drop(failing);
    // The connection serves on, and so it does another caller.
    client.write(INSERT, &[&5_i64]).await.unwrap();
    drop(client);
    assert_eq!(all(&database).await, [1, 2, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_beyond_the_connections_wait_for_one_and_then_have_an_error() {
    let server = PostgresServer::start();
    let database = numbers(&server).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTION_COUNT_MAX {
        held.push(database.client().await.unwrap());
    }
    let begun = Instant::now();
    let error = database.client().await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Busy, Fate::Retry));
    assert!(error.to_string().contains("in use"), "{error}");
    assert!(begun.elapsed() >= CLIENT_MAX);
    let waiting = tokio::spawn({
        let database = database.clone();
        async move { database.client().await.map(drop) }
    });
    held.pop();
    waiting.await.unwrap().unwrap();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worldbus'";
    let count: usize = server.sql("worldbus", count).trim().parse().unwrap();
    assert!(count <= CONNECTION_COUNT_MAX, "{count} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn call_that_is_given_up_holds_up_no_other() {
    let server = PostgresServer::start();
    let database = numbers(&server).await;
    let client = database.client().await.unwrap();
    timeout(Duration::from_millis(200), client.read(SLOW, &[])).await.unwrap_err();
    drop(client);
    timeout(Duration::from_secs(5), all(&database)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_that_the_server_ended_is_replaced() {
    let server = PostgresServer::start();
    let database = numbers(&server).await;
    let client = database.client().await.unwrap();
    let own: i32 = client.read(OWN, &[]).await.unwrap()[0].get(0).unwrap();
    let ended = client.read("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await;
    let ended = ended.unwrap_err();
    assert_eq!(ended.fate(), Fate::Retry, "{ended}");
    drop(client);
    let client = database.client().await.unwrap();
    let other: i32 = client.read(OWN, &[]).await.unwrap()[0].get(0).unwrap();
    assert_ne!(own, other);
}

/// One statement that the server ends, and one whose server process stands still.
#[tokio::test(flavor = "multi_thread")]
async fn statement_that_takes_too_long_is_given_up_and_in_doubt_only_without_an_answer() {
    let server = PostgresServer::start();
    let database = numbers(&server).await;
    let (slow, hanging) = (database.client().await.unwrap(), database.client().await.unwrap());
    let process: i32 = hanging.read(OWN, &[]).await.unwrap()[0].get(0).unwrap();
    // Once it is prepared, all of it is sent at once.
    hanging.write(INSERT, &[&0_i64]).await.unwrap();
    signal("STOP", process);
    let begun = Instant::now();
    let (ended, silent) = tokio::join!(
        slow.write("SELECT pg_sleep(600)::text", &[]),
        hanging.write(INSERT, &[&1_i64])
    );
    let took = begun.elapsed();
    assert!(took >= STATEMENT_MAX && took < STATEMENT_MAX * 3, "{took:?}");
    let ended = ended.unwrap_err();
    assert_eq!((ended.kind(), ended.fate()), (Kind::Busy, Fate::Retry), "{ended}");
    let silent = silent.unwrap_err();
    assert_eq!((silent.kind(), silent.fate()), (Kind::Io, Fate::Unknown), "{silent}");
    assert!(silent.to_string().contains("no answer within"), "{silent}");

    drop(hanging);
    assert_eq!(all(&database).await, [0], "others are served meanwhile");
    signal("CONT", process);
    let end = Instant::now() + DEADLINE;
    while all(&database).await != [0, 1] {
        assert!(Instant::now() < end, "what was in doubt has not happened");
    }
}

fn signal(name: &str, process: i32) {
    let mut kill = Command::new("kill");
    assert!(kill.args(["-s", name, &process.to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_the_server_weaken_no_session() {
    let server = PostgresServer::start();
    server.set("synchronous_commit", "off");
    server.set("default_transaction_isolation", "serializable");
    let database = numbers(&server).await;
    let client = database.client().await.unwrap();
    for (sql, expected) in [
        ("SHOW synchronous_commit", "on"),
        ("SHOW default_transaction_isolation", "read committed"),
        ("SHOW search_path", "public"),
    ] {
        let rows = client.read(sql, &[]).await.unwrap();
        assert_eq!(rows[0].get::<&str>(0).unwrap(), expected, "{sql}");
    }
    let wrong = client.read("SELECT 1", &[]).await.unwrap();
    let wrong = wrong[0].get::<&str>(0).unwrap_err();
    assert_eq!((wrong.kind(), wrong.fate()), (Kind::Damaged, Fate::Refused), "{wrong}");
}

//! The database and the state store on it, over real servers of Debian's package: the contract of
//! every store, several processes, kills, what a server refuses, TLS.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod contract;
mod database;
mod kill;
mod migrations;
mod refusals;
mod tls;

use std::sync::Arc;

use worldbus_postgres::{Options, Postgres};
use worldbus_service::state::Error;
use worldbus_testkit::PostgresServer;

async fn open(url: &str) -> Result<Postgres, Error> {
    Postgres::open(Options::parse(url)?).await
}

/// Another store on the same tables, as another process has it.
async fn store(server: &PostgresServer) -> Arc<Postgres> {
    Arc::new(open(&server.url()).await.unwrap())
}

/// By the port, where a password is asked for: `PLACE` is `USER:PASSWORD`, then the database.
fn by_port(server: &PostgresServer, login: &str, database: &str) -> String {
    format!("postgres://{login}@127.0.0.1:{}/{database}", server.port())
}

//! PostgreSQL for services: a [`Database`] with a few connections, named migrations that only go
//! forward, errors by what the caller can do; and on it [`Postgres`], the adapter for
//! [`worldbus_service::StateStore`]. The only crate that names the driver: others use what is
//! re-exported here.
//!
//! A connection pool of our own, not a crate: ours has four places, no background task and one
//! deadline, and that is a page.
//!
//! Not for: poolers that give each transaction another connection (`pgbouncer` in transaction
//! mode): connections keep their settings and their prepared statements.

mod address;
mod client;
mod connection;
mod database;
mod failure;
mod limits;
mod migrate;
mod row;
mod store;
mod tls;

pub use address::{Encryption, Options};
pub use client::{Client, Transaction};
pub use database::Database;
pub use limits::{CLIENT_MAX, CONNECTION_COUNT_MAX, STATEMENT_MAX};
pub use migrate::Migration;
pub use row::{Parameters, Row};
pub use store::Postgres;
pub use tokio_postgres::types::{FromSql, ToSql};

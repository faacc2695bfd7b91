//! Statements and transactions on a connection of the pool.
//!
//! Statements are literals, so that no text from outside becomes SQL, and each connection prepares
//! them once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::IsolationLevel;

use crate::connection::{Connection, Idle, Session};
use crate::limits::STATEMENT_MAX;
use crate::row::{Parameters, Row};
use worldbus_service::state::{Error, Kind};

/// A connection; dropped, it serves the next caller.
#[derive(Debug)]
pub struct Client {
    /// There until it is dropped.
    connection: Option<Connection>,
    idle: Arc<Idle>,
    /// Given back after the connection, so that a caller that waits for a place finds it.
    _place: OwnedSemaphorePermit,
}

impl Client {
    pub(crate) fn new(
        connection: Connection,
        idle: Arc<Idle>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { connection: Some(connection), idle, _place: place }
    }

    /// The rows of a statement that changes nothing. Without an answer it may be tried again.
    ///
    /// # Errors
    /// [`Kind::Busy`] if the database is away, and those of its refusals, with what to do.
    pub async fn read(&self, sql: &'static str, values: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let Connection { driver, session } = self.connection()?;
        session.rows(driver, (sql, values), STATEMENT_MAX, Kind::Busy).await
    }

    /// The rows that a statement returns which changes something, all of it or nothing; durable
    /// when this returns. Dropped while it waits, it may happen.
    ///
    /// # Errors
    /// [`Kind::Io`] if it may have happened: read before writing again. Else as [`Client::read`],
    /// and [`Kind::Full`]: then it did not.
    pub async fn write(
        &self,
        sql: &'static str,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let Connection { driver, session } = self.connection()?;
        session.rows(driver, (sql, values), STATEMENT_MAX, Kind::Io).await
    }

    /// Begins a transaction, `READ COMMITTED`; dropped, it is rolled back.
    ///
    /// # Errors
    /// As [`Client::read`].
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let Some(Connection { driver, session }) = &mut self.connection else { return Err(gone()) };
        let driver = session.answer(driver.transaction(), STATEMENT_MAX, Kind::Busy).await?;
        Ok(Transaction { driver, session })
    }

    /// Begins a transaction that only reads, all of it as of one instant.
    ///
    /// # Errors
    /// As [`Client::read`].
    pub async fn view(&mut self) -> Result<Transaction<'_>, Error> {
        let Some(Connection { driver, session }) = &mut self.connection else { return Err(gone()) };
        let builder = driver.build_transaction();
        let builder = builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let driver = session.answer(builder.start(), STATEMENT_MAX, Kind::Busy).await?;
        Ok(Transaction { driver, session })
    }

    fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or_else(gone)
    }
}

/// Never seen: the connection is taken by `drop` alone.
fn gone() -> Error {
    Error::new(Kind::Busy, "the connection was given back")
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.keep(connection);
        }
    }
}

/// Statements that happen together or not at all.
pub struct Transaction<'a> {
    driver: tokio_postgres::Transaction<'a>,
    session: &'a Session,
}

impl Transaction<'_> {
    /// The rows that a statement returns, whether it changes something or not.
    ///
    /// # Errors
    /// As [`Client::read`]: nothing has happened before [`Transaction::commit`]. After an error the
    /// transaction takes no other statement.
    pub async fn query(
        &self,
        sql: &'static str,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        self.query_within(sql, values, STATEMENT_MAX).await
    }

    /// The same for what may take longer, once the server was given that limit.
    pub(crate) async fn query_within(
        &self,
        sql: &'static str,
        values: Parameters<'_>,
        max: Duration,
    ) -> Result<Vec<Row>, Error> {
        self.session.rows(&self.driver, (sql, values), max, Kind::Busy).await
    }

    /// Statements without values and without rows, for up to `max`.
    pub(crate) async fn batch(&self, sql: &str, max: Duration) -> Result<(), Error> {
        self.session.answer(self.driver.batch_execute(sql), max, Kind::Busy).await
    }

    /// Makes all of it durable. Dropped while it waits, it may happen.
    ///
    /// # Errors
    /// [`Kind::Io`] if it may have happened: read before writing again. Else as [`Client::read`],
    /// and [`Kind::Full`]: then it did not.
    pub async fn commit(self) -> Result<(), Error> {
        self.session.answer(self.driver.commit(), STATEMENT_MAX, Kind::Io).await
    }
}

//! One connection: how it is opened, what is set on it, and how long its calls may take.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, GenericClient, Statement};

use crate::address::{Encryption, Options};
use crate::failure::{leaves_the_connection, to_error};
use crate::limits::{
    ADDRESS_MAX, ANSWER_MARGIN, CONNECT_MAX, IDLE_IN_TRANSACTION_MAX, PROBE_EVERY,
    STATEMENT_COUNT_MAX, STATEMENT_MAX,
};
use crate::row::{Parameters, Row};
use crate::tls::Tls;
use worldbus_service::state::{Error, Kind};

/// A connection and what is known of it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) driver: tokio_postgres::Client,
    pub(crate) session: Session,
}

/// What statements need, within a transaction or without.
#[derive(Debug)]
pub(crate) struct Session {
    /// The database as messages name it.
    name: Arc<str>,
    prepared: Mutex<HashMap<&'static str, Statement>>,
    /// Calls without an answer, of which some may have been given up: with one the connection is
    /// of no use to others.
    unanswered: AtomicUsize,
}

impl Connection {
    /// Opens one until `end` at the latest.
    pub(crate) async fn open(options: &Options, tls: &Tls, end: Instant) -> Result<Self, Error> {
        let end = end.min(Instant::now() + CONNECT_MAX);
        let opened = timeout_at(end, connect(options, tls)).await;
        opened.unwrap_or_else(|_| {
            let text = format!("{} is unavailable: no answer in time", options.name());
            Err(Error::new(Kind::Busy, text))
        })
    }

    /// Whether it may serve others.
    pub(crate) fn is_good(&self) -> bool {
        !self.driver.is_closed() && self.session.unanswered.load(Ordering::Acquire) == 0
    }
}

/// Connections without a user.
#[derive(Debug, Default)]
pub(crate) struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    /// Keeps a connection for the next caller, unless it is of no more use.
    pub(crate) fn keep(&self, connection: Connection) {
        if connection.is_good() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// The one used last; those that the server has ended go.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Connection::is_good);
        idle.pop()
    }
}

async fn connect(options: &Options, tls: &Tls) -> Result<Connection, Error> {
    let name: Arc<str> = options.name().into();
    let failed = |error| to_error(&name, error, Kind::Busy);
    let (driver, connection) = config(options).connect(tls.clone()).await.map_err(failed)?;
    let database = Arc::clone(&name);
    // One for each place of the pool; ends when the client is dropped or the server is gone.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, %database, "connection ended");
        }
    });
    driver.batch_execute(&settings(options)).await.map_err(failed)?;
    let (prepared, unanswered) = (Mutex::default(), AtomicUsize::new(0));
    Ok(Connection { driver, session: Session { name, prepared, unanswered } })
}

fn config(options: &Options) -> Config {
    let mut config = Config::new();
    config.user(&options.user).host(&options.host).port(options.port).dbname(&options.database);
    config.application_name("worldbus").connect_timeout(ADDRESS_MAX);
    config.keepalives_idle(PROBE_EVERY).keepalives_interval(PROBE_EVERY).keepalives_retries(3);
    config.tcp_user_timeout(STATEMENT_MAX + ANSWER_MARGIN);
    config.ssl_mode(match options.encryption {
        Encryption::Disable => SslMode::Disable,
        Encryption::Require | Encryption::VerifyFull(_) => SslMode::Require,
    });
    if let Some(password) = &options.password {
        config.password(password.expose());
    }
    config
}

/// What holds for each session, whatever the defaults of server, database and user are.
fn settings(options: &Options) -> String {
    let (statement_ms, idle_ms) = (STATEMENT_MAX.as_millis(), IDLE_IN_TRANSACTION_MAX.as_millis());
    format!(
        "SET statement_timeout = {statement_ms};
         SET idle_in_transaction_session_timeout = {idle_ms};
         SET default_transaction_isolation = 'read committed';
         SET search_path = {};
         SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') = 'off';
         {}",
        quoted(&options.schema),
        options.session
    )
}

/// An identifier in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Session {
    /// The rows that a statement returns; prepared at its first use.
    pub(crate) async fn rows<C: GenericClient + Sync>(
        &self,
        driver: &C,
        (sql, values): (&'static str, Parameters<'_>),
        max: Duration,
        unanswered: Kind,
    ) -> Result<Vec<Row>, Error> {
        let call = async {
            let statement = self.prepared(driver, sql).await?;
            driver.query(&statement, values).await
        };
        let rows = self.answer(call, max, unanswered).await?;
        Ok(rows.into_iter().map(|row| Row::new(row, Arc::clone(&self.name))).collect())
    }

    async fn prepared<C: GenericClient + Sync>(
        &self,
        driver: &C,
        sql: &'static str,
    ) -> Result<Statement, tokio_postgres::Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = driver.prepare(sql).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() < STATEMENT_COUNT_MAX {
            prepared.insert(sql, statement.clone());
        }
        Ok(statement)
    }

    /// Waits for the answer to a call that the server ends after `max`. Dropped while it waits, the
    /// call may happen, and the connection serves no other.
    pub(crate) async fn answer<T>(
        &self,
        call: impl Future<Output = Result<T, tokio_postgres::Error>>,
        max: Duration,
        unanswered: Kind,
    ) -> Result<T, Error> {
        self.unanswered.fetch_add(1, Ordering::AcqRel);
        let Ok(answer) = timeout(max + ANSWER_MARGIN, call).await else {
            let text = format!("{} is unavailable: no answer within {max:?}", self.name);
            return Err(Error::new(unanswered, text));
        };
        if answer.as_ref().map_or_else(leaves_the_connection, |_| true) {
            self.unanswered.fetch_sub(1, Ordering::AcqRel);
        }
        answer.map_err(|error| to_error(&self.name, error, unanswered))
    }
}

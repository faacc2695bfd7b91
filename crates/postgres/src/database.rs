//! A database and its few connections.
//!
//! A caller takes one of [`CONNECTION_COUNT_MAX`] places, and with it a connection that is idle or
//! a new one. One caller at a time opens connections, with pauses that grow while the server is
//! away; a caller waits for [`CLIENT_MAX`] and then has an error.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::address::Options;
use crate::client::Client;
use crate::connection::{Connection, Idle};
use crate::limits::{CLIENT_MAX, CONNECTION_COUNT_MAX, PAUSE_MAX, PAUSE_MIN};
use crate::migrate::{self, Migration};
use crate::tls::Tls;
use worldbus_bus::Backoff;
use worldbus_service::state::{Error, Kind};

/// A database. Clones share its connections.
#[derive(Clone)]
pub struct Database {
    pool: Arc<Pool>,
}

struct Pool {
    options: Options,
    tls: Tls,
    places: Arc<Semaphore>,
    idle: Arc<Idle>,
    /// Held by the one who connects.
    opening: tokio::sync::Mutex<Opening>,
    /// Why the last attempt to connect failed, if none succeeded since.
    last_failure: Mutex<Option<String>>,
}

/// When the next attempt to connect may be made.
struct Opening {
    pauses: Backoff,
    not_before: Instant,
}

impl Database {
    /// Connects once, so that what is wrong is reported at the start.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for another URL, [`Kind::Unopenable`] for what its words can mend
    /// (user, password, name, certificate), [`Kind::Busy`] if the server is away.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::open(Options::parse(url)?).await
    }

    /// As [`Database::connect`].
    ///
    /// # Errors
    /// As there.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let tls = Tls::new(&options.encryption)?;
        let opening =
            Opening { pauses: Backoff::new(PAUSE_MIN, PAUSE_MAX), not_before: Instant::now() };
        let pool = Pool {
            options,
            tls,
            places: Arc::new(Semaphore::new(CONNECTION_COUNT_MAX)),
            idle: Arc::default(),
            opening: tokio::sync::Mutex::new(opening),
            last_failure: Mutex::default(),
        };
        let this = Self { pool: Arc::new(pool) };
        this.check().await?;
        Ok(this)
    }

    /// A connection; waits up to [`CLIENT_MAX`] for one. Cancel-safe.
    ///
    /// # Errors
    /// [`Kind::Busy`] if the server is away or all connections are in use; as
    /// [`Database::connect`] if it refuses us.
    pub async fn client(&self) -> Result<Client, Error> {
        let (pool, end) = (&self.pool, Instant::now() + CLIENT_MAX);
        let place = timeout_at(end, Arc::clone(&pool.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(pool.none_in_time()) };
        let connection = match pool.idle.take() {
            Some(connection) => connection,
            None => pool.open(end).await?,
        };
        Ok(Client::new(connection, Arc::clone(&pool.idle), place))
    }

    /// Brings the tables of `part` of a program (`state`, `chronicle`) to the last of `migrations`,
    /// each of which is applied once, in order, all that are missing in one transaction. Several
    /// processes may do it at once.
    ///
    /// # Errors
    /// [`Kind::Newer`] if a newer program has migrated it; [`Kind::Damaged`] if others have been
    /// applied under this name; as [`Client::read`].
    pub async fn migrate(&self, part: &str, migrations: &[Migration]) -> Result<(), Error> {
        let mut client = self.client().await?;
        migrate::run(&mut client, &self.pool.options, part, migrations).await
    }

    /// The database as messages name it.
    pub fn name(&self) -> String {
        self.pool.options.name()
    }

    /// Refuses a database that cannot keep every text, and warns of one that may lose what it has
    /// acknowledged.
    async fn check(&self) -> Result<(), Error> {
        const SETTINGS: &str =
            "SELECT current_setting('server_encoding'), current_setting('fsync')";
        let client = self.client().await?;
        for row in client.read(SETTINGS, &[]).await? {
            let (encoding, fsync): (&str, &str) = (row.get(0)?, row.get(1)?);
            let name = self.name();
            if encoding != "UTF8" {
                let text = format!(
                    "{name} has the encoding {encoding}; create one with ENCODING 'UTF8' and \
                     TEMPLATE template0"
                );
                return Err(Error::new(Kind::Unopenable, text));
            }
            if fsync != "on" {
                tracing::warn!("{name} has fsync={fsync}: a power failure may lose what it stored");
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Pool {
    /// Opens a connection, trying again until `end` while the server is away.
    async fn open(&self, end: Instant) -> Result<Connection, Error> {
        let Ok(mut opening) = timeout_at(end, self.opening.lock()).await else {
            return Err(self.none_in_time());
        };
        loop {
            // Another caller may have given one back meanwhile.
            if let Some(connection) = self.idle.take() {
                return Ok(connection);
            }
            sleep_until(opening.not_before.min(end)).await;
            let error = match Connection::open(&self.options, &self.tls, end).await {
                Ok(connection) => {
                    opening.pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
                    self.note(None);
                    return Ok(connection);
                }
                Err(error) => error,
            };
            self.note(Some(error.to_string()));
            opening.not_before = Instant::now() + opening.pauses.next();
            if error.kind() != Kind::Busy || opening.not_before >= end {
                return Err(error);
            }
        }
    }

    fn note(&self, failure: Option<String>) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn none_in_time(&self) -> Error {
        let last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = last.unwrap_or_else(|| {
            let name = self.options.name();
            format!("{name}: all {CONNECTION_COUNT_MAX} connections are in use; try again")
        });
        Error::new(Kind::Busy, text)
    }
}

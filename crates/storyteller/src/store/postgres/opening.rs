//! Opening the chronicle's database: its tables, and whose world they are of. A server that is away
//! is tried again; until it answers every operation fails as one that may be retried.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Postgres, schema};
use worldbus_postgres::{Database, Options};
use worldbus_service::health::Condition;
use worldbus_service::state::{Error, Fate};

/// How long a database that was away is left alone.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Statements are planned by their values: what is searched for decides which index to read. All
/// have one, and without statistics, in a chronicle that grows fast, the planner may believe
/// otherwise; and they are too short for compilation and parallel workers.
const SESSION: &str = "
    SET plan_cache_mode = force_custom_plan;
    SET enable_seqscan = off;
    SET jit = off;
    SET max_parallel_workers_per_gather = 0;";

impl Postgres {
    /// The chronicle of a world in a database, which is not opened yet.
    pub(crate) fn new(options: Options, world: &str) -> Self {
        let options = Options { session: SESSION, ..options };
        let failure = Mutex::new("the chronicle's database is being opened; retry".to_owned());
        Self { options, world: world.to_owned(), database: OnceLock::new(), failure }
    }

    /// Opens it unless it is open, and creates its tables if they are not there.
    ///
    /// # Errors
    /// As [`Database::open`] and [`Database::migrate`]; it is of another world.
    pub(crate) async fn connect(&self) -> Result<(), Error> {
        if self.database.get().is_some() {
            return Ok(());
        }
        match self.opened().await {
            Ok(database) => {
                self.database.get_or_init(|| database);
                Ok(())
            }
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
                Err(error)
            }
        }
    }

    async fn opened(&self) -> Result<Database, Error> {
        let database = Database::open(self.options.clone()).await?;
        database.migrate(schema::PART, schema::MIGRATIONS).await?;
        let place = format!("schema `{}` of {}", self.options.schema, database.name());
        schema::claim(&database.client().await?, &place, &self.world).await?;
        Ok(database)
    }

    pub(super) fn why_not_open(&self) -> String {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens it, or states why not where it may be tried again; whether it is open.
///
/// # Errors
/// What trying again does not mend.
pub(crate) async fn try_open(store: &Postgres, condition: &Condition) -> Result<bool, Error> {
    match store.connect().await {
        Ok(()) => {
            condition.met();
            Ok(true)
        }
        Err(error) if error.fate() == Fate::Refused => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the chronicle's database is not open; retrying");
            condition.failed(error.to_string());
            Ok(false)
        }
    }
}

/// Opens it, trying again while it is away, and waits for the shutdown.
///
/// # Errors
/// As [`try_open`].
pub(crate) async fn open(
    store: Arc<Postgres>,
    condition: Condition,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let opened = async {
        while !try_open(&store, &condition).await? {
            tokio::time::sleep(RETRY_DELAY).await;
        }
        Ok(())
    };
    tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        opened = opened => opened?,
    }
    shutdown.cancelled().await;
    Ok(())
}

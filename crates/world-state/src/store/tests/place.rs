//! Where a test has its state: a file, or a schema of a server of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::parts;
use crate::model::{Refusal, Step, StepParts};
use crate::store::past::Limits;
use crate::store::{Committed, Entity, NotCommitted, Postgres, Sqlite, Store, StoreError, Wanted};
use worldbus_postgres::Options;
use worldbus_testkit::PostgresServer;

pub(super) const LIMITS: Limits =
    Limits { step_count: 1_000_000, step_age_us: i64::MAX, key_count: 1_000, key_age_us: i64::MAX };

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// A database of many states: each has its file or its schema.
pub(super) enum Ground {
    Folder(tempfile::TempDir),
    Server(PostgresServer),
}

impl Ground {
    pub(super) fn new(kind: Kind) -> Arc<Self> {
        Arc::new(match kind {
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Server(PostgresServer::start()),
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(dir) => dir.path().join(name),
            Self::Server(_) => panic!("no file in PostgreSQL"),
        }
    }

    async fn open(
        &self,
        name: &str,
        world: &str,
        limits: Limits,
    ) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Folder(_) => Arc::new(Sqlite::open(self.file(name), world, limits).await?),
            Self::Server(server) => {
                let options = Options::parse(&format!("{}?schema={name}", server.url()))?;
                Arc::new(Postgres::open(options, world, limits).await?)
            }
        })
    }
}

pub(super) struct Place {
    ground: Arc<Ground>,
    name: String,
    pub(super) store: Arc<dyn Store>,
}

impl Place {
    pub(super) async fn new(kind: Kind) -> Self {
        Self::with(kind, LIMITS).await
    }

    pub(super) async fn with(kind: Kind, limits: Limits) -> Self {
        Self::on(Ground::new(kind), "state", limits).await
    }

    pub(super) async fn on(ground: Arc<Ground>, name: &str, limits: Limits) -> Self {
        let store = ground.open(name, "europe", limits).await.unwrap();
        Self { ground, name: name.to_owned(), store }
    }

    /// Another instance over the same state.
    pub(super) async fn again(&self, world: &str) -> Result<Arc<dyn Store>, StoreError> {
        self.ground.open(&self.name, world, LIMITS).await
    }

    /// The file of the state.
    pub(super) fn file(&self) -> PathBuf {
        self.ground.file(&self.name)
    }

    pub(super) async fn take(&self, parts: StepParts) -> Result<Committed, NotCommitted> {
        self.store.commit(Step::new(parts).unwrap(), super::moment(0)).await
    }

    pub(super) async fn set(&self, entity: &str, field: &str, value: serde_json::Value) -> u64 {
        self.take(parts(vec![super::set(entity, field, value)])).await.unwrap().version
    }

    pub(super) async fn refused(&self, parts: StepParts) -> Refusal {
        match self.take(parts).await {
            Err(NotCommitted::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// All entities at a version.
    pub(super) async fn all(&self, at: u64) -> BTreeMap<String, Entity> {
        let wanted = Wanted { limit: 1_000, ..Wanted::default() };
        let page = self.store.list(wanted, at).await.unwrap();
        page.entities.into_iter().map(|entity| (entity.name.clone(), entity)).collect()
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: &str) -> i64 {
        match &*self.ground {
            Ground::Folder(_) => {
                let count = format!("SELECT count(*) FROM {table}");
                let file = rusqlite::Connection::open(self.file()).unwrap();
                file.query_row(&count, [], |row| row.get(0)).unwrap()
            }
            Ground::Server(server) => {
                let count = format!("SELECT count(*) FROM {}.world_state_{table}", self.name);
                server.sql("worldbus", &count).trim().parse().unwrap()
            }
        }
    }
}

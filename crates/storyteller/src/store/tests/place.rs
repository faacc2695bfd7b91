//! Where a test keeps a chronicle: in a file, or in a database of a real server.

use std::sync::Arc;

use crate::store::{Postgres, Sqlite, Store};
use worldbus_postgres::Options;
use worldbus_testkit::PostgresServer;

/// The world of the chronicle.
pub(super) const WORLD: &str = "europe";

pub(super) enum Place {
    File(tempfile::TempDir),
    Database(PostgresServer),
}

impl Place {
    pub(super) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(super) fn database() -> Self {
        Self::Database(PostgresServer::start())
    }

    /// A database whose server has room for a large chronicle in its memory.
    pub(super) fn large_database() -> Self {
        let mut server = PostgresServer::start();
        server.sql("postgres", "ALTER SYSTEM SET shared_buffers = '1GB'");
        server.kill();
        server.restart();
        Self::Database(server)
    }

    /// How large it is.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(dir) => std::fs::metadata(dir.path().join("chronicle.db")).unwrap().len(),
            Self::Database(server) => {
                let bytes = server.sql("worldbus", "SELECT pg_database_size('worldbus')");
                bytes.trim().parse().unwrap()
            }
        }
    }

    /// The chronicle as another instance opens it.
    pub(super) async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::File(dir) => {
                let path = dir.path().join("chronicle.db");
                Arc::new(Sqlite::open(path, WORLD).await.unwrap())
            }
            Self::Database(server) => Arc::new(postgres(&server.url(), WORLD).await),
        }
    }
}

/// The chronicle of a world in the database at a URL.
pub(super) async fn postgres(url: &str, world: &str) -> Postgres {
    Postgres::open(Options::parse(url).unwrap(), world).await.unwrap()
}

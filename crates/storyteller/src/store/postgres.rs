//! The chronicle in PostgreSQL: tables `chronicle_*` of one schema, which instances on any machine
//! share, with the words of the texts in a GIN index.
//!
//! Writers take turns ([`turn`]), so that numbers rise in the order of commits and entries of two
//! instances never fork. Not here: connections and their failures (`worldbus_postgres`), what is
//! stored.

mod arcs;
mod by_words;
mod entries;
mod find;
mod in_order;
mod kept;
mod ledger;
mod rows;
mod schema;
mod turn;
mod words;

use async_trait::async_trait;

use super::{ArcSearch, Committed, Extent, Found, FoundArc, Kept, Page, Rewrite, Search, Store};
use crate::ledger::{Changes, Publication, Saved};
use worldbus_events::EventId;
use worldbus_postgres::{Client, Database, Options};
use worldbus_service::state::Error;

/// Statements are planned by their values: what is searched for decides which index to read. All
/// have one, and without statistics, in a chronicle that grows fast, the planner may believe
/// otherwise; and they are too short for compilation and parallel workers.
const SESSION: &str = "
    SET plan_cache_mode = force_custom_plan;
    SET enable_seqscan = off;
    SET jit = off;
    SET max_parallel_workers_per_gather = 0;";

/// A chronicle in a database.
#[derive(Debug)]
pub(crate) struct Postgres {
    database: Database,
}

impl Postgres {
    /// Opens the chronicle of a world, and creates its tables if they are not there.
    ///
    /// # Errors
    /// As [`Database::open`] and [`Database::migrate`]; it is of another world.
    pub(crate) async fn open(options: Options, world: &str) -> Result<Self, Error> {
        let options = Options { session: SESSION, ..options };
        let database = Database::open(options.clone()).await?;
        database.migrate(schema::PART, schema::MIGRATIONS).await?;
        let place = format!("schema `{}` of {}", options.schema, database.name());
        schema::claim(&database.client().await?, &place, world).await?;
        Ok(Self { database })
    }

    async fn client(&self) -> Result<Client, Error> {
        self.database.client().await
    }
}

#[async_trait]
impl Store for Postgres {
    async fn revision(&self) -> Result<u64, Error> {
        ledger::revision(&self.client().await?).await
    }

    async fn load(&self) -> Result<(u64, Saved), Error> {
        ledger::load(&mut self.client().await?).await
    }

    async fn commit(&self, revision: Option<u64>, changes: Changes) -> Result<Committed, Error> {
        ledger::commit(&mut self.client().await?, revision, &changes).await
    }

    async fn outbox(&self, count_max: usize) -> Result<Vec<(i64, Publication)>, Error> {
        turn::outbox(&self.client().await?, count_max).await
    }

    async fn published(&self, through: i64) -> Result<(), Error> {
        turn::published(&self.client().await?, through).await
    }

    async fn entry(&self, id: EventId) -> Result<Option<Found>, Error> {
        find::entry(&self.client().await?, id).await
    }

    async fn search(&self, search: Search) -> Result<Page, Error> {
        find::search(&self.client().await?, &search).await
    }

    async fn arcs(&self, search: ArcSearch) -> Result<Vec<FoundArc>, Error> {
        arcs::find(&self.client().await?, &search).await
    }

    async fn extent(&self) -> Result<Extent, Error> {
        find::extent(&self.client().await?).await
    }

    async fn rewrite(&self, rewrite: Rewrite) -> Result<bool, Error> {
        entries::rewrite(&mut self.client().await?, &rewrite).await
    }

    async fn kept(&self, name: &str) -> Result<Option<Kept>, Error> {
        kept::kept(&self.client().await?, name).await
    }

    async fn keep(
        &self,
        name: &str,
        revision: u64,
        value: String,
        publications: Vec<Publication>,
    ) -> Result<bool, Error> {
        kept::keep(&mut self.client().await?, (name, revision), &value, &publications).await
    }
}

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
mod opening;
mod rows;
mod schema;
mod turn;
mod words;

use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;

use super::{ArcSearch, Committed, Extent, Found, FoundArc, Kept, Page, Rewrite, Search, Store};
use crate::ledger::{Changes, Publication, Saved};
use worldbus_events::EventId;
use worldbus_postgres::{Client, Database, Options};
use worldbus_service::state::{Error, Kind};

pub(crate) use opening::{open, try_open};

/// A chronicle in a database.
#[derive(Debug)]
pub(crate) struct Postgres {
    options: Options,
    world: String,
    /// There once it was opened.
    database: OnceLock<Database>,
    /// Why it is not open yet.
    failure: Mutex<String>,
}

impl Postgres {
    async fn client(&self) -> Result<Client, Error> {
        match self.database.get() {
            Some(database) => database.client().await,
            None => Err(Error::new(Kind::Busy, self.why_not_open())),
        }
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

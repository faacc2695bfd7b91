//! Where the chronicle is kept: the trait, what is asked of it and what it answers. One commit
//! holds what was written, how the arcs stand and what waits to be published, so they never differ.
//! Not here: what is written (`ledger`), when it is published (`publish`).

mod marks;
pub(crate) mod postgres;
mod rank;
mod search;
mod sqlite;
mod stored;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use async_trait::async_trait;

use crate::ledger::{ArcState, Changes, Entry, Publication, Saved};
use worldbus_events::EventId;
use worldbus_service::state::Error;

pub(crate) use postgres::Postgres;
pub(crate) use search::{Cursor, Order, Page, Search, query_words};
pub(crate) use sqlite::Sqlite;

/// An entry as it is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// As it was written.
    pub(crate) entry: Entry,
    /// The text of a language model, and the model, if there is one.
    pub(crate) rewritten: Option<(String, String)>,
    /// Where it is in an order of results.
    pub(crate) cursor: Cursor,
}

/// An arc as it is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundArc {
    /// As it stands.
    pub(crate) arc: ArcState,
    /// The stages that it went through, with their game times.
    pub(crate) stages: Vec<(String, i64)>,
}

/// Which arcs.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArcSearch {
    /// In this region.
    pub(crate) region: Option<String>,
    /// Of this kind.
    pub(crate) kind: Option<String>,
    /// Only those that are open, or only those that ended.
    pub(crate) open: Option<bool>,
    /// As many.
    pub(crate) limit: usize,
    /// Behind this: when its last step was, and its id.
    pub(crate) after: Option<(i64, String)>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It is durable, as this revision of the ledger.
    Done(u64),
    /// Another instance wrote in between: nothing was done.
    Conflict,
}

/// Another text of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    /// The entry.
    pub(crate) entry: EventId,
    /// The text.
    pub(crate) text: String,
    /// Which model wrote it.
    pub(crate) model: String,
    /// What announces it.
    pub(crate) publication: Publication,
}

/// A value that is kept by name, with the revision that it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// What it is.
    pub(crate) value: String,
    /// For the next write.
    pub(crate) revision: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Entries.
    pub(crate) count: u64,
    /// Game times of the first and the last.
    pub(crate) span_us: Option<(i64, i64)>,
}

impl Found {
    /// The text that people read.
    pub(crate) fn text(&self) -> &str {
        self.rewritten.as_ref().map_or(&self.entry.text, |(text, _)| text)
    }
}

/// Keeps the chronicle of one world. Every method is atomic; what a method wrote is durable when it
/// returns. A failure has the fate of its error: of [`Kind::Io`] it is unknown what was written,
/// and writing the same again is safe, since all is known by id.
///
/// [`Kind::Io`]: worldbus_service::state::Kind::Io
#[async_trait]
pub(crate) trait Store: Send + Sync + fmt::Debug {
    /// The revision of the ledger.
    async fn revision(&self) -> Result<u64, Error>;

    /// The revision of the ledger, and the ledger.
    async fn load(&self) -> Result<(u64, Saved), Error>;

    /// Writes what changed, and queues what is to be published. What is there under its id stays
    /// as it is and is not queued again. `revision`: the ledger that the changes are of; changes
    /// that are none of the ledger itself need none.
    async fn commit(&self, revision: Option<u64>, changes: Changes) -> Result<Committed, Error>;

    /// The first that wait to be published, in order, each with its number.
    async fn outbox(&self, count_max: usize) -> Result<Vec<(i64, Publication)>, Error>;

    /// Takes out those up to a number: they were published.
    async fn published(&self, through: i64) -> Result<(), Error>;

    /// An entry by its id.
    async fn entry(&self, id: EventId) -> Result<Option<Found>, Error>;

    /// Entries.
    async fn search(&self, search: Search) -> Result<Page, Error>;

    /// Arcs that are shown, those with the latest steps first.
    async fn arcs(&self, search: ArcSearch) -> Result<Vec<FoundArc>, Error>;

    /// How much there is.
    async fn extent(&self) -> Result<Extent, Error>;

    /// Gives an entry another text, once, and queues its announcement; whether it did.
    async fn rewrite(&self, rewrite: Rewrite) -> Result<bool, Error>;

    /// A value by name.
    async fn kept(&self, name: &str) -> Result<Option<Kept>, Error>;

    /// Writes a value by name if it is still of that revision (0: not there), and queues what is to
    /// be published with it; whether it did.
    async fn keep(
        &self,
        name: &str,
        revision: u64,
        value: String,
        publications: Vec<Publication>,
    ) -> Result<bool, Error>;
}

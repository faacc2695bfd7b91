//! Where the state is kept: the trait that every database keeps, and what goes in and out of it.
//! Not here: SQL, which is in the folder of each database; what a step does (`model`).

mod failure;
mod group;
mod make;
mod past;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::model::{Refusal, Step, Value, Why};
use worldbus_bus::trace::TraceParent;
use worldbus_world::{GameTime, WallTime};

pub use failure::StoreError;
pub use past::Limits;
pub use postgres::Postgres;
pub use sqlite::Sqlite;

/// Entities of a page, at most.
pub const PAGE_COUNT_MAX: usize = 1_000;
/// Entities that are looked at for a page with a condition, at most.
pub const LOOKED_AT_COUNT_MAX: usize = 10_000;
/// Steps of a page, at most.
pub const STEPS_COUNT_MAX: usize = 1_000;
/// Bytes of events that are read at once, about.
pub const STEPS_BYTES_MAX: usize = 4 << 20;
/// Behind every name that has a prefix: no name has this letter.
const BEHIND: char = '\u{7f}';

/// When a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the wall clock.
    pub wall: WallTime,
    /// By the world's clock, once it is known.
    pub game: Option<GameTime>,
    /// The trace that it follows from.
    pub trace: Option<TraceParent>,
}

/// A step that was made, or was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The world's version that the step made, or that there was if it changed nothing.
    pub version: u64,
    /// It was made before, under the same key.
    pub repeated: bool,
}

/// Why a step was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotCommitted {
    /// It cannot be, as things are. Nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database fails: see its fate.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotCommitted {
    /// Trying again may help; what was made under a key is not made twice then.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.why == Why::Later,
            Self::Store(error) => error.may_pass(),
        }
    }
}

/// How far the state is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Versions {
    /// The world's version: how many steps there were.
    pub world: u64,
    /// The oldest version that can be read; later steps are kept.
    pub kept_from: u64,
    /// Up to here every event is durable on the bus.
    pub published: u64,
}

impl Versions {
    /// Refuses a version that is not kept, or not there.
    fn check(&self, at: u64) -> Result<(), StoreError> {
        let Self { world: latest, kept_from, .. } = *self;
        match at {
            _ if at > latest => Err(StoreError::Future { found: at, latest }),
            _ if at < kept_from => Err(StoreError::NotKept { found: at, kept_from, latest }),
            _ => Ok(()),
        }
    }
}

/// An entity at a version of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// Its version: how many steps touched it.
    pub version: u64,
    /// Its fields.
    pub fields: BTreeMap<String, Value>,
}

/// A field that must have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// Its value.
    pub value: Value,
}

/// Which entities are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What their names begin with.
    pub prefix: String,
    /// Only behind this name.
    pub after: Option<String>,
    /// Only those of which all of these hold.
    pub conditions: Vec<Condition>,
    /// At the most.
    pub limit: usize,
}

impl Wanted {
    fn takes(&self, entity: &Entity) -> bool {
        let holds = |wanted: &Condition| entity.fields.get(&wanted.field) == Some(&wanted.value);
        self.conditions.iter().all(holds)
    }

    /// Behind every name that is wanted.
    fn end(&self) -> String {
        format!("{}{BEHIND}", self.prefix)
    }
}

/// Entities in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The entities.
    pub entities: Vec<Entity>,
    /// The name behind which there may be more.
    pub next: Option<String>,
}

/// A step as it is kept and published.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The version that it made.
    pub version: u64,
    /// When, by the wall clock.
    pub wall: WallTime,
    /// When, by the world's clock.
    pub game: Option<GameTime>,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The entity of its changes, if all are of one.
    pub entity: Option<String>,
    /// The trace that it follows from, as text.
    pub trace: Option<String>,
    /// Its `world_state.updated`, encoded.
    pub event: Vec<u8>,
}

/// Keeps the state of one world. Every method may block a thread of its own, never the caller's.
///
/// A step, its event and its key are one transaction: durable when [`Store::commit`] returns, or
/// not there at all. Steps are made one after the other: each gives the world the next version.
/// Reads see whole steps. Several processes may share one database and never fork it.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Makes a step, once for each key. Dropped before it returns, the step may be made or not;
    /// under the same key it may be sent again.
    ///
    /// # Errors
    /// See [`NotCommitted`].
    async fn commit(&self, step: Step, moment: Moment) -> Result<Committed, NotCommitted> {
        let made = self.commit_all(vec![(step, moment)]).await?.pop();
        made.ok_or_else(group::interrupted)?.map_err(NotCommitted::Refused)
    }

    /// Makes steps in their order, in one transaction: a step that is refused leaves the others
    /// as they are, and with an error none is made. All of them are in memory at once.
    ///
    /// # Errors
    /// Those of the database.
    async fn commit_all(
        &self,
        steps: Vec<(Step, Moment)>,
    ) -> Result<Vec<Result<Committed, Refusal>>, StoreError>;

    /// Removes what has expired up to a game time, as a step of its own with who and why, unless
    /// it was set again since. Returns the time of what expires next, all of which is later.
    ///
    /// # Errors
    /// Those of the database.
    async fn expire(&self, until: GameTime, moment: Moment)
    -> Result<Option<GameTime>, StoreError>;

    /// When something expires next.
    ///
    /// # Errors
    /// Those of the database.
    async fn next_expiry(&self) -> Result<Option<GameTime>, StoreError>;

    /// How far the state is.
    ///
    /// # Errors
    /// Those of the database.
    async fn versions(&self) -> Result<Versions, StoreError>;

    /// The producer number of the events of this database, 58 bits; the same for its life,
    /// and another for another database of the same world, whose versions begin again.
    fn producer(&self) -> u64;

    /// Changes with each step of this process, and with each expiry that is noted.
    fn news(&self) -> watch::Receiver<u64>;

    /// An entity at a version, now without one, and the version of the world that it was read at.
    ///
    /// # Errors
    /// Those of the database; `NotKept` for a version that is not kept, or is not there yet.
    async fn entity(
        &self,
        name: &str,
        at: Option<u64>,
    ) -> Result<(Option<Entity>, u64), StoreError>;

    /// Entities at a version.
    ///
    /// # Errors
    /// As [`Store::entity`].
    async fn list(&self, wanted: Wanted, at: u64) -> Result<Page, StoreError>;

    /// The steps behind a version in order: at most `limit`, and about [`STEPS_BYTES_MAX`].
    ///
    /// # Errors
    /// As [`Store::entity`], if steps behind it are not kept.
    async fn steps(&self, after: u64, limit: usize) -> Result<Vec<Kept>, StoreError>;

    /// The latest steps that touched an entity, the newest first, at most `limit`, before a
    /// version.
    ///
    /// # Errors
    /// Those of the database.
    async fn history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError>;

    /// The version of the latest step at a game time or before; `None` if no such step is kept.
    ///
    /// # Errors
    /// Those of the database.
    async fn version_at(&self, game: GameTime) -> Result<Option<u64>, StoreError>;

    /// Every event up to a version is durable on the bus: it is out of the outbox.
    ///
    /// # Errors
    /// Those of the database; the events may be published again, under the same ids.
    async fn published(&self, version: u64) -> Result<(), StoreError>;

    /// Waits until the database can be written no more: its fault. Nothing is acknowledged then.
    async fn broken(&self) -> StoreError;
}

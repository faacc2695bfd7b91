//! The state in a SQLite file: one thread that writes, a few connections that read.
//!
//! A write-ahead log with `synchronous=FULL`: a transaction is on the disk when its commit returns.
//! Steps that wait together share one transaction and one fsync; each is worked out against what
//! the one before it wrote, and whatever can refuse it is checked before it writes, so none needs
//! a savepoint.
//!
//! Files are private to the user. Several processes may share the file; each transaction reads the
//! world's version, so they never fork it.

mod expiry;
mod fault;
mod open;
mod prune;
mod read;
mod readers;
mod rows;
mod schema;
mod steps;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use super::group::{Request, WAITING_COUNT_MAX, ask, interrupted};
use super::past::Limits;
use super::{Committed, Entity, Kept, Moment, Page, Store, StoreError, Versions, Wanted};
use crate::model::{Refusal, Step};
use readers::Readers;
use worldbus_service::state::Kind;
use worldbus_world::GameTime;
use writer::Writer;

/// The state of a world in a file.
#[derive(Debug)]
pub struct Sqlite {
    producer: u64,
    pub(super) requests: mpsc::Sender<Request>,
    /// Of what takes no time: an entity as it is now, how far the state is.
    quick: Readers,
    /// Of pages and of the past: they hold up one another, and nothing else.
    pub(super) long: Readers,
    news: watch::Receiver<u64>,
    broken: watch::Receiver<Option<String>>,
}

impl Sqlite {
    /// Opens the file, creates it and its directory when they do not exist.
    ///
    /// # Errors
    /// `Unopenable`, `Newer`, `Damaged` (also if it holds another world), `Busy`, `Full`.
    pub async fn open(path: PathBuf, world: &str, limits: Limits) -> Result<Self, StoreError> {
        let world = world.to_owned();
        let opened = tokio::task::spawn_blocking(move || open_blocking(&path, &world, limits));
        opened.await.map_err(|_| interrupted())?
    }
}

fn open_blocking(path: &Path, world: &str, limits: Limits) -> Result<Sqlite, StoreError> {
    let path: Arc<Path> = path.into();
    let connection = open::writer(&path, world)?;
    let (producer, version) = open::identity(&connection, &path)?;
    let (quick, long) = (Readers::open(&path)?, Readers::open(&path)?);
    let (requests, queue) = mpsc::channel(WAITING_COUNT_MAX);
    let (news_sender, news) = watch::channel(version);
    let (broken_sender, broken) = watch::channel(None);
    let writer = Writer::new(connection, path, limits, news_sender, broken_sender);
    let thread = std::thread::Builder::new().name("world-state".to_owned());
    let spawned = thread.spawn(move || writer.run(queue));
    spawned.map_err(|error| {
        StoreError::new(Kind::Io, format!("the thread that writes did not start: {error}"))
    })?;
    Ok(Sqlite { producer, requests, quick, long, news, broken })
}

#[async_trait]
impl Store for Sqlite {
    async fn commit_all(
        &self,
        steps: Vec<(Step, Moment)>,
    ) -> Result<Vec<Result<Committed, Refusal>>, StoreError> {
        ask(&self.requests, |reply| Request::Commit { steps, reply }).await
    }

    async fn expire(
        &self,
        until: GameTime,
        moment: Moment,
    ) -> Result<Option<GameTime>, StoreError> {
        ask(&self.requests, |reply| Request::Expire { until, moment, reply }).await
    }

    async fn next_expiry(&self) -> Result<Option<GameTime>, StoreError> {
        self.quick.read(expiry::next).await
    }

    async fn versions(&self) -> Result<Versions, StoreError> {
        self.quick.read(rows::versions).await
    }

    fn producer(&self) -> u64 {
        self.producer
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    async fn entity(
        &self,
        name: &str,
        at: Option<u64>,
    ) -> Result<(Option<Entity>, u64), StoreError> {
        let name = name.to_owned();
        let readers = if at.is_some() { &self.long } else { &self.quick };
        readers.read(move |rows| read::entity(rows, &name, at)).await
    }

    async fn list(&self, wanted: Wanted, at: u64) -> Result<Page, StoreError> {
        self.long.read(move |rows| read::list(rows, &wanted, at)).await
    }

    async fn steps(&self, after: u64, limit: usize) -> Result<Vec<Kept>, StoreError> {
        self.long.read(move |rows| steps::after(rows, after, limit)).await
    }

    async fn history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let name = name.to_owned();
        self.long.read(move |rows| steps::of_entity(rows, &name, before, limit)).await
    }

    async fn version_at(&self, game: GameTime) -> Result<Option<u64>, StoreError> {
        self.long.read(move |rows| steps::version_at(rows, game)).await
    }

    async fn published(&self, version: u64) -> Result<(), StoreError> {
        ask(&self.requests, |reply| Request::Published { version, reply }).await
    }

    async fn broken(&self) -> StoreError {
        let mut broken = self.broken.clone();
        // The sender lives as long as the writer's thread, which ends with this store.
        let why = broken.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        match why {
            Some(why) => StoreError::new(Kind::Io, why),
            None => std::future::pending().await,
        }
    }
}

//! The state in PostgreSQL, which instances on any machine share: one task that writes, and reads
//! as of one instant.
//!
//! ```text
//! steps that wait ──▶ lock the world's row ──▶ read what they name ──▶ make them in memory
//!                                               ──▶ write what changed, by table ──▶ commit
//! ```
//! Steps that wait together share one transaction, and it takes the same few round trips for one
//! step as for a hundred. The world's row is locked first, so instances take turns, and each begins
//! where the one before it ended: they never fork the state. What other instances have written is
//! noticed by asking, each [`NEWS_EVERY`].
//!
//! Statements reach their rows by a key for each, in a lateral subquery: a plan that was made when
//! the tables were empty is then still right when they are not.

mod draft;
mod expiry;
mod load;
mod prune;
mod read;
mod schema;
mod steps;
mod versions;
mod write;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::group::{Request, WAITING_COUNT_MAX, ask};
use super::past::Limits;
use super::{Committed, Entity, Kept, Moment, Page, Store, StoreError, Versions, Wanted};
use crate::model::{Refusal, Step};
use worldbus_postgres::{Database, Options};
use worldbus_world::GameTime;
use writer::Writer;

/// How often the steps of other instances are looked for.
const NEWS_EVERY: Duration = Duration::from_millis(250);

/// The state of a world in a database.
#[derive(Debug)]
pub struct Postgres {
    database: Database,
    producer: u64,
    requests: mpsc::Sender<Request>,
    news: Arc<watch::Sender<u64>>,
    /// End with this.
    _tasks: JoinSet<()>,
}

impl Postgres {
    /// Opens the state in a database, and creates its tables if they do not exist.
    ///
    /// # Errors
    /// As [`Database::open`] and [`Database::migrate`]; `Unopenable` if it holds another world.
    pub async fn open(options: Options, world: &str, limits: Limits) -> Result<Self, StoreError> {
        let database = Database::open(options).await?;
        let producer = schema::prepare(&database, world).await?;
        let versions = versions::read(&database.client().await?).await?;
        let (requests, queue) = mpsc::channel(WAITING_COUNT_MAX);
        let news = Arc::new(watch::Sender::new(versions.world));
        let writer = Writer::new(database.clone(), limits, Arc::clone(&news));
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run(queue));
        tasks.spawn(look(database.clone(), Arc::clone(&news)));
        Ok(Self { database, producer, requests, news, _tasks: tasks })
    }
}

/// Looks for the steps of other instances.
async fn look(database: Database, news: Arc<watch::Sender<u64>>) {
    let mut interval = tokio::time::interval(NEWS_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let found = async { versions::read(&database.client().await?).await };
        match found.await {
            Ok(Versions { world, .. }) => {
                news.send_if_modified(|known| {
                    let is_newer = world > *known;
                    *known = world.max(*known);
                    is_newer
                });
            }
            // Those who wait for news meet the same failure, and report it.
            Err(_) => news.send_modify(|_| ()),
        }
    }
}

#[async_trait]
impl Store for Postgres {
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
        expiry::next(&self.database.client().await?).await
    }

    async fn versions(&self) -> Result<Versions, StoreError> {
        versions::read(&self.database.client().await?).await
    }

    fn producer(&self) -> u64 {
        self.producer
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    async fn entity(
        &self,
        name: &str,
        at: Option<u64>,
    ) -> Result<(Option<Entity>, u64), StoreError> {
        read::entity(&self.database.client().await?.view().await?, name, at).await
    }

    async fn list(&self, wanted: Wanted, at: u64) -> Result<Page, StoreError> {
        read::list(&self.database.client().await?.view().await?, &wanted, at).await
    }

    async fn steps(&self, after: u64, limit: usize) -> Result<Vec<Kept>, StoreError> {
        steps::after(&self.database.client().await?.view().await?, after, limit).await
    }

    async fn history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        steps::of_entity(&self.database.client().await?, name, before, limit).await
    }

    async fn version_at(&self, game: GameTime) -> Result<Option<u64>, StoreError> {
        steps::version_at(&self.database.client().await?, game).await
    }

    async fn published(&self, version: u64) -> Result<(), StoreError> {
        ask(&self.requests, |reply| Request::Published { version, reply }).await
    }

    /// Never: a database that fails is there again, or refuses each statement.
    async fn broken(&self) -> StoreError {
        std::future::pending().await
    }
}

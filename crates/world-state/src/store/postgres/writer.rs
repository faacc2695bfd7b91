//! The one task that writes: takes what waits, makes it in one transaction, answers. While one
//! transaction is on its way the next group gathers.

use std::sync::Arc;

use metrics::{counter, histogram};
use tokio::sync::{mpsc, watch};

use super::draft::Names;
use super::{expiry, load, prune, versions, write};
use crate::model::Step;
use crate::store::group::{self, Answer, GROUP_COUNT_MAX, Made, Request};
use crate::store::past::Limits;
use crate::store::{StoreError, Versions, make};
use worldbus_postgres::Database;
use worldbus_service::state::{self, Kind};
use worldbus_world::WallTime;

pub(super) struct Writer {
    database: Database,
    limits: Limits,
    news: Arc<watch::Sender<u64>>,
}

impl Writer {
    pub(super) fn new(database: Database, limits: Limits, news: Arc<watch::Sender<u64>>) -> Self {
        Self { database, limits, news }
    }

    /// Works until the last sender is gone.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Request>) {
        let mut group = Vec::with_capacity(GROUP_COUNT_MAX);
        while let Some(first) = queue.recv().await {
            group.push(first);
            group::fill(&mut group, &mut queue);
            let (mut expiries, mut steps): (Vec<_>, Vec<_>) =
                group.drain(..).partition(|request| matches!(request, Request::Expire { .. }));
            if !steps.is_empty() {
                let made = self.commit(&steps).await;
                self.answer(&mut steps, made);
            }
            for expiry in expiries.drain(..) {
                let made = self.expire(&expiry).await;
                self.answer(&mut vec![expiry], made);
            }
        }
    }

    /// Makes steps in one transaction. When it returns `Ok` they are durable.
    async fn commit(&self, group: &[Request]) -> Result<(Vec<Made>, Versions), StoreError> {
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await?;
        let before = versions::lock(&transaction).await?;
        let mut draft = load::draft(&transaction, &Names::of(steps(group))).await?;
        let mut versions = before;
        let mut made = Vec::with_capacity(group.len());
        let mut now = WallTime(i64::MIN);
        for request in group {
            made.push(match request {
                Request::Commit { steps, .. } => {
                    let made = steps.iter().map(|(step, moment)| {
                        now = now.max(moment.wall);
                        let Ok(made) = make::step(&mut draft, &mut versions, step, moment);
                        made
                    });
                    Made::Commit(made.collect())
                }
                Request::Published { version, .. } => {
                    versions.published = versions.published.max((*version).min(versions.world));
                    Made::Published
                }
                // None of these is here: an expiry has a transaction of its own.
                _ => Made::Expire(None),
            });
        }
        write::write(&transaction, &draft).await?;
        if now.0 != i64::MIN {
            prune::prune(&transaction, &mut versions, &self.limits, now).await?;
        }
        if versions != before {
            versions::set(&transaction, &versions).await?;
        }
        transaction.commit().await?;
        histogram!("worldbus_state_group_steps").record((versions.world - before.world) as f64);
        Ok((made, versions))
    }

    async fn expire(&self, request: &Request) -> Result<(Vec<Made>, Versions), StoreError> {
        let Request::Expire { until, moment, .. } = request else { return Ok(Default::default()) };
        let mut client = self.database.client().await?;
        let (next, versions) = expiry::expire(&mut client, *until, moment).await?;
        Ok((vec![Made::Expire(next)], versions))
    }

    fn answer(&self, group: &mut Vec<Request>, made: Result<(Vec<Made>, Versions), StoreError>) {
        match made {
            Ok((made, versions)) => {
                self.news.send_modify(|known| *known = versions.world.max(*known));
                let answers = group.drain(..).zip(made);
                answers.filter_map(|(request, made)| made.answer(request)).for_each(Answer::send);
            }
            Err(error) => {
                counter!("worldbus_state_failures_total").increment(1);
                tracing::warn!(%error, "failed to write the world's state");
                let error = match error {
                    StoreError::Database(error) => error,
                    other => state::Error::new(Kind::Io, other.to_string()),
                };
                group::fail(group, &error);
            }
        }
    }
}

fn steps(group: &[Request]) -> impl Iterator<Item = &Step> {
    let steps = group.iter().filter_map(|request| match request {
        Request::Commit { steps, .. } => Some(steps),
        _ => None,
    });
    steps.flatten().map(|(step, _)| step)
}

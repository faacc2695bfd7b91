//! The one thread that writes: takes what waits, makes it in one transaction, answers.
//!
//! Group commit without a timer: while one transaction is on its way to the disk the next one
//! gathers. Nothing is answered before the commit has succeeded; if it fails, nothing of it
//! happened, and each caller gets the error.

use std::path::Path;
use std::sync::Arc;

use metrics::{counter, histogram};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, watch};

use super::fault::Fault;
use super::rows::Tables;
use super::{expiry, prune, rows};
use crate::store::group::{self, Answer, GROUP_COUNT_MAX, Made, Request};
use crate::store::past::Limits;
use crate::store::{StoreError, Versions, make};
use worldbus_service::state::{self, Kind};
use worldbus_world::WallTime;

pub(super) struct Writer {
    connection: Connection,
    path: Arc<Path>,
    limits: Limits,
    news: watch::Sender<u64>,
    broken: watch::Sender<Option<String>>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        path: Arc<Path>,
        limits: Limits,
        news: watch::Sender<u64>,
        broken: watch::Sender<Option<String>>,
    ) -> Self {
        Self { connection, path, limits, news, broken }
    }

    /// Works until the last sender is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut group = Vec::with_capacity(GROUP_COUNT_MAX);
        while let Some(first) = queue.blocking_recv() {
            group.push(first);
            group::fill(&mut group, &mut queue);
            self.round(&mut group);
        }
    }

    fn round(&mut self, group: &mut Vec<Request>) {
        if let Some(why) = self.broken.borrow().clone() {
            return group::fail(group, &state::Error::new(Kind::Io, why));
        }
        #[cfg(test)]
        group.retain(|request| match request {
            Request::LimitPages(pages, _) => {
                self.connection.pragma_update(None, "max_page_count", pages).unwrap();
                false
            }
            _ => true,
        });
        match commit(&mut self.connection, group, &self.limits) {
            Ok((answers, versions)) => {
                group.clear();
                self.news.send_replace(versions.world);
                answers.into_iter().for_each(Answer::send);
            }
            Err(fault) => self.failed(fault, group),
        }
    }

    /// Nothing of the group happened, unless the disk failed to sync it.
    fn failed(&self, fault: Fault, group: &mut Vec<Request>) {
        let is_final = fault.is_final();
        let error = fault.into_error(&self.path);
        counter!("worldbus_state_failures_total").increment(1);
        tracing::warn!(%error, "failed to write the world's state");
        if is_final {
            self.broken.send_replace(Some(error.to_string()));
        }
        match error {
            StoreError::Database(error) => group::fail(group, &error),
            other => group::fail(group, &state::Error::new(Kind::Io, other.to_string())),
        }
    }
}

/// Makes a group in one transaction. When it returns `Ok` it is on the disk.
fn commit(
    connection: &mut Connection,
    group: &mut Vec<Request>,
    limits: &Limits,
) -> Result<(Vec<Answer>, Versions), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Of the file, not of memory: another process may have written.
    let before = rows::versions(&transaction)?;
    let mut versions = before;
    let mut made = Vec::with_capacity(group.len());
    let mut now = WallTime(i64::MIN);
    for request in group.iter() {
        made.push(match request {
            Request::Commit { steps, .. } => {
                let mut tables = Tables(&transaction);
                let made = steps.iter().map(|(step, moment)| {
                    now = now.max(moment.wall);
                    make::step(&mut tables, &mut versions, step, moment)
                });
                Made::Commit(made.collect::<Result<_, _>>()?)
            }
            Request::Expire { until, moment, .. } => {
                Made::Expire(expiry::expire(&transaction, &mut versions, *until, moment)?)
            }
            Request::Published { version, .. } => {
                versions.published = versions.published.max((*version).min(versions.world));
                Made::Published
            }
            #[cfg(test)]
            Request::LimitPages(..) => continue,
        });
    }
    if now.0 != i64::MIN {
        prune::prune(&transaction, &mut versions, limits, now)?;
    }
    if versions != before {
        rows::set_versions(&transaction, &versions)?;
    }
    transaction.commit()?;
    histogram!("worldbus_state_group_steps").record((versions.world - before.world) as f64);
    let answers = group.drain(..).zip(made).filter_map(|(request, made)| made.answer(request));
    Ok((answers.collect(), versions))
}

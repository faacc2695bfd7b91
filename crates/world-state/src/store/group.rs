//! What the one writer of a database is asked for, and its answers, which wait for the commit of
//! the group that they share. Not here: making a group, which is the database's.

use tokio::sync::{mpsc, oneshot};

use super::{Committed, Moment, StoreError};
use crate::model::{Refusal, Step};
use worldbus_service::state::{self, Kind};
use worldbus_world::GameTime;

/// Requests that wait for the writer; those beyond wait in their callers.
pub(super) const WAITING_COUNT_MAX: usize = 1_024;
/// Requests that share a transaction.
pub(super) const GROUP_COUNT_MAX: usize = 256;
/// Changes of the steps that share a transaction, about: what they name may be in memory.
const CHANGES_COUNT_MAX: usize = 2_048;

/// Where the writer answers.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked for.
pub(super) enum Request {
    Commit {
        steps: Vec<(Step, Moment)>,
        reply: Reply<Vec<Result<Committed, Refusal>>>,
    },
    Expire {
        until: GameTime,
        moment: Moment,
        reply: Reply<Option<GameTime>>,
    },
    Published {
        version: u64,
        reply: Reply<()>,
    },
    /// The disk is full beyond so many pages: of SQLite alone.
    #[cfg(test)]
    LimitPages(i64, Reply<()>),
}

/// What a request came to.
pub(super) enum Made {
    Commit(Vec<Result<Committed, Refusal>>),
    Expire(Option<GameTime>),
    Published,
}

/// An answer that waits for the commit.
pub(super) enum Answer {
    Commit(Reply<Vec<Result<Committed, Refusal>>>, Vec<Result<Committed, Refusal>>),
    Expire(Reply<Option<GameTime>>, Option<GameTime>),
    Published(Reply<()>),
}

/// Asks the writer, and waits for its answer.
pub(super) async fn ask<T>(
    requests: &mpsc::Sender<Request>,
    request: impl FnOnce(Reply<T>) -> Request,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    requests.send(request(reply)).await.map_err(|_| interrupted())?;
    answer.await.map_err(|_| interrupted())?
}

/// Adds to a group what waits as well, as long as it has room.
pub(super) fn fill(group: &mut Vec<Request>, queue: &mut mpsc::Receiver<Request>) {
    let mut changes: usize = group.iter().map(Request::changes).sum();
    while group.len() < GROUP_COUNT_MAX && changes < CHANGES_COUNT_MAX {
        let Ok(next) = queue.try_recv() else { break };
        changes += next.changes();
        group.push(next);
    }
}

/// The store is going down.
pub(super) fn interrupted() -> StoreError {
    StoreError::new(Kind::Io, "the world's state is closed; the step may or may not be made")
}

/// Answers a whole group with the failure of its transaction.
pub(super) fn fail(group: &mut Vec<Request>, error: &state::Error) {
    let (kind, why) = (error.kind(), error.to_string());
    group.drain(..).for_each(|request| request.fail(StoreError::new(kind, why.clone())));
}

impl Made {
    pub(super) fn answer(self, request: Request) -> Option<Answer> {
        match (self, request) {
            (Self::Commit(made), Request::Commit { reply, .. }) => {
                Some(Answer::Commit(reply, made))
            }
            (Self::Expire(next), Request::Expire { reply, .. }) => {
                Some(Answer::Expire(reply, next))
            }
            (Self::Published, Request::Published { reply, .. }) => Some(Answer::Published(reply)),
            _ => None,
        }
    }
}

impl Answer {
    /// A caller that went away gets nothing.
    pub(super) fn send(self) {
        match self {
            Self::Commit(reply, made) => drop(reply.send(Ok(made))),
            Self::Expire(reply, next) => drop(reply.send(Ok(next))),
            Self::Published(reply) => drop(reply.send(Ok(()))),
        }
    }
}

impl Request {
    fn changes(&self) -> usize {
        match self {
            Self::Commit { steps, .. } => steps.iter().map(|(step, _)| step.changes.len()).sum(),
            _ => 1,
        }
    }

    fn fail(self, error: StoreError) {
        match self {
            Self::Commit { reply, .. } => drop(reply.send(Err(error))),
            Self::Expire { reply, .. } => drop(reply.send(Err(error))),
            Self::Published { reply, .. } => drop(reply.send(Err(error))),
            #[cfg(test)]
            Self::LimitPages(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

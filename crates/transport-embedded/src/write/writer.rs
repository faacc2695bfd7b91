//! The one thread that writes: takes what is pending, commits it as one group, answers.
//!
//! Group commit without a timer: while one group is on its way to the disk the next one
//! gathers. Nothing is acknowledged, cached or counted before its commit has succeeded.

mod cursors;
mod expiry;
mod letters;
mod removal;
mod retention;
mod segments;
mod unread;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::format::codec::Kind as RecordKind;
use crate::journal::append::Appended as Committed;
use crate::journal::{Changes, Journal};
use crate::shared::{Health, Shared};
use crate::store::failure::Failure;
use crate::store::fold::Fold;
use crate::store::lock::Lock;
use crate::subscription::runtime::Live;
use crate::write::plan::{Ledger, Staged};
use crate::write::queue::{Deletion, Reply, Request, Work};
use worldbus_bus::{Appended, Error, Fate};

pub(crate) use retention::Retention;

/// How long the writer sleeps at most: then it looks after retention and a full disk.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// And at most while there is more to remove than one look had time for.
const PAUSE: Duration = Duration::from_millis(10);

/// The writer's own state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) fold: Fold,
    /// For what is looked up in the fold.
    pub(crate) connection: Connection,
    pub(crate) ledger: Ledger,
    /// Released as the writer ends, when nothing of it touches the file any more.
    pub(crate) lock: Lock,
    pub(crate) maintained: Instant,
    pub(crate) retention: Retention,
}

/// An answer that waits for the commit.
enum Answer {
    Publish(Reply<Appended>, Appended),
    Subscribe(Reply<Arc<Live>>, cursors::Binding),
    DeadLetter(Reply<()>),
    TakeOut(Reply<Vec<u64>>, letters::TakenOut),
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _guard = PanicGuard(Arc::clone(&self.shared));
        let group_bytes_max = self.shared.options.group_bytes_max;
        loop {
            let idle_max = if self.retention.is_unfinished() { PAUSE } else { IDLE_MAX };
            match self.shared.queue.take(group_bytes_max, idle_max) {
                Work::Group { requests, cursors_due } => self.round(requests, cursors_due),
                Work::End => break,
            }
            self.maintain();
        }
        self.end();
    }

    fn round(&mut self, requests: Vec<Request>, cursors_due: bool) {
        // Deletions go after the rest, each in a commit of its own.
        for (deletion, reply) in self.group(requests, cursors_due) {
            drop(reply.send(self.delete(&deletion)));
        }
    }

    /// Commits what is asked for as one group, but for the deletions, which it returns.
    fn group(&mut self, requests: Vec<Request>, cursors_due: bool) -> Vec<(Deletion, Reply<()>)> {
        if let Some(error) = self.shared.failed() {
            requests.into_iter().for_each(|request| refuse(request, &error));
            return Vec::new();
        }

        // Stage each request: what it changes, and the answer that waits for the commit. What is
        // refused is answered at once.
        let now_ms = self.shared.now_ms();
        let shared = Arc::clone(&self.shared);
        let mut staged = Staged::new(&self.ledger, &shared.options, now_ms);
        let mut answers = Vec::with_capacity(requests.len());
        let mut records = Vec::new();
        let mut bindings = cursors::Bindings::new(&shared);
        let mut deletions = Vec::new();
        for request in requests {
            match request {
                Request::Publish { topic, batch, reply } => match staged.publish(&topic, batch) {
                    Ok(appended) => answers.push(Answer::Publish(reply, appended)),
                    Err(error) => drop(reply.send(Err(error))),
                },
                Request::Subscribe { spec, starts, reply } => {
                    match bindings.stage(&mut staged, &spec, &starts) {
                        Ok(binding) => answers.push(Answer::Subscribe(reply, binding)),
                        Err(error) => drop(reply.send(Err(error))),
                    }
                }
                Request::DeadLetter { live, letters, reply } => {
                    // Else deleted while they were on their way, and its number may be another's.
                    if !live.is_deleted() {
                        letters.into_iter().for_each(|letter| staged.dead_letter(letter));
                    }
                    answers.push(Answer::DeadLetter(reply));
                }
                Request::TakeOut(take_out, reply) => {
                    match letters::TakenOut::stage(take_out, &mut staged, &mut bindings) {
                        Ok(taken_out) => answers.push(Answer::TakeOut(reply, taken_out)),
                        Err(error) => drop(reply.send(Err(error))),
                    }
                }
                Request::Delete(deletion, reply) => deletions.push((deletion, reply)),
                #[cfg(test)]
                Request::Panic => panic!("asked for by a test"),
            }
        }

        // Add the cursors that changed since they were last written: not with each commit, since a
        // subscription's record has those of all its topics.
        let dirty = if cursors_due { cursors::take_dirty(&shared) } else { Vec::new() };
        records.extend(dirty.iter().map(|live| cursors::record(&shared, live)));
        // A binding replaces the same subscription's cursors, which it contains.
        records.extend(bindings.records());

        // Without anything to write there is no commit, and the answers are due.
        staged.published().for_each(|topic| shared.used(&shared.topic_use(topic)));
        let uses_changed = shared.options.expires() && shared.uses_changed.load(Ordering::Acquire);
        if staged.is_empty() && records.is_empty() && !uses_changed {
            self.answer(answers);
            return deletions;
        }

        // Commit, with what goes along when anything is written: ages, dead letters beyond bounds.
        let dead_count = staged.dead_count();
        let (mut changes, mut finished) = staged.finish();
        changes.records.extend(records);
        changes.records.extend(self.retention.due(&shared));
        retention::trim_dead(&self.ledger, &shared.options, &mut changes, &mut finished);

        // Only now: memory takes over what is durable, and callers are answered.
        match self.commit(&changes) {
            Ok(committed) => {
                metrics::counter!("worldbus_dead_letters_total").increment(dead_count as u64);
                let batches = finished.stored.len();
                self.committed(finished);
                // Publishers first: their answers must not wait behind all who read.
                self.answer(answers);
                if batches > 0 {
                    self.shared.wake();
                }
                self.fold.push(committed, changes);
            }
            Err(error) => {
                dirty.iter().for_each(|live| live.set_dirty());
                answers.into_iter().for_each(|answer| answer.fail(&error));
            }
        }
        deletions
    }

    /// Commits, and keeps the health of the log. The caller hands it over to the fold, once what
    /// readers see is up to date.
    fn commit(&mut self, changes: &Changes) -> Result<Committed, Error> {
        // One write, one sync.
        let begun = Instant::now();
        let checked = self.shared.progress.check();
        let result = checked.and_then(|()| self.journal.append(changes));
        metrics::histogram!("worldbus_log_commit_seconds").record(begun.elapsed().as_secs_f64());
        match result {
            Ok(committed) => {
                self.shared.progress.committed(committed.number);
                let bytes = changes.group.as_ref().map_or(0, |group| group.data.len());
                metrics::counter!("worldbus_log_commits_total").increment(1);
                metrics::histogram!("worldbus_log_commit_bytes").record(bytes as f64);
                Ok(committed)
            }
            Err(failure) => Err(self.fail(&failure)),
        }
    }

    /// Keeps the health: full until there is space, failed for ever.
    fn fail(&self, failure: &Failure) -> Error {
        let error = failure.clone().to_error(self.shared.dir(), Fate::Unknown);
        match failure {
            Failure::Full(_) => {
                let new = self.shared.health.send_if_modified(|health| {
                    let new = !matches!(health, Health::Full(_));
                    *health = Health::Full(error.clone());
                    new
                });
                if new {
                    tracing::warn!(%error, "the log takes nothing until there is space");
                }
            }
            Failure::Busy(_) => tracing::warn!(%error, "a commit could not begin"),
            _ => {
                tracing::error!(%error, "the log failed; nothing is acknowledged any more");
                self.shared.health.send_replace(Health::Failed(error.clone()));
                self.shared.wake();
            }
        }
        error
    }

    /// Takes over what was committed.
    fn committed(&mut self, finished: crate::write::plan::Finished) {
        let batches = finished.stored.len();
        if batches > 0 {
            metrics::histogram!("worldbus_log_commit_events").record(finished.events as f64);
            metrics::counter!("worldbus_log_events_total").increment(finished.events);
            tracing::debug!(batches, events = finished.events, "group committed");
        }
        self.ledger.apply(&finished);
        self.shared.dead_letters.store(self.ledger.dead_count(), Ordering::Relaxed);
        {
            let mut tail = self.shared.tail();
            for (number, head) in finished.heads {
                tail.set_head(number, head);
            }
            tail.set_next_group(finished.tally.next_group);
            finished.stored.into_iter().for_each(|stored| tail.append(stored));
        }
    }

    fn answer(&self, answers: Vec<Answer>) {
        for answer in answers {
            // A caller that went away needs no answer.
            match answer {
                Answer::Publish(reply, appended) => drop(reply.send(Ok(appended))),
                Answer::Subscribe(reply, binding) => {
                    drop(reply.send(Ok(binding.apply(&self.shared))));
                }
                Answer::DeadLetter(reply) => drop(reply.send(Ok(()))),
                Answer::TakeOut(reply, taken_out) => {
                    drop(reply.send(Ok(taken_out.apply(&self.shared))));
                }
            }
        }
    }

    fn maintain(&mut self) {
        if self.maintained.elapsed() >= IDLE_MAX {
            self.maintained = Instant::now();
            self.tend();
            cursors::report_lag(&self.shared);
            metrics::gauge!("worldbus_log_fold_lag_records").set(self.shared.progress.lag() as f64);
            self.retain();
        } else if self.retention.is_unfinished() {
            self.remove_batches(&cursors::floors(&self.shared));
            self.remove_segments();
        }
    }

    /// Commits small records alone.
    fn commit_records(
        &mut self,
        records: Vec<(RecordKind, u64, bytes::Bytes)>,
    ) -> Result<(), Error> {
        let changes = Changes { records, ..Changes::default() };
        let committed = self.commit(&changes)?;
        self.fold.push(committed, changes);
        Ok(())
    }

    /// Looks after the next segment and the fold: what failed there is known before it is needed,
    /// and a log that was full goes on when there is space, since no publish may come to try.
    fn tend(&mut self) {
        if self.shared.failed().is_some() {
            return;
        }
        let tended = self.journal.tend();
        let tended = tended.and_then(|ready| self.shared.progress.check().map(|()| ready));
        let is_full = matches!(*self.shared.health.borrow(), Health::Full(_));
        match tended {
            Ok(true) if is_full => {
                tracing::info!("there is space again; the log goes on");
                self.shared.health.send_replace(Health::Writable);
            }
            Ok(_) => {}
            // It is reported once something needs the space.
            Err(Failure::Full(why)) => tracing::debug!(why, "no space for the next segment"),
            Err(failure) => drop(self.fail(&failure)),
        }
    }

    /// Writes that the log was closed in order, and how old it is.
    fn write_end(&mut self) {
        self.ledger.tally.closed = true;
        let tally = (RecordKind::Tally, 0, self.ledger.tally.encode().into());
        let age = self.retention.save(&self.shared, &self.shared.idle());
        let _ = self.commit_records(vec![tally, age]);
    }

    /// Writes what is left, and that the log was closed in order.
    fn end(mut self) {
        if self.shared.failed().is_none() {
            cursors::set_running_dirty(&self.shared);
            self.round(Vec::new(), true);
            self.write_end();
        }
        self.shared.wake();
        self.shared.reads.close();
        let Self { connection, journal, fold, lock, .. } = self;
        drop((connection, journal));
        fold.end();
        drop(lock);
    }
}

/// No caller waits for a writer that is gone: a panic is a failure of the log as any other.
struct PanicGuard(Arc<Shared>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the writer of the log ended by a panic; start again";
            let error = Error::unknown(worldbus_bus::Kind::Unavailable, why);
            self.0.health.send_replace(Health::Failed(error));
            self.0.queue.abandon();
            self.0.wake();
        }
    }
}

impl Answer {
    fn fail(self, error: &Error) {
        match self {
            Self::Publish(reply, _) => drop(reply.send(Err(error.clone()))),
            Self::Subscribe(reply, _) => drop(reply.send(Err(error.clone()))),
            Self::DeadLetter(reply) => drop(reply.send(Err(error.clone()))),
            Self::TakeOut(reply, _) => drop(reply.send(Err(error.clone()))),
        }
    }
}

fn refuse(request: Request, error: &Error) {
    match request {
        Request::Publish { reply, .. } => drop(reply.send(Err(error.clone()))),
        Request::Subscribe { reply, .. } => drop(reply.send(Err(error.clone()))),
        Request::DeadLetter { reply, .. } => drop(reply.send(Err(error.clone()))),
        Request::TakeOut(_, reply) => drop(reply.send(Err(error.clone()))),
        Request::Delete(_, reply) => drop(reply.send(Err(error.clone()))),
        #[cfg(test)]
        Request::Panic => {}
    }
}

#[cfg(test)]
mod tests;

//! The fold: what follows from the journal, in SQLite, so that it is found by topic and offset, and
//! read by people. One thread applies what was committed, many commits in one transaction: rows
//! that change with each commit, as heads and tallies, are written once a transaction.
//!
//! It is behind the journal, by so much as is named here, and never ahead (see the head of
//! `journal`). Who needs what was just acknowledged waits for it: [`Progress::catch_up`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::format::codec::Kind;
use crate::format::group;
use crate::format::record::{Folded, Head};
use crate::journal::append::Appended;
use crate::journal::{Changes, Place};
use crate::store::failure::space::SPACE_BYTES_MIN;
use crate::store::failure::{Failure, closed};
use crate::store::path::with_suffix;
use crate::store::query::Entry;

/// How long what was committed waits for more, unless it is waited for.
const DELAY: Duration = Duration::from_millis(50);
/// Bytes of changes that do not wait for more.
const EAGER_BYTES: usize = 4 << 20;
/// Bytes of changes that wait at the most; beyond them the writer waits.
const PENDING_BYTES_MAX: usize = 32 << 20;
/// What a row costs besides its bytes, about.
const ROW_BYTES: usize = 96;
/// Bytes of the write-ahead log from which on its pages are moved into the database.
const CHECKPOINT_BYTES: u64 = 4 << 20;
/// And from which on readers are waited for, so that it begins again.
const TRUNCATE_BYTES: u64 = 32 << 20;
/// How long what found no space waits for it.
const RETRY: Duration = Duration::from_secs(1);

/// Changes of many commits that were not applied yet: of each row the last.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    entries: Vec<Entry>,
    /// `None`: it goes.
    records: BTreeMap<(Kind, u64), Option<Bytes>>,
    /// Segment, key and value by number.
    dead: BTreeMap<u64, (u64, Bytes, Bytes)>,
    dead_first: Option<u64>,
    last: Option<Appended>,
    bytes: usize,
}

impl Pending {
    /// Adds what a commit changed.
    pub(crate) fn add(&mut self, appended: Appended, changes: Changes) -> Result<(), Failure> {
        let place = appended.place;
        for group in changes.group.iter().chain(&changes.moved) {
            self.add_entries(group.id, &group.head, place)?;
        }
        for (kind, id, value) in changes.records {
            self.bytes += ROW_BYTES + value.len();
            self.records.insert((kind, id), Some(value));
        }
        for key in changes.records_removed {
            self.records.insert(key, None);
        }
        for (number, key, value) in changes.dead {
            self.bytes += ROW_BYTES + key.len() + value.len();
            self.dead.insert(number, (place.segment, key, value));
        }
        self.dead_first = changes.dead_first.or(self.dead_first);
        self.last = Some(appended);
        Ok(())
    }

    fn add_entries(&mut self, group: u64, head: &[u8], place: Place) -> Result<(), Failure> {
        let head = group::Head::decode(group, head).ok_or_else(|| {
            Failure::Damaged(format!("the head of commit group {group} is wrong"))
        })?;
        let appended_ms = head.appended_ms;
        self.bytes += head.sections.len() * ROW_BYTES;
        let sections = head.sections.into_iter();
        self.entries.extend(sections.map(|section| Entry { section, appended_ms, group, place }));
        Ok(())
    }

    /// Whether it is enough for a transaction of its own.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes >= EAGER_BYTES
    }

    /// Applies all of it or nothing, and how far that is.
    pub(crate) fn apply(&self, connection: &mut Connection, journal: u64) -> Result<(), Failure> {
        let Some(Appended { number, crc, place }) = self.last else { return Ok(()) };
        let folded = Folded { journal, number, crc, place };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // On an error the transaction is rolled back as it is dropped.
        self.write(&transaction)?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO record (kind, id, value) VALUES (?1, 0, ?2)")?
            .execute(params![Kind::Folded as u8, folded.encode()])?;
        transaction.commit()?;
        Ok(())
    }

    fn write(&self, connection: &Connection) -> Result<(), Failure> {
        for entry in &self.entries {
            entry.insert(connection)?;
        }
        for (&(kind, id), value) in &self.records {
            match value {
                Some(value) => write_record(connection, kind, id, value)?,
                None => {
                    connection
                        .prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?
                        .execute(params![kind as u8, id.cast_signed()])?;
                }
            }
        }
        for (number, (segment, key, value)) in &self.dead {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO dead_letter (number, segment, key, value)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    number.cast_signed(),
                    segment.cast_signed(),
                    &key[..],
                    &value[..]
                ])?;
        }
        if let Some(first) = self.dead_first {
            connection
                .prepare_cached("DELETE FROM dead_letter WHERE number < ?1")?
                .execute([first.cast_signed()])?;
        }
        Ok(())
    }
}

/// Writes a small record; the index of a topic ends where its head begins.
fn write_record(connection: &Connection, kind: Kind, id: u64, value: &[u8]) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO record (kind, id, value) VALUES (?1, ?2, ?3)")?
        .execute(params![kind as u8, id.cast_signed(), value])?;
    if kind == Kind::Topic {
        let number = u32::try_from(id).unwrap_or(u32::MAX);
        let head = Head::decode(number, value)
            .ok_or_else(|| Failure::Damaged(format!("the head of topic {id} is wrong")))?;
        connection
            .prepare_cached("DELETE FROM entry WHERE topic = ?1 AND first_offset < ?2")?
            .execute(params![number, head.first_offset.cast_signed()])?;
    }
    Ok(())
}

/// How far the fold is, for those who wait for it.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pending: Pending,
    /// When the oldest of it came.
    since: Option<Instant>,
    /// The record that was committed last, and the one that was applied last.
    committed: u64,
    applied: u64,
    /// The segment of that one.
    applied_segment: u64,
    /// The record that is waited for.
    wanted: u64,
    is_closed: bool,
    /// It cannot go on, now: there is no space, or another program has it locked.
    stalled: Option<Failure>,
    /// It ended: by a failure, or because the log was closed.
    ended: Option<Failure>,
}

impl Progress {
    /// Of a fold that has all there is.
    pub(crate) fn new(last: u64, segment: u64) -> Arc<Self> {
        let state = State {
            pending: Pending::default(),
            since: None,
            committed: last,
            applied: last,
            applied_segment: segment,
            wanted: 0,
            is_closed: false,
            stalled: None,
            ended: None,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a record is durable, before anything of it is seen.
    pub(crate) fn committed(&self, number: u64) {
        self.lock().committed = number;
    }

    /// Blocks until all that was committed before this call is in the fold.
    ///
    /// # Errors
    /// `Full` or `Busy` while it cannot go on; those of a fold that ended.
    pub(crate) fn catch_up(&self) -> Result<(), Failure> {
        let mut state = self.lock();
        let wanted = state.committed;
        state.wanted = state.wanted.max(wanted);
        self.changed.notify_all();
        while state.applied < wanted {
            if let Some(failure) = state.ended.as_ref().or(state.stalled.as_ref()) {
                return Err(failure.clone());
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The segment of the record that was applied last.
    pub(crate) fn segment(&self) -> u64 {
        self.lock().applied_segment
    }

    /// Records that are not applied yet.
    pub(crate) fn lag(&self) -> u64 {
        let state = self.lock();
        state.committed.saturating_sub(state.applied)
    }

    /// Why nothing more can be committed, if so: there is no space, too much waits for another
    /// program, or it ended.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let state = self.lock();
        match (&state.ended, &state.stalled) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Some(Failure::Busy(_))) if state.pending.bytes < PENDING_BYTES_MAX => Ok(()),
            (None, Some(failure)) => Err(failure.clone()),
            (None, None) => Ok(()),
        }
    }
}

/// The writer's side of the fold.
pub(crate) struct Fold {
    pub(crate) progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Fold {
    /// Starts the thread, over a connection that writes.
    pub(crate) fn start(
        connection: Connection,
        file: PathBuf,
        journal: u64,
        progress: Arc<Progress>,
    ) -> std::io::Result<Self> {
        let worker = Worker { connection, file, journal, progress: Arc::clone(&progress) };
        let thread = std::thread::Builder::new().name("worldbus-fold".to_owned());
        let thread = thread.spawn(move || worker.run())?;
        Ok(Self { progress, thread: Some(thread) })
    }

    /// Hands over what was committed and is shown to readers. Waits while too much waits already.
    pub(crate) fn push(&self, appended: Appended, changes: Changes) {
        let progress = &self.progress;
        let mut state = progress.lock();
        let is_behind = |state: &mut State| {
            state.pending.bytes >= PENDING_BYTES_MAX
                && state.ended.is_none()
                && state.stalled.is_none()
        };
        if is_behind(&mut state) {
            let waited = progress.changed.wait_while(state, is_behind);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if let Err(failure) = state.pending.add(appended, changes) {
            state.ended.get_or_insert(failure);
        }
        let is_first = state.since.is_none();
        state.since.get_or_insert_with(Instant::now);
        if is_first || state.pending.is_large() {
            progress.changed.notify_all();
        }
    }

    /// Applies what is left and stops.
    pub(crate) fn end(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.progress.lock().is_closed = true;
        self.progress.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Nothing waits for it any more, however the writer ended.
impl Drop for Fold {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    connection: Connection,
    file: PathBuf,
    journal: u64,
    progress: Arc<Progress>,
}

/// No one waits for a thread that is gone, however it ended.
struct Ending(Arc<Progress>);

impl Drop for Ending {
    fn drop(&mut self) {
        let why = || Failure::Io("the thread of the index ended by a panic".to_owned());
        self.0.lock().ended.get_or_insert_with(why);
        self.0.changed.notify_all();
    }
}

impl Worker {
    fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.progress));
        let failure = loop {
            let Some(pending) = self.next() else { break Failure::Io(closed().to_string()) };
            if let Err(failure) = self.apply(&pending) {
                break failure;
            }
        };
        self.progress.lock().ended.get_or_insert(failure);
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the index did not close in order");
        }
    }

    /// What is to be applied next; `None` if nothing is left and nothing will come.
    fn next(&self) -> Option<Pending> {
        let mut state = self.progress.lock();
        loop {
            let since = match state.since {
                None if state.is_closed => return None,
                since => since,
            };
            let is_due =
                state.is_closed || state.wanted > state.applied || state.pending.is_large();
            let left = match since {
                Some(since) => DELAY.saturating_sub(since.elapsed()),
                None => Duration::MAX,
            };
            if since.is_some() && (is_due || left.is_zero()) {
                state.since = None;
                return Some(std::mem::take(&mut state.pending));
            }
            let changed = &self.progress.changed;
            state = match since {
                Some(_) => {
                    changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Applies it, however long it has to wait for that.
    fn apply(&mut self, pending: &Pending) -> Result<(), Failure> {
        loop {
            let applied = pending.apply(&mut self.connection, self.journal);
            let failure =
                match applied.map_err(|failure| failure.sorted(&self.file, SPACE_BYTES_MIN)) {
                    Ok(()) => break,
                    Err(failure @ (Failure::Full(_) | Failure::Busy(_))) => failure,
                    Err(failure) => return Err(failure),
                };
            let mut state = self.progress.lock();
            if state.is_closed {
                return Err(failure);
            }
            if state.stalled.is_none() {
                tracing::warn!(?failure, "the index of the log has to wait");
            }
            state.stalled = Some(failure);
            self.progress.changed.notify_all();
            drop(self.progress.changed.wait_timeout(state, RETRY));
        }
        let mut state = self.progress.lock();
        state.stalled = None;
        if let Some(Appended { number, place, .. }) = pending.last {
            (state.applied, state.applied_segment) = (number, place.segment);
        }
        drop(state);
        self.progress.changed.notify_all();
        self.checkpoint();
        Ok(())
    }

    /// Moves what the write-ahead log holds into the database, if it is long.
    fn checkpoint(&self) {
        let wal = with_suffix(&self.file, "-wal");
        let bytes = std::fs::metadata(wal).map_or(0, |metadata| metadata.len());
        match bytes {
            TRUNCATE_BYTES.. => checkpoint(&self.connection, "TRUNCATE"),
            CHECKPOINT_BYTES.. => checkpoint(&self.connection, "PASSIVE"),
            _ => true,
        };
    }
}

/// Moves committed pages from the write-ahead log into the database; whether it came to its end.
pub(crate) fn checkpoint(connection: &Connection, mode: &str) -> bool {
    let statement = format!("PRAGMA wal_checkpoint({mode})");
    match connection.query_row(&statement, [], |row| row.get::<_, bool>(0)) {
        Ok(busy) => !busy,
        Err(error) => {
            // Nothing is lost: it stands in the write-ahead log, and in the journal.
            tracing::warn!(%error, mode, "checkpoint failed; it is tried again");
            false
        }
    }
}

//! Reading from the disk: a few connections to the fold that only read, and the records of the
//! journal that they lead to, on threads that may block.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::format::group::{self, Head, records};
use crate::journal::Changes;
use crate::journal::read::RecordReader;
use crate::read::tail::Stored;
use crate::store;
use crate::store::database::connect_reader;
use crate::store::failure::{Failure, closed};
use crate::store::fold::Progress;
use worldbus_bus::{Error, Fate, Kind};
use worldbus_events::Batch;

/// Connections, and so reads at once.
const CONNECTIONS: usize = 2;
/// Commit groups that are kept in memory after they were read: their bytes, and their number.
const GROUP_BYTES_MAX: usize = 16 << 20;
const GROUP_COUNT_MAX: usize = 16;

/// The connections.
pub(crate) struct Reads {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    pub(crate) records: Arc<RecordReader>,
    pub(crate) progress: Arc<Progress>,
    /// Read lately, oldest first, for readers that take a group in slices, and many the same.
    groups: Mutex<VecDeque<Arc<Group>>>,
    /// How often something was fetched.
    #[cfg(test)]
    pub(crate) fetches: std::sync::atomic::AtomicUsize,
}

/// A batch of a commit group in memory.
#[derive(Debug)]
struct Record {
    topic: u32,
    offset: u64,
    bytes: Bytes,
}

/// A commit group in memory, verified.
#[derive(Debug)]
struct Group {
    id: u64,
    head: Head,
    bytes: usize,
    /// Its batches, in order; slices of the whole. With which each was in its commit.
    batches: Vec<(u32, Record)>,
}

impl Group {
    /// `None` if its segment was removed.
    fn read(journal: &RecordReader, entry: &store::Entry) -> Result<Option<Self>, Failure> {
        let id = entry.group;
        let Some(body) = journal.read(entry.place)? else { return Ok(None) };
        let group = Changes::decode(&body).and_then(|changes| {
            changes.group.into_iter().chain(changes.moved).find(|group| group.id == id)
        });
        let group = group.ok_or_else(|| {
            Failure::Damaged(format!("commit group {id} is not where the index has it"))
        })?;
        let head = store::group_head(id, &group.head)?;
        let found = records(id, &head, &group.data).map_err(Failure::Damaged)?;
        let batch = |(place, found): (usize, &group::Record<'_>)| {
            let bytes = group.data.slice_ref(found.bytes);
            (group.index(place), Record { topic: found.topic, offset: found.offset, bytes })
        };
        let batches = found.iter().enumerate().map(batch).collect();
        Ok(Some(Self { id, head, bytes: group.data.len(), batches }))
    }
}

impl Reads {
    pub(crate) fn open(
        file: PathBuf,
        records: Arc<RecordReader>,
        progress: Arc<Progress>,
    ) -> Result<Self, Failure> {
        let connections =
            (0..CONNECTIONS).map(|_| connect_reader(&file)).collect::<Result<_, _>>()?;
        Ok(Self {
            file,
            idle: Mutex::new(connections),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            records,
            progress,
            groups: Mutex::default(),
            #[cfg(test)]
            fetches: Default::default(),
        })
    }

    /// Runs `work` on the fold with all that was committed before, as [`Reads::run`].
    pub(crate) async fn run_up_to_date<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.run(true, work).await
    }

    /// Runs `work` on one state of the fold, on a thread that may block. Cancel-safe: the
    /// permit goes with the connection, so that a caller that left early does not let in one
    /// more than there are connections.
    async fn run<T, F>(self: &Arc<Self>, is_up_to_date: bool, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        // Wait for a connection.
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| closed())?;

        // Read in one transaction, so that all of it is of one commit.
        let this = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let connection = this.take().ok_or_else(closed)?;
            let caught_up = if is_up_to_date { this.progress.catch_up() } else { Ok(()) };
            let result = caught_up
                .and_then(|()| connection.unchecked_transaction().map_err(Failure::from))
                .and_then(|transaction| work(&transaction));
            this.put_back(connection);
            drop(permit);
            result.map_err(|failure| failure.to_error(&this.file, Fate::Retry))
        });
        done.await.unwrap_or_else(|_| {
            Err(Error::retry(Kind::Unavailable, "reading the log was interrupted; try again"))
        })
    }

    /// Reads the earliest commit groups that hold wanted offsets, one after the other, and of them
    /// what fits into `bytes_max`, at least one batch. `wanted` is not empty; for each topic it
    /// holds where to go on.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        wanted: BTreeMap<u32, u64>,
        bytes_max: usize,
    ) -> Result<Fetched, Error> {
        #[cfg(test)]
        self.fetches.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let fetched = self.fetch_from(false, wanted.clone(), bytes_max).await?;
        match fetched {
            // It may be that the fold does not have it yet.
            Fetched::Nothing { .. } => self.fetch_from(true, wanted, bytes_max).await,
            fetched => Ok(fetched),
        }
    }

    async fn fetch_from(
        self: &Arc<Self>,
        is_up_to_date: bool,
        wanted: BTreeMap<u32, u64>,
        bytes_max: usize,
    ) -> Result<Fetched, Error> {
        let this = Arc::clone(self);
        let work = move |connection: &Connection| {
            let mut ahead = match Ahead::find(connection, wanted)? {
                Ok(ahead) => ahead,
                Err(nothing) => return Ok(nothing),
            };
            let (mut stored, mut bytes_left) = (Vec::new(), bytes_max);
            while bytes_left > 0
                && let Some(entry) = ahead.earliest()
            {
                match this.take_of(connection, &entry, &mut ahead, &mut bytes_left) {
                    Ok(batches) if !batches.is_empty() => stored.extend(batches),
                    // What is before it comes first; it is found again by who goes on from there.
                    _ if !stored.is_empty() => break,
                    Ok(_) => return Ok(ahead.missing(entry.section.topic)),
                    Err(failure) => return Err(failure),
                }
            }
            Ok(Fetched::Batches(stored))
        };
        self.run(is_up_to_date, work).await
    }

    /// Takes what is wanted of a group, which must be what the index holds of it; nothing if its
    /// segment was removed.
    fn take_of(
        &self,
        connection: &Connection,
        entry: &store::Entry,
        ahead: &mut Ahead,
        bytes_left: &mut usize,
    ) -> Result<Vec<Stored>, Failure> {
        let Some(group) = self.group(entry)? else { return Ok(Vec::new()) };
        let head = &group.head;
        if !head.sections.contains(&entry.section) || head.appended_ms != entry.appended_ms {
            let what = format!("commit group {} does not match the index", group.id);
            return Err(Failure::Damaged(what));
        }
        let batches = slice(&group, &ahead.wanted, bytes_left)?;
        ahead.pass(connection, group.id, &batches)?;
        Ok(batches)
    }

    /// A group, from memory if it was read lately; `None` if its segment was removed.
    fn group(&self, entry: &store::Entry) -> Result<Option<Arc<Group>>, Failure> {
        let lock = || self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().iter().find(|group| group.id == entry.group) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(group) = Group::read(&self.records, entry)?.map(Arc::new) else { return Ok(None) };
        let mut groups = lock();
        groups.push_back(Arc::clone(&group));
        let mut bytes: usize = groups.iter().map(|group| group.bytes).sum();
        while bytes > GROUP_BYTES_MAX || groups.len() > GROUP_COUNT_MAX {
            let Some(oldest) = groups.pop_front() else { break };
            bytes -= oldest.bytes;
        }
        Ok(Some(group))
    }

    /// Closes the connections that are idle; the others close when their read ends.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, connection: Connection) {
        if !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// What a fetch brought.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// Batches of the wanted topics from their offsets on, in the order of their append.
    Batches(Vec<Stored>),
    /// Nothing covers this topic's offset: it was removed, or is damage.
    Nothing { topic: u32, offset: u64 },
}

/// Where each wanted topic goes on.
struct Ahead {
    wanted: BTreeMap<u32, u64>,
    /// The entries that hold these offsets, by commit group and topic.
    entries: BTreeMap<(u64, u32), store::Entry>,
}

impl Ahead {
    /// Looks all of them up, or finds that one is missing.
    fn find(
        connection: &Connection,
        wanted: BTreeMap<u32, u64>,
    ) -> Result<Result<Self, Fetched>, Failure> {
        let mut entries = BTreeMap::new();
        for (&topic, &offset) in &wanted {
            let Some(entry) = store::entry_at(connection, topic, offset)? else {
                return Ok(Err(Fetched::Nothing { topic, offset }));
            };
            entries.insert((entry.group, topic), entry);
        }
        Ok(Ok(Self { wanted, entries }))
    }

    /// That a topic cannot go on.
    fn missing(&self, topic: u32) -> Fetched {
        let offset = self.wanted.get(&topic).copied().unwrap_or_default();
        Fetched::Nothing { topic, offset }
    }

    /// The entry of the earliest commit group.
    fn earliest(&self) -> Option<store::Entry> {
        self.entries.first_key_value().map(|(_, entry)| *entry)
    }

    /// Goes behind batches of a group. A topic of which no more is found is left out.
    fn pass(
        &mut self,
        connection: &Connection,
        group: u64,
        batches: &[Stored],
    ) -> Result<(), Failure> {
        for stored in batches {
            self.wanted.insert(stored.topic, stored.offset + 1);
        }
        let of_group = self.entries.range((group, 0)..=(group, u32::MAX));
        let of_group: Vec<_> = of_group.map(|(_, entry)| entry.section).collect();
        for section in of_group {
            let topic = section.topic;
            let next = self.wanted.get(&topic).copied().unwrap_or_default();
            if next < section.end() {
                continue;
            }
            self.entries.remove(&(group, topic));
            match store::entry_at(connection, topic, next)? {
                Some(entry) => {
                    self.entries.insert((entry.group, topic), entry);
                }
                None => {
                    self.wanted.remove(&topic);
                }
            }
        }
        Ok(())
    }
}

/// The wanted batches of a group, in order, until none of the bytes are left.
fn slice(
    group: &Group,
    wanted: &BTreeMap<u32, u64>,
    bytes_left: &mut usize,
) -> Result<Vec<Stored>, Failure> {
    let mut stored = Vec::new();
    for (index, Record { topic, offset, bytes }) in &group.batches {
        let (topic, offset) = (*topic, *offset);
        if wanted.get(&topic).is_none_or(|&next| offset < next) {
            continue;
        }
        if *bytes_left == 0 {
            break;
        }
        // Copied, so that one batch does not keep its whole group in memory.
        let batch = Batch::decode(Bytes::copy_from_slice(bytes)).map_err(|error| {
            Failure::Damaged(format!("batch {offset} of topic {topic} is {error}"))
        })?;
        *bytes_left = bytes_left.saturating_sub(batch.memory_bytes());
        let (appended_ms, serial) = (group.head.appended_ms, (group.id, *index));
        stored.push(Stored { topic, offset, appended_ms, serial, batch });
    }
    check_contiguous(wanted, &stored)?;
    Ok(stored)
}

/// A group may hold a wanted topic only beyond the wanted offset, if another topic's group
/// comes first; then a batch in between would be left out.
fn check_contiguous(wanted: &BTreeMap<u32, u64>, stored: &[Stored]) -> Result<(), Failure> {
    let mut next = wanted.clone();
    for stored in stored {
        match next.get_mut(&stored.topic) {
            Some(offset) if *offset == stored.offset => *offset += 1,
            _ => {
                let Stored { topic, offset, .. } = stored;
                let what = format!("batch {offset} of topic {topic} does not match the index");
                return Err(Failure::Damaged(what));
            }
        }
    }
    Ok(())
}

/// The first offset of a topic whose entry is at or behind a place that `behind` knows;
/// `range.end` if no entry is. Append times and commits rise with offsets, so halving finds it.
pub(crate) fn first_offset(
    connection: &Connection,
    topic: u32,
    range: std::ops::Range<u64>,
    behind: impl Fn(&store::Entry) -> bool,
) -> Result<u64, Failure> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match store::entry_at(connection, topic, middle)? {
            Some(entry) if behind(&entry) => high = entry.section.first_offset.max(low),
            Some(entry) => low = entry.section.end().min(high),
            // Removed meanwhile: what is kept is behind it.
            None => low = middle + 1,
        }
    }
    Ok(low)
}

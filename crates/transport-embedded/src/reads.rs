//! Reading from the disk: a few connections that only read, on threads that may block.

use crate::failure::Failure;
use crate::group::records;
use crate::store;
use crate::tail::Stored;
use bytes::Bytes;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use worldbus_bus::{Error, Fate, Kind};
use worldbus_events::Batch;

/// Connections, and so reads at once.
const CONNECTIONS: usize = 2;

/// The connections.
pub(crate) struct Reads {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Reads {
    pub(crate) fn open(file: PathBuf) -> Result<Self, Failure> {
        let connections =
            (0..CONNECTIONS).map(|_| store::connect_reader(&file)).collect::<Result<_, _>>()?;
        Ok(Self {
            file,
            idle: Mutex::new(connections),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Runs `work` on one state of the log, on a thread that may block. Cancel-safe: the
    /// permit goes with the connection, so that a caller that left early does not let in one
    /// more than there are connections.
    pub(crate) async fn run<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| crate::queue::closed())?;
        let this = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let connection = this.take().ok_or_else(crate::queue::closed)?;
            let result = connection
                .unchecked_transaction()
                .map_err(Failure::from)
                .and_then(|transaction| work(&transaction));
            this.put_back(connection);
            drop(permit);
            result.map_err(|failure| failure.told(&this.file, Fate::Retry))
        });
        done.await.unwrap_or_else(|_| {
            Err(Error::retry(Kind::Unavailable, "reading the log was interrupted; try again"))
        })
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

/// What a read of one commit group brought.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// Batches of the wanted topics from their offsets on, in the order of their append.
    Batches(Vec<Stored>),
    /// Nothing covers this topic's offset: it was removed, or is damage.
    Nothing { topic: u32, offset: u64 },
}

/// Reads the earliest commit group that holds a wanted offset. `wanted` is not empty; for each
/// topic it says where to go on.
pub(crate) fn fetch(
    connection: &Connection,
    wanted: &BTreeMap<u32, u64>,
) -> Result<Fetched, Failure> {
    let mut earliest: Option<store::Entry> = None;
    for (&topic, &offset) in wanted {
        match store::entry_at(connection, topic, offset)? {
            Some(entry) if earliest.is_none_or(|known| entry.group < known.group) => {
                earliest = Some(entry);
            }
            Some(_) => {}
            None => return Ok(Fetched::Nothing { topic, offset }),
        }
    }
    let Some(entry) = earliest else { return Ok(Fetched::Batches(Vec::new())) };
    let (head, data) = store::group(connection, entry.group)?;
    if !head.sections.contains(&entry.section) || head.appended_ms != entry.appended_ms {
        let group = entry.group;
        let what = format!("commit group {group} is not what the index says");
        return Err(Failure::Damaged(what));
    }
    let mut stored = Vec::new();
    for (index, record) in
        records(entry.group, &head, &data).map_err(Failure::Damaged)?.into_iter().enumerate()
    {
        if wanted.get(&record.topic).is_some_and(|&offset| record.offset >= offset) {
            // Copied, so that one batch does not keep its whole group in memory.
            let batch = Batch::decode(Bytes::copy_from_slice(record.bytes)).map_err(|error| {
                let (offset, topic) = (record.offset, record.topic);
                Failure::Damaged(format!("batch {offset} of topic {topic} is {error}"))
            })?;
            stored.push(Stored {
                topic: record.topic,
                offset: record.offset,
                appended_ms: head.appended_ms,
                serial: (entry.group, index as u32),
                batch,
            });
        }
    }
    check_contiguous(wanted, &stored)?;
    Ok(Fetched::Batches(stored))
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
                let what = format!("batch {offset} of topic {topic} is not where the index says");
                return Err(Failure::Damaged(what));
            }
        }
    }
    Ok(())
}

/// The first offset of a topic that was appended at or after a time; `range.end` if none was.
/// Append times rise with offsets, so halving finds it.
pub(crate) fn offset_at(
    connection: &Connection,
    topic: u32,
    range: std::ops::Range<u64>,
    time_ms: i64,
) -> Result<u64, Failure> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match store::entry_at(connection, topic, middle)? {
            Some(entry) if entry.appended_ms >= time_ms => {
                high = entry.section.first_offset.max(low)
            }
            Some(entry) => low = entry.section.end().min(high),
            // Removed meanwhile: what is kept is behind it.
            None => low = middle + 1,
        }
    }
    Ok(low)
}

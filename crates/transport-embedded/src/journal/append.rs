//! The end of the journal: where records are written.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::journal::changes::{Changes, Records};
use crate::journal::disk::{Disk, DiskFile};
use crate::journal::layout::{HEAD_BYTES, HEADER_BYTES, Header, Place, frame};
use crate::journal::prepare::{Preparer, Spare};
use crate::journal::scan::End;
use crate::journal::segments::{self, Segment, Segments, name};
use crate::store::failure::Failure;

/// Bytes of the smallest segment. Each is half as large as all before it together, up to the
/// largest: what is made ahead is little on a small disk.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;
/// Bytes that batches leave to what makes room: heads without removed batches, cursors, and the
/// end of the log.
const RESERVE_BYTES: u64 = 64 << 10;

/// Memory for frames that is kept while no large commits come.
const BUFFER_BYTES: usize = 1 << 20;

/// How the journal is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Bytes of a segment at the most, unless a record is larger.
    pub(crate) segment_bytes_max: u64,
    /// Whether segments are made ahead by a thread; tests have all of it in one order.
    pub(crate) with_thread: bool,
}

/// The end of the journal.
#[derive(Debug)]
pub(crate) struct Journal {
    number: u64,
    settings: Settings,
    /// All but the spare, oldest first; the last one is written.
    segments: VecDeque<Segment>,
    file: Arc<dyn DiskFile>,
    end: End,
    /// All small records, which the next segment begins with.
    records: Records,
    preparer: Preparer,
    /// Memory for a frame, used again.
    buffer: Vec<u8>,
    /// Once it is set, nothing is written any more.
    failed: Option<Failure>,
}

/// A record that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) number: u64,
    pub(crate) crc: u32,
    pub(crate) place: Place,
}

/// A number that no other journal has.
pub(crate) fn random_number() -> Result<u64, Failure> {
    getrandom::u64().map_err(|error| Failure::Io(format!("no random number: {error}")))
}

/// Makes the first segment of a new journal.
///
/// # Errors
/// Of the disk. Whatever it leaves, the next try goes on from there.
pub(crate) fn create(disk: &dyn Disk, number: u64, settings: Settings) -> Result<(), Failure> {
    let bytes = SEGMENT_BYTES_MIN.min(settings.segment_bytes_max);
    let header = Header { journal: number, segment: 1, bytes };
    segments::make(disk, header, &false.into()).map(drop)
}

impl Journal {
    /// Goes on at the end that a scan found, with the small records as of then.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        segments: &Segments,
        end: End,
        records: Records,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let open = |number| {
            let name = name(number);
            disk.open(&name).map_err(|error| Failure::from(error).within(&name))
        };
        let file = open(end.segment)?;
        let is_spare = |segment: &&Segment| segment.number > end.segment;
        let spare = match segments.all.iter().find(is_spare) {
            Some(&segment) => Some(Spare { segment, file: open(segment.number)? }),
            None => None,
        };
        let preparer = Preparer::start(disk, spare, settings.with_thread)?;
        let written = segments.all.iter().filter(|segment| segment.number <= end.segment);
        let segments_written = written.copied().collect();
        let number = segments.journal;
        let (segments, buffer, failed) = (segments_written, Vec::new(), None);
        let mut this =
            Self { number, settings, segments, file, end, records, preparer, buffer, failed };
        this.prepare();
        Ok(this)
    }

    /// Bytes of all segments that records are in.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> u64 {
        self.end.number - 1
    }

    /// Writes a record: one write, one sync. When it returns `Ok` it is durable.
    ///
    /// # Errors
    /// `Full` if it needs a segment for which there is no space: nothing was written. Anything else
    /// is final, and every later call fails as this one.
    pub(crate) fn append(&mut self, changes: &Changes) -> Result<Appended, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let written = self.write(changes);
        if let Err(failure) = &written
            && !matches!(failure, Failure::Full(_))
        {
            self.failed = Some(failure.clone());
        }
        written
    }

    fn write(&mut self, changes: &Changes) -> Result<Appended, Failure> {
        // The frame, and in the next segment if it does not fit into this one.
        let mut crc = self.encode(changes, self.end.position == HEADER_BYTES)?;
        let segment_bytes = self.segments.back().map_or(0, |segment| segment.bytes);
        let fits =
            self.end.position + self.buffer.len() as u64 + self.reserve(changes)? <= segment_bytes;
        if !fits {
            crc = self.encode(changes, true)?;
            self.roll()?;
        }

        // One write, one sync; both are final if they fail.
        let end = self.end;
        let name = || name(end.segment);
        let written = self.file.write_at(&self.buffer, end.position);
        written.map_err(|error| Failure::Io(format!("{}: write: {error}", name())))?;
        let synced = self.file.sync();
        synced.map_err(|error| Failure::Io(format!("{}: sync: {error}", name())))?;

        // It is durable: the next one goes behind it.
        let bytes = self.buffer.len() as u32;
        let place = Place { segment: end.segment, position: end.position, bytes };
        let position = end.position + u64::from(bytes);
        self.end = End { position, number: end.number + 1, chain: crc, ..end };
        self.records.apply(changes);
        if !fits {
            self.prepare();
        }
        Ok(Appended { number: end.number, crc, place })
    }

    /// Bytes that it leaves behind it, unless there is another segment.
    fn reserve(&self, changes: &Changes) -> Result<u64, Failure> {
        match self.preparer.is_ready() {
            Ok(true) => Ok(0),
            Ok(false) | Err(Failure::Full(_)) => {
                let is_large = changes.group.is_some() || !changes.moved.is_empty();
                Ok(if is_large { RESERVE_BYTES } else { 0 })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Puts the frame of the next record into the buffer; its crc.
    fn encode(&mut self, changes: &Changes, is_first: bool) -> Result<u32, Failure> {
        let all = is_first.then(|| {
            let mut all = self.records.clone();
            all.apply(changes);
            all
        });
        self.buffer.clear();
        self.buffer.resize(HEAD_BYTES, 0);
        changes.encode(all.as_ref(), &mut self.buffer);
        let crc = frame(self.number, self.end.number, self.end.chain, &mut self.buffer);
        crc.ok_or_else(|| Failure::Full("a record of more than 4 GiB".to_owned()))
    }

    /// Goes on in the next segment, which has room for what is in the buffer.
    fn roll(&mut self) -> Result<(), Failure> {
        let bytes_min = HEADER_BYTES + self.buffer.len() as u64 + RESERVE_BYTES;
        let next = self.next();
        let bytes = next.bytes.max(bytes_min.next_multiple_of(HEADER_BYTES));
        let spare = self.preparer.take(bytes_min, Header { bytes, ..next })?;
        self.segments.push_back(spare.segment);
        self.file = spare.file;
        self.end.segment = spare.segment.number;
        self.end.position = HEADER_BYTES;
        Ok(())
    }

    /// The segment behind the one that is written.
    fn next(&self) -> Header {
        let max = self.settings.segment_bytes_max;
        let bytes = (self.bytes() / 2).next_multiple_of(HEADER_BYTES);
        let bytes = bytes.clamp(SEGMENT_BYTES_MIN.min(max), max);
        Header { journal: self.number, segment: self.end.segment + 1, bytes }
    }

    /// Has the next segment made, unless it is there.
    fn prepare(&mut self) {
        let next = self.next();
        self.preparer.order(next);
    }

    /// Looks after what was prepared, now and then: tries again what lacked space. Whether the next
    /// segment is there.
    ///
    /// # Errors
    /// `Full` as long as there is no space; anything else is final.
    pub(crate) fn tend(&mut self) -> Result<bool, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES);
        let ready = self.preparer.is_ready();
        match &ready {
            Err(Failure::Full(_)) => self.preparer.retry(),
            Err(failure) => self.failed = Some(failure.clone()),
            Ok(_) => {}
        }
        ready
    }

    /// The oldest segment, if it is not the one that is written.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let oldest = self.segments.front().filter(|_| self.segments.len() > 1)?;
        Some(oldest.number)
    }

    /// Has the oldest segment removed, durably, in a while; whether there is room for that. The
    /// caller knows that nothing of it is needed. If it fails, the next append does.
    pub(crate) fn remove_oldest(&mut self) -> bool {
        let Some(oldest) = self.oldest() else { return false };
        let removed = self.preparer.remove(oldest);
        if removed {
            self.segments.pop_front();
        }
        removed
    }
}

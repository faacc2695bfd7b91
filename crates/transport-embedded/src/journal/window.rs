//! Reading a segment from front to back, a part of it in memory at a time.

use std::sync::Arc;

use crate::journal::disk::{Disk, DiskFile};
use crate::journal::segments::{Segment, name};
use crate::store::failure::Failure;

/// Bytes that are read at once; more for a record that is longer.
const READ_BYTES: usize = 1 << 20;

/// A part of a segment in memory, which moves along.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) segment: Segment,
    file: Arc<dyn DiskFile>,
    begin: u64,
    buffer: Vec<u8>,
}

impl Window {
    /// Syncs it first: what is read is durable (see the head of `journal`).
    pub(crate) fn open(disk: &dyn Disk, segment: Segment) -> Result<Self, Failure> {
        let name = name(segment.number);
        let within = |error| Failure::from(error).within(&name);
        let file = disk.open(&name).map_err(within)?;
        file.sync().map_err(|error| Failure::Io(format!("{name}: sync: {error}")))?;
        Ok(Self { segment, file, begin: 0, buffer: Vec::new() })
    }

    /// So many bytes from a position on; `None` beyond the end of the segment.
    pub(crate) fn get(&mut self, position: u64, bytes: usize) -> Result<Option<&[u8]>, Failure> {
        if position.saturating_add(bytes as u64) > self.segment.bytes {
            return Ok(None);
        }
        let held = self.begin..self.begin + self.buffer.len() as u64;
        if position < held.start || position + bytes as u64 > held.end {
            let left = self.segment.bytes - position;
            self.buffer.resize(bytes.max(READ_BYTES).min(left as usize), 0);
            self.begin = position;
            let read = self.file.read_at(&mut self.buffer, position);
            if let Err(error) = read {
                self.buffer.clear();
                return Err(Failure::from(error).within(&name(self.segment.number)));
            }
        }
        let at = (position - self.begin) as usize;
        Ok(self.buffer.get(at..at + bytes))
    }

    /// The first byte from a position on that is not zero.
    pub(crate) fn first_not_zero(&mut self, position: u64) -> Result<Option<u64>, Failure> {
        self.each_part(position, |at, part| {
            part.iter().position(|&byte| byte != 0).map(|index| at + index as u64)
        })
    }

    /// The last byte that is not zero, or the position if all are.
    pub(crate) fn last_not_zero(&mut self, position: u64) -> Result<u64, Failure> {
        let mut last = position;
        self.each_part(position, |at, part| {
            let found = part.iter().rposition(|&byte| byte != 0);
            last = found.map_or(last, |index| at + index as u64);
            None::<()>
        })?;
        Ok(last)
    }

    /// Whether all bytes of a range are zeros, as far as the segment has them.
    pub(crate) fn is_zero(&mut self, range: std::ops::Range<u64>) -> Result<bool, Failure> {
        let end = range.end.min(self.segment.bytes);
        let bytes = end.saturating_sub(range.start) as usize;
        Ok(self.get(range.start, bytes)?.is_none_or(|part| part.iter().all(|&byte| byte == 0)))
    }

    fn each_part<T>(
        &mut self,
        mut position: u64,
        mut look: impl FnMut(u64, &[u8]) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        while position < self.segment.bytes {
            let bytes = READ_BYTES.min((self.segment.bytes - position) as usize);
            let part = self.get(position, bytes)?.unwrap_or_default();
            if let Some(found) = look(position, part) {
                return Ok(Some(found));
            }
            position += bytes as u64;
        }
        Ok(None)
    }
}

//! Reading single records, for those who are behind the end.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::journal::disk::{Disk, DiskFile};
use crate::journal::layout::{HEAD_BYTES, Place, unframe};
use crate::journal::segments::name;
use crate::store::failure::Failure;

/// Segments that are kept open.
const FILES_MAX: usize = 8;

/// Reads records by their places.
#[derive(Debug)]
pub(crate) struct RecordReader {
    disk: Arc<dyn Disk>,
    journal: u64,
    /// The segments that were read last, oldest first.
    files: Mutex<VecDeque<(u64, Arc<dyn DiskFile>)>>,
}

impl RecordReader {
    pub(crate) fn new(disk: Arc<dyn Disk>, journal: u64) -> Self {
        Self { disk, journal, files: Mutex::default() }
    }

    /// The body of the record at a place, verified; `None` if its segment was removed.
    pub(crate) fn read(&self, place: Place) -> Result<Option<Bytes>, Failure> {
        let name = name(place.segment);
        let damaged = || {
            let what = "a record that is not what was written";
            Failure::Damaged(format!("{name} at byte {}: {what}", place.position))
        };
        let Some(file) = self.file(place.segment, &name)? else { return Ok(None) };
        let mut frame = vec![0; place.bytes as usize];
        match file.read_at(&mut frame, place.position) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(damaged()),
            read => read.map_err(|error| Failure::from(error).within(&name))?,
        }
        let (_, body) = unframe(self.journal, &frame).ok_or_else(damaged)?;
        let bytes = body.len();
        Ok(Some(Bytes::from(frame).slice(HEAD_BYTES..HEAD_BYTES + bytes)))
    }

    fn file(&self, number: u64, name: &str) -> Result<Option<Arc<dyn DiskFile>>, Failure> {
        let lock = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = lock().iter().find(|(segment, _)| *segment == number) {
            return Ok(Some(Arc::clone(file)));
        }
        let file = match self.disk.open(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| Failure::from(error).within(name))?,
        };
        let mut files = lock();
        if files.len() == FILES_MAX {
            files.pop_front();
        }
        files.push_back((number, Arc::clone(&file)));
        Ok(Some(file))
    }

    /// Lets a segment go that was removed: its space is free only then.
    pub(crate) fn forget(&self, number: u64) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(segment, _)| *segment != number);
    }
}

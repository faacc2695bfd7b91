//! The segment files of a log: their names, making one, and which there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::journal::disk::{Disk, DiskFile};
use crate::journal::layout::{HEADER_BYTES, Header, Unusable, VERSION};
use crate::store::failure::Failure;

/// Behind the name of a segment that is not complete.
const UNFINISHED: &str = ".new";
/// Zeros between two syncs while a segment is made: a commit waits for so many at the most.
const FILL_BYTES: u64 = 256 << 10;

/// The name of a segment.
pub(crate) fn name(number: u64) -> String {
    format!("log-{number:010}.seg")
}

fn number(file: &str) -> Option<u64> {
    let digits = file.strip_prefix("log-")?.strip_suffix(".seg")?;
    digits.parse().ok().filter(|&found| name(found) == file)
}

/// Whether a file is a segment, or one that was not completed.
pub(crate) fn is_segment(file: &str) -> bool {
    number(file.strip_suffix(UNFINISHED).unwrap_or(file)).is_some()
}

/// A segment that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// How long the file is.
    pub(crate) bytes: u64,
}

/// The segments of a log, oldest first, with consecutive numbers.
#[derive(Debug, Clone)]
pub(crate) struct Segments {
    /// The number of the journal, which all of them have.
    pub(crate) journal: u64,
    pub(crate) all: Vec<Segment>,
}

impl Segments {
    /// Those of a directory, their headers verified; `None` if there are none.
    ///
    /// # Errors
    /// `Damaged` if one is missing between others, or is not what was made; `Newer`.
    pub(crate) fn list(disk: &dyn Disk) -> Result<Option<Self>, Failure> {
        let mut numbers: Vec<u64> = disk.list()?.iter().filter_map(|file| number(file)).collect();
        numbers.sort_unstable();
        let Some(&first) = numbers.first() else { return Ok(None) };
        let (mut all, mut journal) = (Vec::new(), None);
        for (expected, number) in (first..).zip(numbers) {
            if number != expected {
                return Err(Failure::Damaged(format!("segment {} is missing", name(expected))));
            }
            let header = header(disk, number)?;
            if *journal.get_or_insert(header.journal) != header.journal {
                let what = format!("segment {} is of another log", name(number));
                return Err(Failure::Damaged(what));
            }
            all.push(Segment { number, bytes: header.bytes });
        }
        Ok(journal.map(|journal| Self { journal, all }))
    }

    /// The place of a segment among them.
    pub(crate) fn index(&self, number: u64) -> Option<usize> {
        let index = number.checked_sub(self.all.first()?.number)?;
        usize::try_from(index).ok().filter(|&index| index < self.all.len())
    }
}

fn header(disk: &dyn Disk, number: u64) -> Result<Header, Failure> {
    let name = name(number);
    let damaged = |what: &str| Failure::Damaged(format!("segment {name}: {what}"));
    let within = |error| Failure::from(error).within(&name);
    let file = disk.open(&name).map_err(within)?;
    let bytes = file.bytes().map_err(within)?;
    if bytes < HEADER_BYTES {
        return Err(damaged("it is shorter than its header"));
    }
    let mut header = vec![0; HEADER_BYTES as usize];
    file.read_at(&mut header, 0).map_err(within)?;
    let header = Header::decode(&header).map_err(|unusable| match unusable {
        Unusable::Damaged => damaged("its header, bytes 0 to 4,095, is not what was written"),
        Unusable::Newer(newer) => {
            Failure::Newer(format!("{name} has format {newer}, this one knows {VERSION}"))
        }
    })?;
    if header.segment != number {
        return Err(damaged(&format!("it was made as {}", self::name(header.segment))));
    }
    if header.bytes != bytes {
        return Err(damaged(&format!("it has {bytes} bytes, and was made with {}", header.bytes)));
    }
    Ok(header)
}

/// Removes what a process left that was making a segment.
pub(crate) fn remove_unfinished(disk: &dyn Disk) -> Result<(), Failure> {
    let all = disk.list()?;
    for file in all.iter().filter(|file| file.ends_with(UNFINISHED) && is_segment(file)) {
        disk.remove(file).map_err(|error| Failure::from(error).within(file))?;
    }
    Ok(())
}

/// A segment that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) file: Arc<dyn DiskFile>,
    /// The disk keeps space for the rest, and zeros were not written there.
    pub(crate) filled: u64,
}

/// Makes a segment for whose bytes the disk has space, all zeros, and whose name lasts.
///
/// # Errors
/// `Full`: nothing is left of it, and another try may succeed. Anything else is final.
pub(crate) fn make(disk: &dyn Disk, header: Header, stop: &AtomicBool) -> Result<Made, Failure> {
    let name = name(header.segment);
    let new = format!("{name}{UNFINISHED}");
    let made = begin(disk, &new, header, stop).map_err(|failure| {
        // What is left of it takes space, and is removed at the next opening if not now.
        let _ = disk.remove(&new);
        failure.within(&new)
    })?;
    disk.rename(&new, &name).map_err(|error| Failure::from(error).within(&name))?;
    // Without this the records in it could vanish with its name. What of it is on the disk after a
    // failure is unknown, also if it is for lack of space.
    disk.sync().map_err(|error| Failure::Io(format!("sync of the directory: {error}")))?;
    Ok(made)
}

/// Reserves the space, or fills it where the file system cannot.
fn begin(disk: &dyn Disk, new: &str, header: Header, stop: &AtomicBool) -> Result<Made, Failure> {
    let file = disk.create(new)?;
    file.write_at(&header.encode(), 0)?;
    let mut filled = HEADER_BYTES;
    if file.reserve(header.bytes)? {
        file.sync()?;
        return Ok(Made { file, filled });
    }
    while filled < header.bytes {
        if stop.load(Ordering::Acquire) {
            return Err(Failure::Full("the log was closed meanwhile".to_owned()));
        }
        filled = fill(&*file, filled, header.bytes)?;
    }
    Ok(Made { file, filled })
}

/// Writes zeros from a position on, a part at a time; up to where there are some.
pub(crate) fn fill(file: &dyn DiskFile, from: u64, end: u64) -> Result<u64, Failure> {
    let bytes = FILL_BYTES.min(end - from);
    file.write_at(&vec![0; bytes as usize], from)?;
    file.sync()?;
    Ok(from + bytes)
}

//! A torn group: what one may look like, and taking it away, with a copy kept.

use crate::journal::disk::Disk;
use crate::journal::layout::HEAD_BYTES;
use crate::journal::segments::name;
use crate::journal::window::Window;
use crate::store::failure::Failure;

/// What a disk writes whole or not at all, at the least.
const SECTOR_BYTES: u64 = 512;
/// What the names of the copies begin with.
const COPY: &str = "torn-";
/// Copies that are kept, the newest.
const COPIES_MAX: usize = 8;

/// What is left of a group that was not written whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) segment: u64,
    pub(crate) position: u64,
    pub(crate) bytes: u64,
}

/// Whether what begins at a position, and whose last byte that is not zero is given, is what an
/// interrupted write leaves; otherwise what is wrong. `frame_bytes` is known if its head is valid.
pub(crate) fn torn(
    window: &mut Window,
    position: u64,
    last: u64,
    frame_bytes: Option<u64>,
) -> Result<Result<Torn, &'static str>, Failure> {
    let is_torn = match frame_bytes {
        Some(bytes) => {
            let end = position + bytes;
            if last >= end {
                return Ok(Err("a record that is wrong, with something else behind it"));
            }
            last + 1 < end || has_zero_sector(window, position, end)?
        }
        None => is_head_torn(window, position, last)?,
    };
    if !is_torn {
        return Ok(Err("the checksum of a record that was written whole is wrong"));
    }
    let (segment, bytes) = (window.segment.number, last + 1 - position);
    Ok(Ok(Torn { segment, position, bytes }))
}

/// Whether a sector of a range is zeros, as far as it lies in the range.
fn has_zero_sector(window: &mut Window, begin: u64, end: u64) -> Result<bool, Failure> {
    let mut at = begin;
    while at < end {
        let next = (at + 1).next_multiple_of(SECTOR_BYTES).min(end);
        if window.is_zero(at..next)? {
            return Ok(true);
        }
        at = next;
    }
    Ok(false)
}

/// Whether a head that is not valid was not written whole: one of its sectors is zeros, or its end.
fn is_head_torn(window: &mut Window, position: u64, last: u64) -> Result<bool, Failure> {
    let end = position + HEAD_BYTES as u64;
    let sector = (position + 1).next_multiple_of(SECTOR_BYTES);
    Ok(last + 1 < end
        || window.is_zero(position..sector)?
        || sector < end && window.is_zero(sector..sector + SECTOR_BYTES)?)
}

/// Puts zeros in its place, once a copy of it is durable; the name of the copy.
pub(crate) fn heal(disk: &dyn Disk, torn: Torn) -> Result<String, Failure> {
    let Torn { segment, position, bytes } = torn;
    let name = name(segment);
    let within = |error| Failure::from(error).within(&name);
    let file = disk.open(&name).map_err(within)?;
    let mut bytes = vec![0; bytes as usize];
    file.read_at(&mut bytes, position).map_err(within)?;
    let copy = keep(disk, &format!("{COPY}{segment:010}-{position:010}"), &bytes)?;
    bytes.fill(0);
    file.write_at(&bytes, position).and_then(|()| file.sync()).map_err(within)?;
    Ok(copy)
}

/// Puts zeros in the place of all from a position on, once a copy of it is durable.
pub(crate) fn cut(disk: &dyn Disk, segment: u64, position: u64, copy: &str) -> Result<(), Failure> {
    let name = name(segment);
    let within = |error| Failure::from(error).within(&name);
    let file = disk.open(&name).map_err(within)?;
    let mut bytes = vec![0; file.bytes().map_err(within)?.saturating_sub(position) as usize];
    file.read_at(&mut bytes, position).map_err(within)?;
    write(disk, copy, &bytes)?;
    bytes.fill(0);
    file.write_at(&bytes, position).and_then(|()| file.sync()).map_err(within)
}

/// Writes a copy and lets the oldest go. One that is there has more of it: it was made before
/// zeros took the place.
fn keep(disk: &dyn Disk, copy: &str, bytes: &[u8]) -> Result<String, Failure> {
    let within = |error| Failure::from(error).within(copy);
    let mut copies: Vec<String> = disk.list().map_err(within)?;
    copies.retain(|file| file.starts_with(COPY) && !file.ends_with(".new"));
    copies.sort_unstable();
    if copies.iter().any(|kept| kept == copy) {
        return Ok(copy.to_owned());
    }
    while copies.len() >= COPIES_MAX {
        disk.remove(&copies.remove(0)).map_err(within)?;
    }
    write(disk, copy, bytes)?;
    Ok(copy.to_owned())
}

/// Writes a file, whole and durable.
fn write(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let within = |error| Failure::from(error).within(name);
    let new = format!("{name}.new");
    let file = disk.create(&new).map_err(within)?;
    file.write_at(bytes, 0).and_then(|()| file.sync()).map_err(within)?;
    disk.rename(&new, name).and_then(|()| disk.sync()).map_err(within)
}

/// Whether a file is a copy of a torn group, or of what a repair put away.
pub(crate) fn is_copy(file: &str) -> bool {
    file.starts_with(COPY) || file.starts_with("lost-")
}

//! Reading SQLite's write-ahead log before SQLite does, to distinguish a torn write from damage.
//!
//! SQLite ends recovery in silence at the first frame that is not valid, as is right for the
//! tail of a write that a power loss cut off. A flipped bit further ahead would take back
//! everything behind it the same way, acknowledged or not. Here the frames behind are looked
//! at: a bad frame with a valid frame behind it that commits is taken for damage. Behind a
//! later transaction that is certain, since each commit is fsynced before the next one begins.
//! Within the last transaction it could also be a power loss during the commit whose writes
//! reached the disk out of order; that is refused as well, since the other reading would lose
//! what was acknowledged. Frames without a commit behind them are what a transaction left that
//! was rolled back, as on a full disk.
//!
//! The format (<https://www.sqlite.org/fileformat2.html> section 4): a header of 32 bytes, all
//! fields 32 bits and big-endian: magic (its lowest bit is the endianness of the checksums),
//! format, page size, checkpoint sequence, two salts, two checksums of the 24 bytes before.
//! Then frames: a header of 24 bytes (page number, size of the database after a commit or 0,
//! the salts, two checksums) and a page. Checksums are cumulative: each continues that of the
//! frame before, over the first 8 bytes of the frame's header and the page. Frames of an
//! earlier generation, with other salts, may stand behind the last one.
//!
//! What it cannot distinguish: damage in the last transaction's own last frame from a torn write.

mod frame;

use std::io::{self, Read};

use frame::{Endian, Frame, FrameReader, Sum, be32};

const HEADER_BYTES: usize = 32;
const MAGIC: u32 = 0x377f_0682;
const FORMAT: u32 = 3_007_000;

/// What the log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every byte belongs to a frame of this generation, and the last one commits.
    Whole {
        /// Frames that count.
        frames: u64,
    },
    /// Behind the last commit is what does not count: a write that was cut off or rolled
    /// back, or frames of an earlier generation.
    Torn {
        /// Frames that count.
        frames: u64,
        /// Bytes behind them.
        bytes_behind: u64,
    },
    /// It once was good.
    Damaged {
        /// The first bad frame, from 0; `None` for the header.
        frame: Option<u64>,
        /// Where it begins.
        position: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// Looks at a whole log. `page_bytes` is what the database has.
pub(crate) fn scan(mut log: impl Read, page_bytes: u32) -> io::Result<Verdict> {
    let mut header = [0; HEADER_BYTES];
    let read = fill(&mut log, &mut header)?;
    if read < HEADER_BYTES {
        return Ok(Verdict::Torn { frames: 0, bytes_behind: read as u64 });
    }
    match Header::read(&header, page_bytes) {
        Some(header) => scan_frames(log, &header, page_bytes),
        None => scan_without_header(log, &header, page_bytes),
    }
}

/// As much as there is, up to the length of the buffer.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match log.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

struct Header {
    endian: Endian,
    salts: [u8; 8],
    sum: Sum,
}

impl Header {
    /// `None` if it is not valid: SQLite would leave out the whole log.
    fn read(bytes: &[u8; HEADER_BYTES], page_bytes: u32) -> Option<Self> {
        let endian = match be32(bytes, 0) ^ MAGIC {
            0 => Endian::Little,
            1 => Endian::Big,
            _ => return None,
        };
        let sum = Sum::default().over(&bytes[..24], endian);
        let valid = sum == Sum::stored(bytes, 24)
            && be32(bytes, 4) == FORMAT
            && be32(bytes, 8) == page_bytes;
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[16..24]);
        valid.then_some(Self { endian, salts, sum })
    }
}

fn scan_frames(log: impl Read, header: &Header, page_bytes: u32) -> io::Result<Verdict> {
    let mut frames = FrameReader::new(log, header.endian, page_bytes);
    // What the next frame's checksum continues: what the frame before holds, and what it is.
    let mut before = [header.sum, header.sum];
    let mut committed = 0;
    let mut bad = None;
    while let Some(frame) = frames.next()? {
        let (continues, after) = frame.check(&before);
        let valid = frame.salts == header.salts && continues;
        match bad {
            None if valid => {
                if frame.commits {
                    committed = frame.number + 1;
                }
            }
            None => bad = Some(frame.number),
            Some(first) if valid && frame.commits => {
                return Ok(damaged_frame(first, page_bytes));
            }
            Some(_) => {}
        }
        before = after;
    }
    let bytes_behind = frames.bytes() - committed * frame::bytes(page_bytes) as u64;
    Ok(match bytes_behind {
        0 => Verdict::Whole { frames: committed },
        _ => Verdict::Torn { frames: committed, bytes_behind },
    })
}

fn damaged_frame(frame: u64, page_bytes: u32) -> Verdict {
    let position = HEADER_BYTES as u64 + frame * frame::bytes(page_bytes) as u64;
    let what = "its checksum is wrong, and committed frames stand behind it";
    Verdict::Damaged { frame: Some(frame), position, what }
}

/// A header that is not valid was either never written whole, and then nothing was committed
/// behind it, or is damaged, and then there are frames that continue it or one another.
fn scan_without_header(
    log: impl Read,
    header: &[u8; HEADER_BYTES],
    page_bytes: u32,
) -> io::Result<Verdict> {
    // Either endianness: the bit that decides may be the one that flipped.
    let mut frames = FrameReader::new(log, Endian::Little, page_bytes);
    let stored = Sum::stored(header, 24);
    let mut before = [Endian::Little, Endian::Big]
        .map(|endian| (endian, [stored, Sum::default().over(&header[..24], endian)]));
    while let Some(frame) = frames.next()? {
        for (endian, before) in &mut before {
            let frame = Frame { endian: *endian, ..frame };
            let (continues, after) = frame.check(before);
            if continues && !frame.is_blank() {
                let what = "it is not valid, and frames stand behind it";
                return Ok(Verdict::Damaged { frame: None, position: 0, what });
            }
            *before = after;
        }
    }
    Ok(Verdict::Torn { frames: 0, bytes_behind: HEADER_BYTES as u64 + frames.bytes() })
}

#[cfg(test)]
mod tests;

//! The bytes of a segment: its header, and the frame around a record.
//!
//! ```text
//! header, the first 4,096 bytes of the file; zeros behind its checksum
//! 0         8             12            20            28          36        40
//! ┌─────────┬─────────────┬─────────────┬─────────────┬───────────┬─────────┐
//! │ magic   │ version u32 │ journal u64 │ segment u64 │ bytes u64 │ crc u32 │
//! └─────────┴─────────────┴─────────────┴─────────────┴───────────┴─────────┘
//!   journal: a random number, one for all segments of a log
//!   bytes: how long the file is, header included; it never changes
//!
//! frame, at a position that is a multiple of 8
//! 0         4           8            16          20             24
//! ┌─────────┬───────────┬────────────┬───────────┬──────────────┬──────┬───────┬──────┐
//! │ crc u32 │ bytes u32 │ number u64 │ chain u32 │ head crc u32 │ body │ zeros │ 0xa5 │
//! └─────────┴───────────┴────────────┴───────────┴──────────────┴──────┴───────┴──────┘
//!   crc: of bytes, number, chain and body. head crc: of all before it, crc included
//!   bytes: of the body. number: consecutive from 1 over all segments
//!   chain: the crc of the record before; 0 for the first of a log
//!   zeros: as many as make the frame a multiple of 8 together with the last byte
//! ```
//!
//! All numbers are little-endian. Checksums are CRC32C and begin with the journal's number: what
//! a publisher chose cannot pass for a record, nor can a record of another log.

use bytes::{Buf as _, BufMut as _};

/// Bytes before the first record: a page of its own, so that no write of a record touches it.
pub(crate) const HEADER_BYTES: u64 = 4096;
/// Bytes before the body of a record.
pub(crate) const HEAD_BYTES: usize = 24;
/// Frames begin at multiples of it.
pub(crate) const ALIGNMENT: usize = 8;
/// The last byte of a frame: not zero, so that a frame whose end was not written is known.
const END: u8 = 0xa5;

const MAGIC: &[u8; 8] = b"WbSegmnt";
/// The layout that this code writes.
pub(crate) const VERSION: u32 = 1;
const HEADER_USED: usize = 40;

/// Where a record is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    /// Of its frame, in the file.
    pub(crate) position: u64,
    /// Of its frame.
    pub(crate) bytes: u32,
}

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) journal: u64,
    pub(crate) segment: u64,
    pub(crate) bytes: u64,
}

/// Why a header is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    Damaged,
    /// Of this layout, which is newer.
    Newer(u32),
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.put_slice(MAGIC);
        header.put_u32_le(VERSION);
        header.put_u64_le(self.journal);
        header.put_u64_le(self.segment);
        header.put_u64_le(self.bytes);
        header.put_u32_le(crc32c::crc32c(&header));
        header.resize(HEADER_BYTES as usize, 0);
        header
    }

    pub(crate) fn decode(header: &[u8]) -> Result<Self, Unusable> {
        let (used, rest) = header.split_at_checked(HEADER_USED).ok_or(Unusable::Damaged)?;
        let (mut fields, mut crc) = used.split_at(HEADER_USED - 4);
        let valid = crc.get_u32_le() == crc32c::crc32c(fields) && fields.starts_with(MAGIC);
        fields.advance(MAGIC.len());
        let version = fields.get_u32_le();
        match version {
            _ if !valid => return Err(Unusable::Damaged),
            VERSION => {}
            newer => return Err(Unusable::Newer(newer)),
        }
        if rest.iter().any(|&byte| byte != 0) {
            return Err(Unusable::Damaged);
        }
        let (journal, segment) = (fields.get_u64_le(), fields.get_u64_le());
        Ok(Self { journal, segment, bytes: fields.get_u64_le() })
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) crc: u32,
    /// Of the body.
    bytes: u32,
    pub(crate) number: u64,
    pub(crate) chain: u32,
}

impl Head {
    /// `None` if it is not one that was written whole in this journal.
    pub(crate) fn decode(journal: u64, head: &[u8; HEAD_BYTES]) -> Option<Self> {
        let (mut fields, mut head_crc) = head.split_at(HEAD_BYTES - 4);
        let valid = head_crc.get_u32_le() == seeded(journal, fields);
        let (crc, bytes) = (fields.get_u32_le(), fields.get_u32_le());
        let (number, chain) = (fields.get_u64_le(), fields.get_u32_le());
        valid.then_some(Self { crc, bytes, number, chain })
    }

    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(u64::from(self.bytes))
    }
}

/// Bytes of a frame with a body of so many.
fn frame_bytes(body_bytes: u64) -> u64 {
    (HEAD_BYTES as u64 + body_bytes + 1).next_multiple_of(ALIGNMENT as u64)
}

fn seeded(journal: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&journal.to_le_bytes()), bytes)
}

/// Makes a frame of a buffer that has room for the head before the body; its crc, or `None` if the
/// body is too long for any frame.
pub(crate) fn frame(journal: u64, number: u64, chain: u32, buffer: &mut Vec<u8>) -> Option<u32> {
    let body_bytes = buffer.len() - HEAD_BYTES;
    let bytes = u32::try_from(frame_bytes(body_bytes as u64)).ok()?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.put_u32_le(0);
    head.put_u32_le(body_bytes as u32);
    head.put_u64_le(number);
    head.put_u32_le(chain);
    let crc = crc32c::crc32c_append(seeded(journal, &head[4..]), &buffer[HEAD_BYTES..]);
    head[..4].copy_from_slice(&crc.to_le_bytes());
    head.put_u32_le(seeded(journal, &head));
    buffer[..HEAD_BYTES].copy_from_slice(&head);
    buffer.resize(bytes as usize, 0);
    if let Some(last) = buffer.last_mut() {
        *last = END;
    }
    Some(crc)
}

/// The head and the body of a frame if it is one that was written whole in this journal.
pub(crate) fn unframe(journal: u64, frame: &[u8]) -> Option<(Head, &[u8])> {
    let head = Head::decode(journal, frame.first_chunk()?)?;
    let (body, end) = frame[HEAD_BYTES..].split_at_checked(head.bytes as usize)?;
    let whole = end
        .split_last()
        .is_some_and(|(&last, pad)| last == END && pad.iter().all(|&byte| byte == 0));
    let crc = crc32c::crc32c_append(seeded(journal, &frame[4..HEAD_BYTES - 4]), body);
    let valid = whole && crc == head.crc && frame.len() as u64 == head.frame_bytes();
    valid.then_some((head, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_header_and_frame_is_found() {
        let header = Header { journal: 7, segment: 3, bytes: 1 << 20 };
        let sealed = header.encode();
        assert_eq!(Header::decode(&sealed), Ok(header));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped), Err(Unusable::Damaged), "bit {bit}");
        }
        for length in 0..40 {
            let mut buffer = vec![0; HEAD_BYTES];
            buffer.extend((0..length).map(|byte| byte as u8));
            let crc = frame(7, 9, 5, &mut buffer).unwrap();
            let (head, body) = unframe(7, &buffer).unwrap();
            assert_eq!((head.number, head.chain, head.crc), (9, 5, crc));
            assert!(body.len() == length && buffer.len().is_multiple_of(ALIGNMENT));
            assert_eq!(unframe(8, &buffer), None, "of another journal");
            for bit in 0..buffer.len() * 8 {
                let mut flipped = buffer.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(unframe(7, &flipped), None, "length {length}, bit {bit}");
            }
        }
    }

    #[test]
    fn newer_layout_is_known_as_such() {
        let mut sealed = Header { journal: 7, segment: 3, bytes: 1 << 20 }.encode();
        sealed[8] = 2;
        let crc = crc32c::crc32c(&sealed[..HEADER_USED - 4]);
        sealed[HEADER_USED - 4..HEADER_USED].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Header::decode(&sealed), Err(Unusable::Newer(2)));
    }
}

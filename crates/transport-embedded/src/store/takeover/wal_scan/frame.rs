//! Frames of a write-ahead log and their checksums.

use std::io::{self, Read};

use super::fill;

const FRAME_HEADER_BYTES: usize = 24;

/// Bytes of a frame.
pub(super) fn bytes(page_bytes: u32) -> usize {
    FRAME_HEADER_BYTES + page_bytes as usize
}

pub(super) fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// How checksums read the words that they are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// The two numbers of a checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum(u32, u32);

impl Sum {
    /// The checksum that is stored there.
    pub(super) fn stored(bytes: &[u8], at: usize) -> Self {
        Self(be32(bytes, at), be32(bytes, at + 4))
    }

    #[cfg(test)]
    pub(super) fn store(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_be_bytes());
        bytes.extend_from_slice(&self.1.to_be_bytes());
    }

    /// The checksum continued over bytes, a multiple of 8.
    pub(super) fn over(self, bytes: &[u8], endian: Endian) -> Self {
        let Self(mut s0, mut s1) = self;
        let (pairs, _) = bytes.as_chunks::<8>();
        for pair in pairs {
            let (x0, x1) = match endian {
                Endian::Little => {
                    let pair = u64::from_le_bytes(*pair);
                    (pair as u32, (pair >> 32) as u32)
                }
                Endian::Big => {
                    let pair = u64::from_be_bytes(*pair);
                    ((pair >> 32) as u32, pair as u32)
                }
            };
            s0 = s0.wrapping_add(x0).wrapping_add(s1);
            s1 = s1.wrapping_add(x1).wrapping_add(s0);
        }
        Self(s0, s1)
    }
}

/// A frame, valid or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) number: u64,
    pub(super) commits: bool,
    pub(super) salts: [u8; 8],
    pub(super) endian: Endian,
    pub(super) all: &'a [u8],
}

impl Frame<'_> {
    /// The checksum of the frame if that is the one of the frame before.
    fn sum(&self, before: Sum) -> Sum {
        let head = before.over(&self.all[..8], self.endian);
        head.over(&self.all[FRAME_HEADER_BYTES..], self.endian)
    }

    /// Whether its checksum continues one of these, and what the next frame may continue: the
    /// checksum that is stored here, and the one that this frame should have. They differ if
    /// the stored one is what is damaged.
    pub(super) fn check(&self, before: &[Sum; 2]) -> (bool, [Sum; 2]) {
        let stored = Sum::stored(self.all, 16);
        let sum = self.sum(before[0]);
        let valid = sum == stored || (before[0] != before[1] && self.sum(before[1]) == stored);
        (valid, [stored, if valid { stored } else { sum }])
    }

    /// Nothing but zeros, as where the file was extended and never written.
    pub(super) fn is_blank(&self) -> bool {
        self.all.iter().all(|&byte| byte == 0)
    }
}

/// Reads one frame after the other into one buffer.
pub(super) struct FrameReader<R> {
    log: R,
    endian: Endian,
    buffer: Vec<u8>,
    number: u64,
    bytes: u64,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn new(log: R, endian: Endian, page_bytes: u32) -> Self {
        Self { log, endian, buffer: vec![0; bytes(page_bytes)], number: 0, bytes: 0 }
    }

    /// Bytes that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next frame that is there whole.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        let read = fill(&mut self.log, &mut self.buffer)?;
        self.bytes += read as u64;
        if read < self.buffer.len() {
            return Ok(None);
        }
        let number = self.number;
        self.number += 1;
        let mut salts = [0; 8];
        salts.copy_from_slice(&self.buffer[8..16]);
        let commits = be32(&self.buffer, 4) != 0;
        Ok(Some(Frame { number, commits, salts, endian: self.endian, all: &self.buffer }))
    }
}

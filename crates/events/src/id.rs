//! Event ids: UUIDv8 (RFC 9562 section 5.8) of a producer and a sequence.
//!
//! Written here because the layout is the contract: 122 free bits hold exactly the 58 bits
//! of a producer id and the 64 bits of a sequence.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

const PRODUCER_BITS: u32 = 58;
const SEQUENCE_LOW_BITS: u32 = 62;

/// Who numbers events: 58 bits. Random for each start of an ordinary publisher; for a simulated
/// service a hash of what its events are a function of, so that all instances share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerId(u64);

impl ProducerId {
    /// The largest id.
    pub const MAX: Self = Self((1 << PRODUCER_BITS) - 1);

    /// An id from its number.
    ///
    /// # Errors
    /// `Malformed` if one of the upper six bits is set.
    pub fn new(number: u64) -> Result<Self, Error> {
        if number > Self::MAX.0 {
            let message = format!("producer id {number:#018x} has more than {PRODUCER_BITS} bits");
            return Err(Error::malformed(message));
        }
        Ok(Self(number))
    }

    /// An id from 64 bits of a hash or a random source; the upper six are dropped.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits & Self::MAX.0)
    }

    /// Refuses the id of no producer: a writer of batches that leaves `producer_id` out means no
    /// producer, and all such writers would share the ids of one.
    ///
    /// # Errors
    /// `Malformed` for 0.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.0 == 0 {
            let context = "producer id 0, as if it were left out; draw one of 58 random bits";
            return Err(Error::malformed(context));
        }
        Ok(())
    }

    /// The id as a number below 2^58.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The identity of an event, the same for every copy of it. As text: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// Who numbered the event.
    pub producer: ProducerId,
    /// Its number; no two events of a producer share one.
    pub sequence: u64,
}

impl EventId {
    /// The 128 bits: producer 57..10, version 8, producer 9..0, sequence 63..62, variant,
    /// sequence 61..0.
    pub fn to_u128(self) -> u128 {
        let producer = u128::from(self.producer.number());
        let sequence = u128::from(self.sequence);
        (producer >> 10 << 80)
            | (8 << 76)
            | ((producer & 0x3ff) << 66)
            | (sequence >> SEQUENCE_LOW_BITS << 64)
            | (0b10 << SEQUENCE_LOW_BITS)
            | (sequence & ((1 << SEQUENCE_LOW_BITS) - 1))
    }

    /// The id with these bits.
    ///
    /// # Errors
    /// `Malformed` unless version and variant are those of a UUIDv8.
    pub fn from_u128(bits: u128) -> Result<Self, Error> {
        if bits >> 76 & 0xf != 8 || bits >> SEQUENCE_LOW_BITS & 0b11 != 0b10 {
            return Err(Error::malformed(format!("event id {bits:032x} is not a UUIDv8")));
        }
        let producer = (bits >> 80 << 10) | (bits >> 66 & 0x3ff);
        let low = bits & ((1 << SEQUENCE_LOW_BITS) - 1);
        let sequence = ((bits >> 64 & 0b11) << SEQUENCE_LOW_BITS) | low;
        Ok(Self { producer: ProducerId(producer as u64), sequence: sequence as u64 })
    }

    /// The id for an event that carries another system's: itself if it is one of ours, else a
    /// hash of the text (FNV-1a, 128 bits), so that copies still meet.
    ///
    /// # Errors
    /// `Malformed` for no text and for the nil UUID: senders write those in place of an id that
    /// they do not have, and all events with it would be taken for copies of one.
    pub fn from_foreign(text: &str) -> Result<Self, Error> {
        if text.is_empty() || is_nil(text) {
            let context =
                format!("event id {text:?} is blank; give each event its own, or leave it out");
            return Err(Error::malformed(context));
        }
        Ok(text.parse().unwrap_or_else(|_| {
            let hash = text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |h, b| {
                (h ^ u128::from(b)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b_u128)
            });
            let producer = ProducerId::from_bits((hash >> 64) as u64);
            Self { producer, sequence: hash as u64 }
        }))
    }
}

/// Whether the text is the nil UUID (RFC 9562 section 5.9), with its dashes or without.
fn is_nil(text: &str) -> bool {
    let digits = || text.bytes().filter(|&byte| byte != b'-');
    digits().count() == 32 && digits().all(|byte| byte == b'0')
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.to_u128();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            b >> 96,
            b >> 80 & 0xffff,
            b >> 64 & 0xffff,
            b >> 48 & 0xffff,
            b & 0xffff_ffff_ffff
        )
    }
}

impl FromStr for EventId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::malformed(format!("event id {text:.64?} is not a UUID"));
        let bytes = text.as_bytes();
        let dashes = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&i| bytes[i] == b'-');
        if !dashes {
            return Err(wrong());
        }
        let mut bits = 0u128;
        for (index, &byte) in bytes.iter().enumerate() {
            if ![8, 13, 18, 23].contains(&index) {
                let digit = char::from(byte).to_digit(16).ok_or_else(wrong)?;
                bits = bits << 4 | u128::from(digit);
            }
        }
        Self::from_u128(bits)
    }
}

#[cfg(test)]
mod tests;

//! Made-up messages on the wire, in every form that a writer may choose: fields in any order and
//! several times, packed and not, unknown ones between, numbers longer than needed. And damaged.
//!
//! Not proptest's strategies, which would need one for each message: what to write follows from
//! the descriptor, and the same seed makes the same.

use prost::encoding::encode_varint;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

const DEPTH_MAX: u32 = 6;
/// No message has a field beyond.
const NUMBER_KNOWN_MAX: u64 = 1 << 15;

/// A source of made-up messages.
pub(crate) struct MadeUp {
    state: u64,
}

impl MadeUp {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A valid message.
    pub(crate) fn message(&mut self, of: &MessageDescriptor) -> Vec<u8> {
        self.message_within(of, DEPTH_MAX)
    }

    /// A message with a piece changed, cut, doubled or put in, or with the end of another one.
    pub(crate) fn damaged(&mut self, message: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = message.to_vec();
        for _ in 0..=self.below(2) {
            let at = self.below(bytes.len() as u64 + 1) as usize;
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => {
                    bytes.truncate(at);
                    bytes.extend(&other[self.below(other.len() as u64 + 1) as usize..]);
                }
                2 => bytes.insert(at, self.next() as u8),
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 => {
                    let group = [0xa3, 0x06, 0x08, 1, 0xa4, 0x06];
                    bytes.splice(at..at, group);
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => bytes.push(self.next() as u8),
            }
        }
        bytes
    }

    fn message_within(&mut self, of: &MessageDescriptor, depth: u32) -> Vec<u8> {
        let fields: Vec<FieldDescriptor> = of.fields().collect();
        let mut out = Vec::new();
        for _ in 0..self.below(8) {
            match fields.get(self.below(fields.len() as u64 + 1) as usize) {
                Some(field) => self.field(&mut out, field, depth),
                None => self.unknown(&mut out),
            }
        }
        out
    }

    fn field(&mut self, out: &mut Vec<u8>, field: &FieldDescriptor, depth: u32) {
        let (kind, number) = (field.kind(), u64::from(field.number()));
        let is_packable = field.is_list() && wire_type(&kind) != 2;
        if is_packable && self.below(2) == 0 {
            let mut values = Vec::new();
            (0..self.below(5)).for_each(|_| self.value(&mut values, &kind, depth));
            self.varint(out, number << 3 | 2);
            self.block(out, &values);
        } else {
            self.varint(out, number << 3 | wire_type(&kind));
            self.value(out, &kind, depth);
        }
    }

    fn unknown(&mut self, out: &mut Vec<u8>) {
        let number = NUMBER_KNOWN_MAX + self.below(1 << 20);
        let kind =
            [Kind::Uint64, Kind::Double, Kind::Bytes, Kind::Float][self.below(4) as usize].clone();
        self.varint(out, number << 3 | wire_type(&kind));
        self.value(out, &kind, 0);
    }

    fn value(&mut self, out: &mut Vec<u8>, kind: &Kind, depth: u32) {
        match kind {
            Kind::Message(_) if depth == 0 => self.block(out, &[]),
            Kind::Message(of) => {
                let message = self.message_within(of, depth - 1);
                self.block(out, &message);
            }
            Kind::String => {
                let texts = ["", "a", "são paulo", "𝄞 a text that is longer than a word"];
                let text = texts[self.below(4) as usize];
                self.block(out, text.as_bytes());
            }
            Kind::Bytes => {
                let bytes: Vec<u8> = (0..self.below(20)).map(|_| self.next() as u8).collect();
                self.block(out, &bytes);
            }
            _ => match wire_type(kind) {
                0 => {
                    let value = self.next() >> self.below(64);
                    self.varint(out, value);
                }
                1 => out.extend(self.next().to_le_bytes()),
                _ => out.extend((self.next() as u32).to_le_bytes()),
            },
        }
    }

    fn block(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        self.varint(out, bytes.len() as u64);
        out.extend(bytes);
    }

    /// Now and then with a byte more than needed, which adds nothing.
    fn varint(&mut self, out: &mut Vec<u8>, value: u64) {
        encode_varint(value, out);
        if value < 1 << 60
            && self.below(16) == 0
            && let Some(last) = out.last_mut()
        {
            *last |= 0x80;
            out.push(0);
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn wire_type(kind: &Kind) -> u64 {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => 5,
        Kind::String | Kind::Bytes | Kind::Message(_) => 2,
        _ => 0,
    }
}

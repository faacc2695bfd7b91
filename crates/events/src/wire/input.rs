//! The bytes of one message, read from the front, field by field.

use std::collections::BTreeMap;

use super::Direct;
use crate::varint;

/// Whether a value was read; `None` leaves the whole message to prost.
pub type Read = Option<()>;

const WIRE_VARINT: u64 = 0;
const WIRE_FIXED64: u64 = 1;
const WIRE_BYTES: u64 = 2;
const WIRE_FIXED32: u64 = 5;

/// What is left of a message. The methods that are named as the types of Protocol Buffers read a
/// value of that type in place of the one that is there.
#[derive(Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
    depth: u32,
}

/// Values that are varints on the wire.
macro_rules! varints {
    ($($name:ident: $type:ty = |$number:ident| $convert:expr;)*) => {$(
        #[doc = concat!("Reads a value of type `", stringify!($name), "`.")]
        #[inline]
        pub fn $name(&mut self, value: &mut $type) -> Read {
            let $number = varint::take(&mut self.rest)?;
            *value = $convert;
            Some(())
        }
    )*};
}

/// Values of a fixed size on the wire.
macro_rules! fixed {
    ($($name:ident: $type:ty;)*) => {$(
        #[doc = concat!("Reads a value of type `", stringify!($name), "`.")]
        #[inline]
        pub fn $name(&mut self, value: &mut $type) -> Read {
            let (bytes, rest) = self.rest.split_first_chunk()?;
            *value = <$type>::from_le_bytes(*bytes);
            self.rest = rest;
            Some(())
        }
    )*};
}

impl<'a> Input<'a> {
    /// All bytes of a message, with `depth` levels of messages left within it.
    #[inline]
    pub fn new(rest: &'a [u8], depth: u32) -> Self {
        Self { rest, depth }
    }

    /// Whether all fields were read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's number and wire type: `number << 3 | wire type`.
    #[inline]
    pub fn key(&mut self) -> Option<u64> {
        varint::take(&mut self.rest)
    }

    varints! {
        int32: i32 = |number| number as i32;
        int64: i64 = |number| number as i64;
        uint32: u32 = |number| number as u32;
        uint64: u64 = |number| number;
        sint32: i32 = |number| varint::unzigzag(u64::from(number as u32)) as i32;
        sint64: i64 = |number| varint::unzigzag(number);
        bool: bool = |number| number != 0;
    }

    fixed! {
        float: f32;
        double: f64;
        fixed32: u32;
        fixed64: u64;
        sfixed32: i32;
        sfixed64: i64;
    }

    /// Reads a text, which must be UTF-8.
    #[inline]
    pub fn string(&mut self, value: &mut String) -> Read {
        set_text(value, self.block()?)
    }

    /// Reads bytes.
    #[inline]
    pub fn bytes(&mut self, value: &mut Vec<u8>) -> Read {
        let block = self.block()?;
        value.clear();
        value.extend_from_slice(block);
        Some(())
    }

    /// Reads a message; its fields are merged into those that are there.
    #[inline]
    pub fn message<M: Direct>(&mut self, message: &mut M) -> Read {
        let depth = self.depth.checked_sub(1)?;
        message.read(self.block()?, depth)
    }

    /// Reads the values of a packed field, each with `read`.
    #[inline]
    pub fn packed<T: Default>(
        &mut self,
        values: &mut Vec<T>,
        read: impl Fn(&mut Self, &mut T) -> Read,
    ) -> Read {
        let mut input = Input { rest: self.block()?, depth: self.depth };
        while !input.rest.is_empty() {
            read(&mut input, super::push(values))?;
        }
        Some(())
    }

    /// Reads an entry of a map: the field keys of its key and value, and how to read each.
    #[inline]
    pub fn entry<K: Default + Ord, V: Default>(
        &mut self,
        map: &mut BTreeMap<K, V>,
        (key_key, read_key): (u64, impl Fn(&mut Self, &mut K) -> Read),
        (value_key, read_value): (u64, impl Fn(&mut Self, &mut V) -> Read),
    ) -> Read {
        let depth = self.depth.checked_sub(1)?;
        let mut input = Input { rest: self.block()?, depth };
        let (mut key, mut value) = (K::default(), V::default());
        while !input.is_empty() {
            match input.key()? {
                found if found == key_key => read_key(&mut input, &mut key)?,
                found if found == value_key => read_value(&mut input, &mut value)?,
                other => input.skip(other, &[1, 2])?,
            }
        }
        map.insert(key, value);
        Some(())
    }

    /// Skips the value of a field that is not one of `known`: those have another wire type.
    #[inline]
    pub fn skip(&mut self, key: u64, known: &[u64]) -> Read {
        self.rest = behind(self.rest, key, known)?;
        Some(())
    }

    /// Bytes behind their length.
    #[inline]
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = varint::take(&mut self.rest)?;
        let (block, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(block)
    }
}

/// What is behind the value of an unknown field. By value, so that the slice of an [`Input`] can
/// stay in registers.
#[inline(never)]
fn behind<'a>(rest: &'a [u8], key: u64, known: &[u64]) -> Option<&'a [u8]> {
    let number = key >> 3;
    if number == 0 || key > u64::from(u32::MAX) || known.contains(&number) {
        return None;
    }
    let mut input = Input { rest, depth: 0 };
    match key & 7 {
        WIRE_VARINT => input.uint64(&mut 0)?,
        WIRE_FIXED64 => input.fixed64(&mut 0)?,
        WIRE_BYTES => input.block().map(drop)?,
        WIRE_FIXED32 => input.fixed32(&mut 0)?,
        // Groups, and what does not exist.
        _ => return None,
    }
    Some(input.rest)
}

/// Out of line, once for all fields.
fn set_text(value: &mut String, block: &[u8]) -> Read {
    let text = std::str::from_utf8(block).ok()?;
    value.clear();
    value.push_str(text);
    Some(())
}

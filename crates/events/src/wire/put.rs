//! Writing fields at the end of a message, byte by byte as prost writes them.
//!
//! The functions that are named as the types of Protocol Buffers write a value of that type behind
//! its key, `number << 3 | wire type`, or alone for key 0, as in packed fields. The others decide
//! when, and how often.

use std::collections::BTreeMap;

use super::Direct;
use crate::varint;

/// Values that are varints on the wire.
macro_rules! varints {
    ($($name:ident: $type:ty = |$value:ident| $convert:expr;)*) => {$(
        #[doc = concat!("Writes a value of type `", stringify!($name), "`.")]
        #[inline]
        pub fn $name(out: &mut Vec<u8>, key: u64, $value: &$type) {
            pair(out, key, $convert);
        }
    )*};
}

/// Values of a fixed size on the wire.
macro_rules! fixed {
    ($($name:ident: $type:ty;)*) => {$(
        #[doc = concat!("Writes a value of type `", stringify!($name), "`.")]
        #[inline]
        pub fn $name(out: &mut Vec<u8>, key: u64, value: &$type) {
            put_key(out, key);
            out.extend_from_slice(&value.to_le_bytes());
        }
    )*};
}

varints! {
    int32: i32 = |value| *value as u64;
    int64: i64 = |value| *value as u64;
    uint32: u32 = |value| u64::from(*value);
    uint64: u64 = |value| *value;
    sint32: i32 = |value| varint::zigzag(i64::from(*value));
    sint64: i64 = |value| varint::zigzag(*value);
    bool: bool = |value| u64::from(*value);
}

fixed! {
    float: f32;
    double: f64;
    fixed32: u32;
    fixed64: u64;
    sfixed32: i32;
    sfixed64: i64;
}

/// Writes a text.
#[inline]
pub fn string(out: &mut Vec<u8>, key: u64, value: &String) {
    pair(out, key, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}

/// Writes bytes.
#[allow(clippy::ptr_arg, reason = "the type of the field, as everywhere here")]
#[inline]
pub fn bytes(out: &mut Vec<u8>, key: u64, value: &Vec<u8>) {
    pair(out, key, value.len() as u64);
    out.extend_from_slice(value);
}

/// Writes a message.
#[inline]
pub fn message<M: Direct>(out: &mut Vec<u8>, key: u64, message: &M) {
    put_key(out, key);
    block(out, |out| message.write(out));
}

/// Writes a field that is left out where it has its default.
#[inline]
pub fn plain<T: Default + PartialEq>(
    out: &mut Vec<u8>,
    key: u64,
    value: &T,
    put: impl Fn(&mut Vec<u8>, u64, &T),
) {
    if *value != T::default() {
        put(out, key, value);
    }
}

/// Writes the values of an optional or repeated field, each behind the key.
#[inline]
pub fn each<'a, T: 'a>(
    out: &mut Vec<u8>,
    key: u64,
    values: impl IntoIterator<Item = &'a T>,
    put: impl Fn(&mut Vec<u8>, u64, &T),
) {
    for value in values {
        put(out, key, value);
    }
}

/// Writes a packed field.
#[inline]
pub fn packed<T>(out: &mut Vec<u8>, key: u64, values: &[T], put: impl Fn(&mut Vec<u8>, u64, &T)) {
    if !values.is_empty() {
        put_key(out, key);
        block(out, |out| each(out, 0, values, put));
    }
}

/// Writes the entries of a map, by the field keys of their keys and values and how to write each.
#[inline]
pub fn entries<K: Default + PartialEq, V: Default + PartialEq>(
    out: &mut Vec<u8>,
    key: u64,
    map: &BTreeMap<K, V>,
    (key_key, put_key_of): (u64, impl Fn(&mut Vec<u8>, u64, &K)),
    (value_key, put_value_of): (u64, impl Fn(&mut Vec<u8>, u64, &V)),
) {
    for (name, value) in map {
        put_key(out, key);
        block(out, |out| {
            plain(out, key_key, name, &put_key_of);
            plain(out, value_key, value, &put_value_of);
        });
    }
}

#[inline]
fn put_key(out: &mut Vec<u8>, key: u64) {
    if key != 0 {
        varint::put(out, key);
    }
}

/// A key and a varint, which take two or three bytes most often. Inlined always: the key is a
/// constant.
#[inline(always)]
fn pair(out: &mut Vec<u8>, key: u64, value: u64) {
    if key == 0 {
        varint::put(out, value);
    } else if key < 0x80 && value < 0x80 {
        out.extend_from_slice(&[key as u8, value as u8]);
    } else if key < 0x80 && value < 1 << 14 {
        out.extend_from_slice(&[key as u8, value as u8 | 0x80, (value >> 7) as u8]);
    } else {
        varint::put_pair(out, key, value);
    }
}

/// What `write` writes, behind its length, for which one byte is left beforehand.
#[inline]
fn block(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(0);
    write(out);
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
    } else {
        put_long_length(out, start, length);
    }
}

/// Puts a length of several bytes in place of the one byte at `start`.
#[inline(never)]
fn put_long_length(out: &mut Vec<u8>, start: usize, length: usize) {
    let end = out.len();
    varint::put(out, length as u64);
    let length_bytes = out.len() - end;
    out[start..].rotate_right(length_bytes);
    out.remove(start + length_bytes);
}

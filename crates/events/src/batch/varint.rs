//! Protocol Buffers' variable-length integers, read from hostile bytes.
//!
//! Written here, not prost's, because columns are walked billions of times: one-byte values
//! take the short way.

use crate::error::Error;

/// Appends `value`.
#[inline]
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Zigzag: small negative numbers are small.
#[inline]
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
#[inline]
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads a value at the front of `input` and moves it on.
#[inline]
pub(super) fn take(input: &mut &[u8]) -> Result<u64, Error> {
    match input.split_first() {
        Some((&byte, rest)) if byte < 0x80 => {
            *input = rest;
            Ok(u64::from(byte))
        }
        _ => take_long(input),
    }
}

fn take_long(input: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0u64;
    for index in 0..10 {
        let Some(&byte) = input.get(index) else {
            return Err(Error::malformed("a varint is cut off"));
        };
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            break;
        }
        value |= bits << (7 * index);
        if byte < 0x80 {
            *input = &input[index + 1..];
            return Ok(value);
        }
    }
    Err(Error::malformed("a varint has more than 64 bits"))
}

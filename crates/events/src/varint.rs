//! Protocol Buffers' variable-length integers, read from hostile bytes.
//!
//! Written here, not prost's, because columns and payloads are walked billions of times: values of
//! one and two bytes take the short way, longer ones are read as a word.

/// The high bit of each byte of a word: set in all bytes of a value but its last.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const WORD_BYTES: usize = size_of::<u64>();

/// Appends `value`.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else if value < 1 << 14 {
        out.extend_from_slice(&[value as u8 | 0x80, (value >> 7) as u8]);
    } else {
        put_long(out, value);
    }
}

/// Appends two values: a key of a field and what it holds.
#[inline(never)]
pub(crate) fn put_pair(out: &mut Vec<u8>, key: u64, value: u64) {
    if key >= 0x80 || value >= 1 << 49 {
        put(out, key);
        put(out, value);
        return;
    }
    // As one word, whose rest is cut off again.
    let (word, length) = word(value);
    let end = out.len() + 1 + length;
    out.extend_from_slice(&(key | word << 8).to_le_bytes());
    out.truncate(end);
}

#[inline(never)]
fn put_long(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A value below 2^56 as bytes, the first one lowest, and how many they are.
#[inline]
fn word(value: u64) -> (u64, usize) {
    // 9/64 is a little less than 1/7: 7 bits a byte, and at least one.
    let length = ((value | 1).ilog2() * 9 + 73) / 64;
    let high_bits_but_last = ((1 << (8 * (length - 1))) - 1) & HIGH_BITS;
    (split(value) | high_bits_but_last, length as usize)
}

/// Zigzag: small negative numbers are small.
#[inline]
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
#[inline]
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads a value at the front of `input` and moves it on; `None` if it is cut off or has more than
/// 64 bits.
#[inline]
pub(crate) fn take(input: &mut &[u8]) -> Option<u64> {
    let (value, rest) = match *input {
        [byte, rest @ ..] if *byte < 0x80 => (u64::from(*byte), rest),
        [low, high, rest @ ..] if *high < 0x80 => {
            (u64::from(*low & 0x7f) | u64::from(*high) << 7, rest)
        }
        long => match take_long(long) {
            (_, 0) => return None,
            (value, length) => (value, long.get(length..)?),
        },
    };
    *input = rest;
    Some(value)
}

/// The value at the front and its length, 0 for no value: all in registers, and the caller's
/// slice can stay there.
#[inline(never)]
fn take_long(input: &[u8]) -> (u64, usize) {
    let Some(word) = input.first_chunk() else { return take_bytes(input) };
    let word = u64::from_le_bytes(*word);
    let ends = !word & HIGH_BITS;
    if ends == 0 {
        return take_bytes(input);
    }
    // All bits up to the lowest of `ends`, which is that of the value's last byte.
    let value = join(word & (ends ^ (ends - 1)));
    (value, ends.trailing_zeros() as usize / 8 + 1)
}

/// Joins the lower seven bits of each byte: by twos, then by fours, then all.
#[inline]
fn join(word: u64) -> u64 {
    let ones = word & !HIGH_BITS;
    let twos = ones & 0x007f_007f_007f_007f | (ones & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = twos & 0x0000_3fff_0000_3fff | (twos & 0x3fff_0000_3fff_0000) >> 2;
    fours & 0x0000_0000_0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4
}

/// The reverse of [`join`].
#[inline]
fn split(value: u64) -> u64 {
    let fours = value & 0x0000_0000_0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let twos = fours & 0x0000_3fff_0000_3fff | (fours & 0x0fff_c000_0fff_c000) << 2;
    twos & 0x007f_007f_007f_007f | (twos & 0x3f80_3f80_3f80_3f80) << 1
}

/// Byte by byte: near the end of the input, and values of nine and ten bytes.
fn take_bytes(input: &[u8]) -> (u64, usize) {
    let mut value = 0u64;
    for (index, &byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            break;
        }
        value |= bits << (7 * index);
        if byte < 0x80 {
            return (value, index + 1);
        }
    }
    (0, 0)
}

/// Whether all values of a packed column take one byte each, checked by words.
pub(crate) fn are_bytes(column: &[u8]) -> bool {
    let (words, rest) = column.as_chunks::<WORD_BYTES>();
    let word = words.iter().fold(0, |all, word| all | u64::from_le_bytes(*word));
    let byte = rest.iter().fold(0, |all, byte| all | byte);
    word & HIGH_BITS == 0 && byte < 0x80
}

/// The number of values of a packed column if each takes one or two bytes, counted by words.
pub(crate) fn count_short(column: &[u8]) -> Option<usize> {
    let (words, rest) = column.as_chunks::<WORD_BYTES>();
    let mut last = [0; WORD_BYTES];
    last[..rest.len()].copy_from_slice(rest);

    // High bits: how many, that of the byte before a word, and those behind another one.
    let (mut count, mut before, mut pairs) = (0, 0, 0);
    for word in words.iter().chain([&last]) {
        let high = u64::from_le_bytes(*word) & HIGH_BITS;
        count += high.count_ones() as usize;
        pairs |= high & (high << 8 | before);
        before = high >> 56;
    }
    let is_whole = column.last().is_none_or(|byte| *byte < 0x80);
    (pairs == 0 && is_whole).then_some(column.len() - count)
}

#[cfg(test)]
mod tests;

//! Values are read as prost reads them, and columns are checked as if value by value.

use proptest::prelude::*;

use super::*;

/// Bytes of which many have their high bit set, so that values are of all lengths.
fn bytes(length_max: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![any::<u8>(), Just(0x80u8), Just(0xffu8), (0..0x80u8).boxed(), (0..2u8).boxed()];
    proptest::collection::vec(byte, 0..length_max)
}

/// The values of a column one by one; `None` if it does not end with one.
fn values(mut column: &[u8]) -> Option<Vec<u64>> {
    let mut values = Vec::new();
    while !column.is_empty() {
        values.push(take(&mut column)?);
    }
    Some(values)
}

#[test]
fn each_length_is_read_at_the_end_and_before_more() {
    for bits in 0..=64 {
        let value = if bits == 0 { 0 } else { u64::MAX >> (64 - bits) };
        let mut written = Vec::new();
        put(&mut written, value);
        let length = written.len();
        for behind in [0, 1, 3, 20] {
            let mut input = &[&written[..], &vec![0xff; behind]].concat()[..];
            assert_eq!(take(&mut input), Some(value), "{bits} bits, {behind} bytes behind");
            assert_eq!(input.len(), behind, "{bits} bits");
        }
        for cut in 0..length {
            assert_eq!(take(&mut &written[..cut]), None, "{bits} bits, cut at {cut}");
        }
    }
}

#[test]
fn each_length_is_written_as_prost_writes_it() {
    let values = (0..=64).flat_map(|bits| {
        let least = if bits == 0 { 0 } else { 1u64 << (bits - 1) };
        [
            least,
            least.wrapping_mul(2).wrapping_sub(1),
            least | 0x5555_5555_5555_5555 & (least.max(1) - 1),
        ]
    });
    for value in values {
        let mut expected = Vec::new();
        prost::encoding::encode_varint(value, &mut expected);
        let mut written = Vec::new();
        put(&mut written, value);
        assert_eq!(written, expected, "{value:#x}");
        for key in [8, 0x7a, 0x80, 1 << 28] {
            let mut expected = Vec::new();
            prost::encoding::encode_varint(key, &mut expected);
            prost::encoding::encode_varint(value, &mut expected);
            let mut written = Vec::new();
            put_pair(&mut written, key, value);
            assert_eq!(written, expected, "{key:#x} {value:#x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_prost_reads_is_read_alike_and_nothing_else(input in bytes(14)) {
        let (mut ours, mut theirs) = (&input[..], &input[..]);
        let expected = prost::encoding::decode_varint(&mut theirs).ok();
        prop_assert_eq!(take(&mut ours), expected);
        if expected.is_some() {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn columns_are_checked_as_if_value_by_value(column in bytes(40)) {
        prop_assert_eq!(are_bytes(&column), column.iter().all(|byte| *byte < 0x80));
        let is_short = |values: &[u64], column: &[u8]| {
            let mut rest = column;
            values.iter().all(|_| {
                let before = rest.len();
                take(&mut rest).is_some() && before - rest.len() <= 2
            })
        };
        let short = values(&column).filter(|values| is_short(values, &column));
        prop_assert_eq!(count_short(&column), short.map(|values| values.len()));
    }

    #[test]
    fn columns_of_short_values_are_counted(
        values in proptest::collection::vec(0..1u64 << 14, 0..60),
    ) {
        let mut column = Vec::new();
        values.iter().for_each(|value| put(&mut column, *value));
        prop_assert_eq!(count_short(&column), Some(values.len()));
        prop_assert_eq!(are_bytes(&column), column.len() == values.len());
    }
}

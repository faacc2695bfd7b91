//! A group is read as it was written, and any flipped bit is noticed.

use proptest::prelude::*;

use super::*;

fn build(group: u64, batches: &[(u32, Vec<u8>)]) -> (Head, Vec<u8>) {
    let mut sections: Vec<Section> = Vec::new();
    let mut data = Vec::new();
    for (topic, bytes) in batches {
        let offset = match sections.iter_mut().find(|section| section.topic == *topic) {
            Some(section) => {
                section.batches += 1;
                section.bytes += bytes.len() as u64;
                section.end() - 1
            }
            None => {
                let bytes = bytes.len() as u64;
                sections.push(Section { topic: *topic, first_offset: 40, batches: 1, bytes });
                40
            }
        };
        push_record(&mut data, group, Record { topic: *topic, offset, bytes });
    }
    (Head { appended_ms: 12, sections }, data)
}

fn batches() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    proptest::collection::vec((0..3u32, proptest::collection::vec(any::<u8>(), 0..60)), 1..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(batches in batches()) {
        let (head, data) = build(9, &batches);
        let decoded = Head::decode(9, &head.encode(9)).unwrap();
        prop_assert_eq!(&decoded, &head);
        let read = records(9, &decoded, &data).unwrap();
        let read: Vec<_> = read.iter().map(|r| (r.topic, r.bytes.to_vec())).collect();
        prop_assert_eq!(read, batches);
    }

    #[test]
    fn a_flipped_bit_is_noticed(batches in batches(), at in any::<prop::sample::Index>()) {
        let (head, data) = build(9, &batches);
        let mut sealed = head.encode(9);
        let bits = (sealed.len() + data.len()) * 8;
        let bit = at.index(bits);
        let mut data = data;
        match bit.checked_sub(sealed.len() * 8) {
            None => sealed[bit / 8] ^= 1 << (bit % 8),
            Some(bit) => data[bit / 8] ^= 1 << (bit % 8),
        }
        let read = Head::decode(9, &sealed).map(|head| records(9, &head, &data).is_ok());
        prop_assert!(read != Some(true));
    }

    #[test]
    fn noise_is_refused_without_panic(
        head in proptest::collection::vec(any::<u8>(), 0..80),
        data in proptest::collection::vec(any::<u8>(), 1..80),
    ) {
        prop_assert!(Head::decode(1, &head).is_none());
        let head = Head { appended_ms: 0, sections: Vec::new() };
        prop_assert!(records(1, &head, &data).is_err());
    }
}

#[test]
fn a_group_is_not_taken_for_another() {
    let (head, data) = build(9, &[(1, b"batch".to_vec())]);
    assert!(Head::decode(8, &head.encode(9)).is_none());
    assert!(records(8, &head, &data).is_err());
}

//! The bit layout, known ids, and texts that are none.

use proptest::prelude::*;

use super::*;

#[test]
fn known_ids_have_the_documented_bits() {
    for (producer, sequence, text) in [
        // Only version and variant.
        (0, 0, "00000000-0000-8000-8000-000000000000"),
        // The ten low bits of the producer stand after the version, those above before it;
        // bit 62 of the sequence stands before the variant, bit 61 after it.
        (0x7ff, (1 << 62) | (1 << 61), "00000000-0001-8ffd-a000-000000000000"),
        ((1 << 58) - 1, u64::MAX, "ffffffff-ffff-8fff-bfff-ffffffffffff"),
    ] {
        let id = EventId { producer: ProducerId(producer), sequence };
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse::<EventId>().unwrap(), id);
    }
}

#[test]
fn texts_that_are_no_event_ids_are_refused() {
    for text in [
        "",
        "x",
        "00000000-0000-4000-8000-000000000000",
        "00000000-0000-8000-0000-000000000000",
        "000000000000-8000-8000-000000000000000",
        "zz000000-0000-8000-8000-000000000000",
        "ä0000000-0000-8000-8000-00000000000",
    ] {
        assert!(text.parse::<EventId>().is_err(), "{text}");
    }
    assert!(ProducerId::new(1 << 58).is_err());
}

#[test]
fn foreign_ids_meet_themselves_only() {
    assert_eq!(EventId::from_foreign("abc"), EventId::from_foreign("abc"));
    assert_ne!(EventId::from_foreign("abc"), EventId::from_foreign("abd"));
}

proptest! {
    #[test]
    fn every_id_round_trips(producer in 0..1u64 << 58, sequence: u64) {
        let id = EventId { producer: ProducerId(producer), sequence };
        prop_assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        prop_assert_eq!(EventId::from_foreign(&id.to_string()).unwrap(), id);
    }
}

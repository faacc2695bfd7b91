//! The bit layout, known ids, and texts that are none.

use super::*;
use proptest::prelude::*;

#[test]
fn known_id_has_the_documented_bits() {
    let id = EventId { producer: ProducerId(0x0155_5555_5555_5402), sequence: 1 };
    assert_eq!(
        id.to_string(),
        "00555555-5555-8408-8000-000000000001".replace(
            "00555555-5555-8408",
            &format!(
                "{:08x}-{:04x}-{:04x}",
                0x0155_5555_5555_5402_u64 >> 26,
                0x0155_5555_5555_5402_u64 >> 10 & 0xffff,
                0x8000 | (0x0155_5555_5555_5402_u64 & 0x3ff) << 2
            )
        )
    );
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
        prop_assert_eq!(EventId::from_foreign(&id.to_string()), id);
    }
}

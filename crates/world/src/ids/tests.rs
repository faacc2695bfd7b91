//! Claims about identities of simulated events.

use super::*;

#[test]
fn fnv_gives_its_published_answers() {
    let hash = |text: &str| {
        let mut hash = Fnv128::default();
        hash.write(text.as_bytes());
        hash.0
    };
    assert_eq!(hash(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    assert_eq!(hash("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
}

#[test]
fn producer_ids_are_58_bits_and_differ_in_every_field() {
    let ids = [
        producer_id_of_model("europe", "time-manager", 0, 0, 1),
        producer_id_of_model("europf", "time-manager", 0, 0, 1),
        producer_id_of_model("europe", "weather-manager", 0, 0, 1),
        producer_id_of_model("europet", "ime-manager", 0, 0, 1),
        producer_id_of_model("europe", "time-manager", 1, 0, 1),
        producer_id_of_model("europe", "time-manager", 0, 1, 1),
        producer_id_of_model("europe", "time-manager", 0, 0, 2),
    ];
    assert!(ids.iter().all(|id| *id > 0 && id >> 58 == 0));
    let mut unique = ids.to_vec();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn slots_of_a_boundary_never_meet() {
    let slots = Slots::new(2, 3);
    let mut all = Vec::new();
    for boundary in -2..3 {
        for kind in 0..2 {
            for entity in [None, Some(0), Some(1), Some(2)] {
                all.push(slots.sequence(boundary, kind, entity));
            }
        }
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), slots.stride()), (count, 8));
}

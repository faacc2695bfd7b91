//! The window against a plain set, and its bounds.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn id(producer: u64, sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(producer), sequence }
}

proptest! {
    #[test]
    fn agrees_with_a_set(steps in proptest::collection::vec((0..3u64, 0..60u64, 1..6u64), 1..200)) {
        let mut window = SeenWindow::default();
        let mut model = HashSet::new();
        for (producer, first, count) in steps {
            let ids: Vec<EventId> = (first..first + count).map(|s| id(producer, s)).collect();
            if count == 1 {
                prop_assert_eq!(window.insert(ids[0]), model.insert(ids[0]));
            } else {
                let fresh = ids.iter().all(|id| !model.contains(id));
                let producer = ProducerId::from_bits(producer);
                prop_assert_eq!(window.insert_range(producer, first, first + count), fresh);
                if fresh {
                    model.extend(ids);
                }
            }
            for sequence in 0..70 {
                let id = id(producer, sequence);
                prop_assert_eq!(window.contains(id), model.contains(&id));
            }
        }
    }
}

#[test]
fn memory_is_bounded_and_forgets_the_oldest() {
    let limits = SeenLimits { producers_max: 2, ranges_per_producer_max: 3 };
    let mut window = SeenWindow::new(limits);
    for sequence in [0, 2, 4, 6] {
        assert!(window.insert(id(1, sequence)));
    }
    assert!(!window.contains(id(1, 0)) && window.contains(id(1, 6)));
    assert!(window.insert(id(2, 0)) && window.insert(id(3, 0)));
    assert!(!window.contains(id(1, 6)) && window.contains(id(2, 0)));
}

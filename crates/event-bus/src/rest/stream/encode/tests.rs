//! Tests of `encode`.

use super::*;
use worldbus_bus::{LogEnd, Topic};
use worldbus_conformance::typed;

fn stored(commit: u64, events: u64, payload_bytes: usize) -> StoredBatch {
    StoredBatch {
        topic: Topic::new("weather").expect("a valid name"),
        offset: commit,
        appended_ms: 0,
        serial: Some(Serial { commit, index: 0 }),
        batch: typed(1, 0..events, 1, Some("ghent"), payload_bytes),
    }
}

fn at_commit(next_commit: u64) -> Cursor {
    Cursor::at_end(LogEnd { log: None, next_commit, time_ms: 0 })
}

fn encoder() -> Encoder {
    Encoder::new(SharedCatalogue::default())
}

#[test]
fn text_is_made_once_for_all_clients_with_the_same_view() {
    let encoder = encoder();
    let filter = |entities: &[&str]| Filter {
        types: vec![2, 1],
        entities: entities.iter().map(|&entity| entity.to_owned()).collect(),
        places: Vec::new(),
    };
    let view = encoder.view(filter(&["ghent", "bruges"]), Vec::new());
    let same = encoder.view(filter(&["bruges", "ghent", "bruges"]), Vec::new());
    let other = encoder.view(filter(&["liege"]), Vec::new());
    assert!(Arc::ptr_eq(&view, &same) && !Arc::ptr_eq(&view, &other));
    let stored = stored(7, 3, 8);
    let cursor = at_commit(0);
    let first = encoder.text(&view, &stored, 0, &cursor);
    // Wherever they stood before.
    let second = encoder.text(&same, &stored, 0, &at_commit(7));
    assert_eq!(first.bytes.as_ptr(), second.bytes.as_ptr());
    assert_eq!((first.events, first.last, first.more), (3, 2, false));
    let nothing = encoder.text(&other, &stored, 0, &cursor);
    assert_eq!((nothing.bytes.len(), nothing.events, nothing.last), (0, 0, 2));
}

#[test]
fn text_that_names_places_of_one_client_is_not_shared() {
    let encoder = encoder();
    let view = encoder.view(Filter::default(), Vec::new());
    let listed = worldbus_bus::TopicStatus {
        topic: Topic::new("npc").expect("a valid name"),
        first_offset: 0,
        next_offset: 9,
        events_total: 0,
        bytes: 0,
        idle: None,
    };
    let stored = stored(7, 1, 8);
    let own = encoder.text(&view, &stored, 0, &Cursor::behind(&[listed]));
    let shared = encoder.text(&view, &stored, 0, &at_commit(0));
    assert_ne!(own.bytes, shared.bytes);
    assert_eq!(lock(&encoder.kept).texts.len(), 1);
}

#[test]
fn large_batch_is_a_text_after_another_and_what_is_kept_is_bounded() {
    let encoder = encoder();
    let view = encoder.view(Filter::default(), Vec::new());
    let (mut texts, mut bytes_max) = (0, 0);
    for commit in 0..40 {
        let stored = stored(commit, 64, 16 << 10);
        let (mut first, mut events) = (0, 0);
        loop {
            let text = encoder.text(&view, &stored, first, &at_commit(0));
            (texts, events) = (texts + 1, events + text.events);
            bytes_max = bytes_max.max(text.bytes.len());
            if !text.more {
                break;
            }
            first = text.last + 1;
        }
        assert_eq!(events, 64, "each once");
    }
    assert!(bytes_max < 2 * TEXT_BYTES, "{bytes_max}");
    let kept = lock(&encoder.kept);
    assert!(kept.bytes <= KEPT_BYTES_MAX && kept.texts.len() < texts);
    assert_eq!(kept.texts.len(), kept.order.len());
}

//! What the fuzz target and the replay of its corpus do with an input.
//!
//! The first byte chooses the content type, the others are the bytes. Whatever decodes must be
//! walkable, must come back byte by byte as a batch, must have a JSON form, and generated code must
//! make of its payloads what prost does. Behind the last content type comes a payload alone, behind
//! its event type in two bytes.

pub(crate) mod typed;

use bytes::Bytes;

use worldbus_events::{Batch, BatchBuilder, Catalogue, ContentType, codec, json};

/// The choice of a payload alone.
pub(crate) const PAYLOAD_CHOICE: usize = ContentType::ALL.len();

/// Panics if the contract is broken.
pub(crate) fn decode_any(input: &[u8]) {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let choice = usize::from(choice) % (PAYLOAD_CHOICE + 1);
    let Some(&content_type) = ContentType::ALL.get(choice) else { return payload(bytes) };
    let catalogue = Catalogue::builtin();
    let bytes = Bytes::copy_from_slice(bytes);
    let Ok(batches) = codec::decode_all(content_type, bytes, &catalogue) else { return };
    for batch in &batches {
        decode_again(batch, &catalogue);
    }
}

fn payload(bytes: &[u8]) {
    let Some((event_type, payload)) = bytes.split_first_chunk() else { return };
    typed::decode(u16::from_le_bytes(*event_type).into(), payload);
}

fn decode_again(batch: &Batch, catalogue: &Catalogue) {
    check(batch, catalogue);
    let again = Batch::decode(batch.bytes().clone()).expect("it decoded before");
    assert_eq!(again.len(), batch.len());
    if let Some(rebuilt) = rebuild(batch) {
        assert!(rebuilt.iter().map(|event| event.id).eq(batch.iter().map(|event| event.id)));
        let once_more = Batch::decode(rebuilt.bytes().clone()).expect("we wrote it");
        assert_eq!(once_more, rebuilt);
    }
}

fn check(batch: &Batch, catalogue: &Catalogue) {
    let mut events = 0;
    for event in batch {
        let text = json::event(&event, catalogue);
        assert!(text.starts_with('{') && text.ends_with('}') && !text.contains('\n'));
        // Bytes that no message has made may be refused, but nothing panics.
        let _ = json::read(&text, catalogue);
        typed::decode(event.event_type, event.payload);
        events += 1;
    }
    assert_eq!(events, batch.len());
}

/// `None` if the whole is just too large to be built once more with room to spare.
fn rebuild(batch: &Batch) -> Option<Batch> {
    let mut builder = BatchBuilder::new(batch.source(), batch.world());
    for event in batch {
        builder.push(event.to_new()).ok()?;
    }
    builder.finish()
}

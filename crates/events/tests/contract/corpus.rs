//! Replays the corpus of the fuzz target `decode`, and writes it from the golden vectors.
//!
//! `WORLDBUS_BLESS=1` writes the seeds again; what fuzzing finds is added to them by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

use super::decode_any::{PAYLOAD_CHOICE, decode_any};
use super::vectors;
use worldbus_events::{Catalogue, ContentType, codec};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/decode")
}

/// Every vector in every content type that can hold it, behind the byte that chooses it; each
/// whole, cut in the middle, and with a changed byte. And a payload of each event type, behind its
/// number.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let catalogue = Catalogue::builtin();
    let mut seeds = Vec::new();
    for (name, batch) in vectors::batches() {
        for (choice, content_type) in ContentType::ALL.into_iter().enumerate() {
            if let Ok(bytes) = codec::encode(content_type, &batch, &catalogue) {
                vary(&mut seeds, &format!("{name}-{choice}"), choice as u8, &bytes);
            }
        }
    }
    for (name, event) in vectors::game_events() {
        vary(&mut seeds, &format!("game_event-{name}"), 0, &event.encode_to_vec());
    }
    let mut payloads = BTreeMap::new();
    for (_, batch) in vectors::batches() {
        for event in &batch {
            let head = [&[PAYLOAD_CHOICE as u8], &(event.event_type as u16).to_le_bytes()[..]];
            payloads.insert(event.event_type, [&head.concat(), event.payload].concat());
        }
    }
    seeds.extend(payloads.into_iter().map(|(of, seed)| (format!("payload-{of}"), seed)));
    seeds
}

fn vary(seeds: &mut Vec<(String, Vec<u8>)>, name: &str, choice: u8, bytes: &[u8]) {
    let whole = [&[choice], bytes].concat();
    seeds.push((format!("{name}-cut"), whole[..whole.len() / 2].to_vec()));
    let mut changed = whole.clone();
    let at = whole.len() / 3;
    changed[at] ^= 0x15;
    seeds.push((format!("{name}-changed"), changed));
    seeds.push((name.to_owned(), whole));
}

#[test]
fn no_input_of_the_corpus_panics() {
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        for (name, seed) in seeds() {
            fs::write(folder().join(name), seed).unwrap();
        }
    }
    let mut inputs = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        decode_any(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs >= seeds().len(), "{inputs} inputs in fuzz/corpus/decode");
}

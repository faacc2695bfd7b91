//! What others take for the same event: serde_json and sonic-rs with typed structs in this process,
//! and Python's ways in one of their own (`stock.py`).

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{JsonEvent, nanos};
use worldbus::events::DESCRIPTOR_SET;

/// What a way takes.
pub(super) struct Stock {
    pub(super) name: String,
    /// Nanoseconds an event, run by run.
    pub(super) encode: Vec<f64>,
    pub(super) decode: Vec<f64>,
    pub(super) bytes: usize,
}

pub(super) fn serde_json(events: &[JsonEvent], texts: &[String]) -> Stock {
    let encode = nanos(|| {
        for event in events {
            drop(black_box(serde_json::to_string(black_box(event))));
        }
    });
    let decode = nanos(|| {
        for text in texts {
            drop(black_box(serde_json::from_str::<JsonEvent>(black_box(text))));
        }
    });
    Stock { name: "serde_json".to_owned(), encode, decode, bytes: texts[0].len() }
}

pub(super) fn sonic_rs(events: &[JsonEvent], texts: &[String]) -> Stock {
    let encode = nanos(|| {
        for event in events {
            drop(black_box(sonic_rs::to_string(black_box(event))));
        }
    });
    let decode = nanos(|| {
        for text in texts {
            drop(black_box(sonic_rs::from_str::<JsonEvent>(black_box(text))));
        }
    });
    Stock { name: "sonic-rs".to_owned(), encode, decode, bytes: texts[0].len() }
}

/// What this Python has of json, orjson and protobuf; nothing without a Python.
pub(super) fn python(python: &Path, text: &str) -> Vec<Stock> {
    let Ok(mut descriptors) = tempfile::NamedTempFile::new() else { return Vec::new() };
    if descriptors.write_all(DESCRIPTOR_SET).is_err() {
        return Vec::new();
    }
    let mut command = Command::new(python);
    command.args(["-c", include_str!("stock.py"), text]).arg(descriptors.path());
    let Ok(output) = command.stderr(Stdio::inherit()).output() else { return Vec::new() };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(way).collect()
}

fn way(line: &str) -> Option<Stock> {
    let mut cells = line.split('\t');
    let name = format!("Python {}", cells.next()?);
    let mut number = || cells.next()?.parse::<f64>().ok();
    let (encode, decode, bytes) = (vec![number()?], vec![number()?], number()? as usize);
    Some(Stock { name, encode, decode, bytes })
}

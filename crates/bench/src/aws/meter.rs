//! A proxy in front of AWS's endpoint that counts what would be billed: requests that move
//! messages, in units of 64 KiB. SNS bills a publish by its messages, SQS a receive by what it
//! brings and a delete as one unit; what sets topics and queues up is not counted.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use worldbus_testkit::{HttpMessage, Proxy};

const UNIT_BYTES: u64 = 64 << 10;

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) requests: u64,
    pub(super) units: u64,
    pub(super) publishes: u64,
    pub(super) receives: u64,
    pub(super) deletes: u64,
    /// Bytes of the attribute `batch` of what was published.
    pub(super) batch_bytes: u64,
}

/// A running proxy.
pub(super) struct Meter {
    proxy: Proxy,
    count: Arc<Mutex<Count>>,
}

impl Meter {
    /// Counts what goes to a port of this machine.
    pub(super) fn start(to: u16) -> Self {
        let count = Arc::<Mutex<Count>>::default();
        let counted = Arc::clone(&count);
        let note = move |request: &HttpMessage, answer: &HttpMessage| {
            let mut count = counted.lock().unwrap_or_else(PoisonError::into_inner);
            *count = add(*count, request, answer);
        };
        Self { proxy: Proxy::start(to, note), count }
    }

    pub(super) fn port(&self) -> u16 {
        self.proxy.port()
    }

    pub(super) fn count(&self) -> Count {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(mut count: Count, request: &HttpMessage, answer: &HttpMessage) -> Count {
    let action = match request.header("x-amz-target").and_then(|target| target.split_once('.')) {
        Some((_, action)) => action.to_owned(),
        None => {
            let mut form = parse_form(&request.body);
            form.find_map(|(name, value)| (name == "Action").then_some(value)).unwrap_or_default()
        }
    };
    let units = |bytes: u64| bytes.div_ceil(UNIT_BYTES).max(1);
    let billed = match action.as_str() {
        "Publish" | "PublishBatch" => {
            count.publishes += 1;
            let (bytes, batch) = published(&request.body);
            count.batch_bytes += batch;
            units(bytes)
        }
        "ReceiveMessage" => {
            count.receives += 1;
            units(received(&answer.body))
        }
        "DeleteMessage" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            count.deletes += 1;
            1
        }
        _ => return count,
    };
    count.requests += 1;
    count.units += billed;
    count
}

fn parse_form(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(body).into_owned()
}

/// Bytes of the messages of a publish: bodies and attributes, Binary as its bytes; and those of
/// the attribute `batch` alone.
fn published(body: &[u8]) -> (u64, u64) {
    let (mut bytes, mut batch, mut name) = (0, 0, String::new());
    for (key, value) in parse_form(body) {
        let last = key.rsplit('.').next().unwrap_or_default();
        let length = value.len() as u64;
        match last {
            "Message" | "StringValue" | "DataType" => bytes += length,
            "Name" => {
                bytes += length;
                name = value;
            }
            "BinaryValue" => {
                let raw = decoded(&value);
                bytes += raw;
                batch += if name == "batch" { raw } else { 0 };
            }
            _ => {}
        }
    }
    (bytes, batch)
}

/// Bytes of the messages that a receive brought.
fn received(body: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or(0, |text| text.len() as u64);
    let of_message = |message: &Value| {
        let attributes = message["MessageAttributes"].as_object().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| {
            let binary = value["BinaryValue"].as_str().map_or(0, decoded);
            name.len() as u64 + text(&value["DataType"]) + text(&value["StringValue"]) + binary
        });
        text(&message["Body"]) + attributes.sum::<u64>()
    };
    answer["Messages"].as_array().into_iter().flatten().map(of_message).sum()
}

/// Bytes that a base64 text stands for.
fn decoded(base64: &str) -> u64 {
    let padding = base64.bytes().rev().take_while(|&byte| byte == b'=').count() as u64;
    (base64.len() as u64 / 4 * 3).saturating_sub(padding)
}

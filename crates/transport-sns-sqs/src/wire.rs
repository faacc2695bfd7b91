//! A batch as a message, and a message as a batch. No I/O, no SDK.
//!
//! | attribute | type | is |
//! | --- | --- | --- |
//! | `content_type` | String | how it is encoded; a parameter `topic`, as raw delivery names none |
//! | `event_types` | String.Array | the names of its event types, for filter policies |
//! | `source`, `world` | String | as in the batch, for people; left out if empty |
//! | `trace` | String | the `traceparent` of its first sampled event; left out without one |
//! | `batch` | Binary | the batch; with `encoding=json` the body has it |

mod read;
mod write;
pub(crate) mod xray;

use bytes::Bytes;

pub(crate) use read::{Decoded, Received, Undecodable, read};
pub(crate) use write::{Message, carrying, content_type, escaped, write};

/// Names of attributes.
pub(crate) mod attribute {
    pub(crate) const CONTENT_TYPE: &str = "content_type";
    pub(crate) const EVENT_TYPES: &str = "event_types";
    pub(crate) const SOURCE: &str = "source";
    pub(crate) const WORLD: &str = "world";
    /// The context of a trace, for whoever reads no batches.
    pub(crate) const TRACE: &str = "trace";
    pub(crate) const BATCH: &str = "batch";
    /// One GameEvent, as programs that know no batches send it.
    pub(crate) const EVENT: &str = "event";
    /// Why a message is a dead letter.
    pub(crate) const DEAD_LETTER: &str = "dead_letter";
}

/// The parameter of the content type that names the topic.
const TOPIC_PARAMETER: &str = "topic";
/// Attributes of a message beyond which SNS drops it in raw delivery.
pub(crate) const ATTRIBUTE_COUNT_MAX: usize = 10;
/// Body and attributes of all messages of one request.
pub(crate) const REQUEST_BYTES_MAX: usize = 256 << 10;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A String.
    Text(String),
    /// A String.Array: a JSON array of texts.
    Texts(String),
    /// Bytes.
    Binary(Bytes),
}

impl Value {
    /// As AWS calls it.
    pub(crate) fn data_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::Texts(_) => "String.Array",
            Self::Binary(_) => "Binary",
        }
    }

    /// Bytes as the limit counts them at the most: Binary in base64.
    fn bytes(&self) -> usize {
        let value = match self {
            Self::Text(text) | Self::Texts(text) => text.len(),
            Self::Binary(bytes) => bytes.len().div_ceil(3) * 4,
        };
        self.data_type().len() + value
    }
}

/// Whether SNS and SQS take the character.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests;

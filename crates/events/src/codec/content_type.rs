//! What bytes are declared to be.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Kind};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const ZSTD: &str = "+zstd";
const GAME_EVENT: &str = "worldbus.events.v1.GameEvent";
const EVENT_BATCH: &str = "worldbus.events.v1.EventBatch";

/// A content type of the contract. Parses from a media type (RFC 9110 section 8.3.1) in any
/// case, with parameters in any order and unknown ones ignored; prints its one official form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// One event in a message of its own.
    GameEvent,
    /// A batch.
    EventBatch,
    /// A batch, compressed with zstd.
    EventBatchZstd,
    /// The JSON form, see [`crate::json`].
    Json,
}

impl ContentType {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::GameEvent, Self::EventBatch, Self::EventBatchZstd, Self::Json];

    /// The official form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GameEvent => "application/x-protobuf",
            Self::EventBatch => "application/x-protobuf; messageType=worldbus.events.v1.EventBatch",
            Self::EventBatchZstd => {
                "application/x-protobuf; messageType=worldbus.events.v1.EventBatch+zstd"
            }
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            let known = Self::ALL.map(|known| format!("{:?}", known.as_str())).join(", ");
            let context = format!("{text:.120?}; expected one of {known}");
            Error::new(Kind::UnknownContentType, context)
        })
    }
}

fn parse(text: &str) -> Option<ContentType> {
    let mut parts = text.split(';');
    let media_type = parts.next()?.trim().to_ascii_lowercase();
    if media_type == JSON {
        return Some(ContentType::Json);
    }
    // The suffix may stand at the media type as well, where RFC 6838 has it.
    let (media_type, compressed) = without_suffix(&media_type);
    if media_type != PROTOBUF {
        return None;
    }
    let message = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("messageType").then(|| value.trim().trim_matches('"'))
    });
    let (message, message_compressed) = without_suffix(message.unwrap_or(GAME_EVENT));
    match (message, compressed || message_compressed) {
        (GAME_EVENT, false) => Some(ContentType::GameEvent),
        (EVENT_BATCH, false) => Some(ContentType::EventBatch),
        (EVENT_BATCH, true) => Some(ContentType::EventBatchZstd),
        _ => None,
    }
}

fn without_suffix(text: &str) -> (&str, bool) {
    match text.strip_suffix(ZSTD) {
        Some(text) => (text, true),
        None => (text, false),
    }
}

//! An event as one line for people: when, what, about whom, and the payload in short.

use std::fmt::{self, Write as _};

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use worldbus_events::{Catalogue, EventView, json};

/// Characters of the payload on a line.
const PAYLOAD_CHARS_MAX: usize = 200;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const COLOURS: [&str; 5] = ["\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m"];
const RESET: &str = "\x1b[0m";

/// Writes lines.
pub(super) struct Lines {
    type_width: usize,
    colour: bool,
    json: String,
}

/// The keys of the JSON form that a line shows.
#[derive(Default)]
struct Shown {
    timestamp: String,
    event_type: String,
    entity: String,
    payload: String,
}

impl Lines {
    /// Lines whose columns fit the catalogue.
    pub(super) fn new(catalogue: &Catalogue, colour: bool) -> Self {
        let widths = catalogue.iter().map(|event_type| event_type.name().len());
        Self { type_width: widths.max().unwrap_or(0), colour, json: String::new() }
    }

    /// Appends an event, without an end of line.
    pub(super) fn write(
        &mut self,
        line: &mut String,
        event: &EventView<'_>,
        catalogue: &Catalogue,
    ) {
        self.json.clear();
        json::write_event(&mut self.json, event, catalogue);
        let mut shown = Shown::default();
        let mut json = serde_json::Deserializer::from_str(&self.json);
        // What we have just written has this form.
        let _ = json.deserialize_map(EventForm(&mut shown));
        let width = self.type_width;
        let (dim, bold, reset) = if self.colour { (DIM, BOLD, RESET) } else { ("", "", "") };
        let colour =
            if self.colour { COLOURS[event.event_type as usize % COLOURS.len()] } else { "" };
        let Shown { timestamp, event_type, entity, payload } = shown;
        // Writing to a String cannot fail.
        let _ = write!(line, "{dim}{timestamp}{reset}  {colour}{event_type:width$}{reset}");
        if !entity.is_empty() {
            let _ = write!(line, "  {bold}{}{reset}", printable(&entity));
        }
        if !payload.is_empty() {
            let _ = write!(line, "  {}", printable(&payload));
        }
    }
}

/// Text of strangers, cut short: it must not steer the terminal nor fill it.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        if at == PAYLOAD_CHARS_MAX {
            safe.push('…');
            break;
        }
        if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

struct EventForm<'a>(&'a mut Shown);

impl<'de> Visitor<'de> for EventForm<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event in the JSON form")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "timestamp" => self.0.timestamp = plain(&map.next_value()?),
                "event_type" => self.0.event_type = map.next_value()?,
                "entity" => self.0.entity = map.next_value()?,
                "payload" => map.next_value_seed(Pairs(&mut self.0.payload))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The fields of an object as `key=value`, in the order of the message.
struct Pairs<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Pairs<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if says_nothing(&value) {
                continue;
            }
            let space = if self.0.is_empty() { "" } else { " " };
            let _ = write!(self.0, "{space}{key}={}", plain(&value));
        }
        Ok(())
    }
}

/// Texts, enums and flags that are not set; zeros may be values.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty() || text.ends_with("_UNSPECIFIED"),
        Value::Bool(set) => !set,
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_events::{
        BatchBuilder, Event as _, EventId, NewEvent, ProducerId, prost::Message, v1,
    };

    fn line(event_type: u32, entity: Option<&str>, payload: &[u8], colour: bool) -> String {
        let catalogue = Catalogue::builtin();
        let mut builder = BatchBuilder::new("test", "europe");
        let id = EventId { producer: ProducerId::from_bits(1), sequence: 1 };
        let event =
            NewEvent { event_type, id, timestamp_ms: 1500, entity, payload, metadata: None };
        builder.push(event).unwrap();
        let batch = builder.finish().unwrap();
        let mut line = String::new();
        let event = batch.iter().next().unwrap();
        Lines::new(&catalogue, colour).write(&mut line, &event, &catalogue);
        line
    }

    #[test]
    fn line_says_when_what_about_whom_and_why() {
        let updated = v1::TimeUpdated { hour: 7, minute: 5, ..Default::default() };
        let line = line(v1::TimeUpdated::NUMBER, Some("brussels"), &updated.encode_to_vec(), false);
        assert!(line.starts_with("1970-01-01T00:00:01.500Z  time.updated"), "{line}");
        assert!(line.contains("  brussels  total_minutes=0 hour=7 minute=5"), "{line}");
    }

    #[test]
    fn unknown_type_is_shown_by_number_and_strange_text_does_not_steer_the_terminal() {
        let line = line(4711, Some("\u{1b}[2Jx\u{9b}"), b"abc", true);
        assert!(line.contains("4711") && line.contains("base64=YWJj"), "{line}");
        assert!(line.contains("\\u{1b}[2Jx\\u{9b}"), "{line:?}");
        assert!(!line.contains("\u{1b}[2J"), "{line:?}");
    }
}

//! An event as one line for people: when, at which game time, what, about which entity, and the
//! payload in short. On a terminal a line fills one row at most.

mod clock;
mod units;

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use worldbus_events::{Catalogue, EventType, EventView, json};

use clock::Clocks;
pub(super) use clock::{CLOCK_TOPIC, CLOCK_TYPES};

/// Characters of a text on a line: all of a weather.changed.
const PAYLOAD_CHARS_MAX: usize = 400;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const COLOURS: [&str; 5] = ["\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m"];
const RESET: &str = "\x1b[0m";

/// Columns of a line that are always there.
const WALL_TIME_WIDTH: usize = "11-29 02:45:06Z".len();
const GAME_TIME_WIDTH: usize = "2024-03-01 07:05".len();

/// Writes lines.
pub(super) struct Lines {
    type_width: usize,
    colour: bool,
    /// Characters of a row; lines that are longer are cut.
    row_width: Option<usize>,
    clocks: Clocks,
    json: String,
    plain: String,
}

/// The keys of the JSON form that a line shows.
#[derive(Default)]
struct Shown {
    timestamp: String,
    event_type: String,
    entity: String,
    payload: Vec<(String, Value)>,
}

impl Lines {
    /// Lines whose columns fit the catalogue; each fits a row of `row_width` characters.
    pub(super) fn new(catalogue: &Catalogue, colour: bool, row_width: Option<usize>) -> Self {
        let widths = catalogue.iter().map(|event_type| event_type.name().len());
        let type_width = widths.max().unwrap_or(0);
        let (json, plain) = (String::new(), String::new());
        Self { type_width, colour, row_width, clocks: Clocks::default(), json, plain }
    }

    /// Keeps the game time that an event carries, whether it is shown or not.
    pub(super) fn follow(&mut self, event: &EventView<'_>) {
        self.clocks.follow(event);
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
        let now = self.clocks.now(event.batch().world());
        self.plain.clear();
        let event_type = catalogue.by_number(event.event_type);
        payload(&mut self.plain, &shown, event_type, now.map(|now| now.game_us));

        let mut row = Row { line, left: self.row_width.unwrap_or(usize::MAX), colour: self.colour };
        let kind = COLOURS[event.event_type as usize % COLOURS.len()];
        let wall_time = short_time(&shown.timestamp);
        row.cell(DIM, &format!("{wall_time:WALL_TIME_WIDTH$}  "));
        let game_time = now.map(|now| now.to_string()).unwrap_or_default();
        row.cell("", &format!("{game_time:GAME_TIME_WIDTH$}  "));
        row.cell(kind, &format!("{:width$}", shown.event_type, width = self.type_width));
        if !shown.entity.is_empty() {
            row.cell(BOLD, &format!("  {}", printable(&shown.entity)));
        }
        if !self.plain.is_empty() {
            row.cell("", &format!("  {}", printable(&self.plain)));
        }
    }
}

/// A line under construction that ends where the row does.
struct Row<'a> {
    line: &'a mut String,
    left: usize,
    colour: bool,
}

impl Row<'_> {
    /// Appends text in a style, as much as there is room for; `…` stands for what is cut.
    fn cell(&mut self, style: &str, text: &str) {
        let style = if self.colour { style } else { "" };
        let length = text.chars().count();
        self.line.push_str(style);
        if length <= self.left {
            self.line.push_str(text);
        } else if self.left > 0 {
            self.line.extend(text.chars().take(self.left - 1));
            self.line.push('…');
        }
        self.left = self.left.saturating_sub(length);
        if !style.is_empty() {
            self.line.push_str(RESET);
        }
    }
}

/// `11-29 02:45:06Z` of `2026-11-29T02:45:06.123Z`; another form stays as it is.
fn short_time(timestamp: &str) -> String {
    match (timestamp.get(5..10), timestamp.get(11..19), timestamp.ends_with('Z')) {
        (Some(date), Some(time), true) => format!("{date} {time}Z"),
        _ => timestamp.to_owned(),
    }
}

/// The fields that say something, in the order of the message. What repeats the entity does not.
fn payload(out: &mut String, shown: &Shown, of: Option<&EventType>, now_us: Option<i64>) {
    for (name, value) in &shown.payload {
        if says_nothing(value) || value.as_str().is_some_and(|text| text == shown.entity) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let short = value.as_str().and_then(|value| of?.short_value(name, value));
        units::field(out, name, &short.map_or_else(|| value.clone(), Value::String), now_us);
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
                "timestamp" => self.0.timestamp = units::plain(&map.next_value()?),
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

/// The fields of an object in the order of the message.
struct Pairs<'a>(&'a mut Vec<(String, Value)>);

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
        while let Some(field) = map.next_entry::<String, Value>()? {
            self.0.push(field);
        }
        Ok(())
    }
}

/// Texts, enums and flags that are not set; zeros may be values.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty() || text.ends_with("_UNSPECIFIED"),
        Value::Bool(set) => !set,
        Value::Null => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;

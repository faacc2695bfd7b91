//! An event as one line for people: when, at which game time, in which world once there are
//! several, what, about which entity, and the payload in short. On a terminal a line fills one row
//! at most.

mod clock;
mod payload;
mod units;

use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::output::terminal::printable;
use clock::Clocks;
use payload::Payload;
use worldbus_events::{Catalogue, EventView, json};

pub(super) use clock::{CLOCK_TOPIC, CLOCK_TYPES};

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
    /// The world that was seen first.
    world: Option<String>,
    /// Characters of the longest world's name once a second world was seen; 0 before.
    world_width: usize,
    json: String,
    plain: String,
}

/// The keys of the JSON form that a line shows.
#[derive(Default)]
struct Shown {
    timestamp: String,
    event_type: String,
    entity: String,
    place: String,
    payload: Payload,
}

impl Lines {
    /// Lines whose columns fit the catalogue; each fits a row of `row_width` characters.
    pub(super) fn new(catalogue: &Catalogue, colour: bool, row_width: Option<usize>) -> Self {
        let widths = catalogue.iter().map(|event_type| event_type.name().len());
        let type_width = widths.max().unwrap_or(0);
        let (json, plain) = (String::new(), String::new());
        let (clocks, world, world_width) = (Clocks::default(), None, 0);
        Self { type_width, colour, row_width, clocks, world, world_width, json, plain }
    }

    /// Keeps the game time that an event carries, and that there is its world, whether it is shown
    /// or not.
    pub(super) fn follow(&mut self, event: &EventView<'_>) {
        self.clocks.follow(event);
        let world = event.batch().world();
        let first = self.world.get_or_insert_with(|| world.to_owned());
        if first != world {
            let widest = first.chars().count().max(world.chars().count());
            self.world_width = self.world_width.max(widest);
        }
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
        let world = event.batch().world();
        let own_us = shown.payload.game_us(event.event_type);
        let (now_us, now) = self.clocks.at(world, own_us, event.timestamp_ms);
        self.plain.clear();
        let about = payload::About { entity: &shown.entity, now_us, is_now_shown: now.is_some() };
        shown.payload.write(&mut self.plain, event.event_type, catalogue, &about);

        let mut row = Row { line, left: self.row_width.unwrap_or(usize::MAX), colour: self.colour };
        let kind = COLOURS[event.event_type as usize % COLOURS.len()];
        let wall_time = short_time(&shown.timestamp);
        row.cell(DIM, &format!("{wall_time:WALL_TIME_WIDTH$}  "));
        let game_time = now.map(|now| now.to_string()).unwrap_or_default();
        row.cell("", &format!("{game_time:GAME_TIME_WIDTH$}  "));
        if self.world_width > 0 {
            let world = printable(world);
            row.cell(DIM, &format!("{world:width$}  ", width = self.world_width));
        }
        row.cell(kind, &format!("{:width$}", shown.event_type, width = self.type_width));
        if !shown.entity.is_empty() {
            row.cell(BOLD, &format!("  {}", printable(&shown.entity)));
        }
        if !shown.place.is_empty() {
            row.cell(DIM, &format!("  @{}", printable(&shown.place)));
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
                "place" => self.0.place = map.next_value()?,
                "payload" => self.0.payload = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

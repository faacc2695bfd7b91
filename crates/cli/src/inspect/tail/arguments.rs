//! The command line of `worldbus tail`.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::settings::Client;
use worldbus_bus::Position;
use worldbus_service::config::Flags;

/// What to show, and how.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct TailArguments {
    /// Only events of this topic; may be given several times
    #[arg(long, value_name = "TOPIC")]
    pub(super) topic: Vec<String>,
    /// Only events of this type, by name or number; may be given several times
    #[arg(long = "type", value_name = "NAME")]
    pub(super) types: Vec<String>,
    /// Leave out events of this type, by name or number; may be given several times. As text,
    /// time.clock_changed and weather.overrides_announced are left out unless --type asks for them
    #[arg(long, value_name = "NAME")]
    pub(super) exclude: Vec<String>,
    /// Only events about this entity; may be given several times
    #[arg(long, value_name = "ENTITY")]
    pub(super) entity: Vec<String>,
    /// Only events at this place, or about it if they name no place; may be given several times
    #[arg(long, value_name = "PLACE")]
    pub(super) place: Vec<String>,
    /// Only events of this world, such as europe, or europe:dungeon for its clock dungeon; may
    /// be given several times
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Vec<String>,
    /// Where to begin: now, start, or a time such as 2026-03-01T12:00:00Z (when it was stored)
    #[arg(long, value_name = "WHERE", default_value = "now")]
    pub(super) from: From,
    /// Stop after this many events
    #[arg(long, value_name = "NUMBER")]
    pub(super) count: Option<u64>,
    /// How to write events
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: TailFormat,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// How `tail` writes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum TailFormat {
    /// A row an event, for people: wall time, game time, the world if there are several, type,
    /// entity, @place, and of the payload what is set, in usual units where field names say
    /// theirs
    #[default]
    Text,
    /// A line an event, in the JSON form
    Json,
    /// EventBatch messages, each behind its length as a varint
    Protobuf,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct From(pub(super) Position);

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "now" => Ok(Self(Position::Now)),
            "start" => Ok(Self(Position::Start)),
            _ => match text.parse::<Timestamp>() {
                Ok(time) => Ok(Self(Position::TimeMs(time.as_millisecond()))),
                Err(_) => Err("expected now, start, or a time with its offset from UTC, such as \
                               2026-03-01T12:00:00Z"
                    .to_owned()),
            },
        }
    }
}

const HELP: &str = "\
Examples:
  worldbus tail
  worldbus tail --exclude time.updated    (all but the ticks)
  worldbus tail --topic weather --entity brussels --from start
  worldbus tail --type weather.severe --format json | jq .payload
  worldbus tail --from 2026-03-01T12:00:00Z --count 100
  worldbus tail --format protobuf --catalog studio.binpb > batches.bin
  worldbus tail --url embedded:./worldbus-data/bus --from start    (while no other process has it)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_is_a_word_or_a_time_with_its_offset() {
        let at = |text: &str| text.parse::<From>().map(|from| from.0);
        assert_eq!(at("now"), Ok(Position::Now));
        assert_eq!(at("start"), Ok(Position::Start));
        assert_eq!(at("1970-01-01T00:00:01.5Z"), Ok(Position::TimeMs(1500)));
        assert_eq!(at("1970-01-01T01:00:00+01:00"), Ok(Position::TimeMs(0)));
        for wrong in ["", "yesterday", "1970-01-01", "1970-01-01T00:00:01"] {
            assert!(at(wrong).unwrap_err().contains("now, start"), "{wrong}");
        }
    }
}

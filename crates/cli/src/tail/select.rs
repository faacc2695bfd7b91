//! Which events are asked for: names checked against the catalogue and the bus, so that a typing
//! mistake is an error and not an endless silence.

use std::str::FromStr;

use anyhow::Result;
use jiff::Timestamp;
use worldbus_bus::{Bus, Filter, Position, ReadSpec, Topic};
use worldbus_events::{Catalogue, exact};

use crate::arguments::TailArguments;
use crate::failure::WrongUse;

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct From(Position);

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

/// The numbers of event types that were given by name or number.
pub(super) fn types(names: &[String], catalogue: &Catalogue) -> Result<Vec<u32>> {
    let number = |name: &String| match exact::<u32>(name) {
        Some(number) => Ok(number),
        None => match catalogue.by_name(name) {
            Ok(event_type) => Ok(event_type.number()),
            Err(error) => Err(WrongUse(format!("--type: {error}")).into()),
        },
    };
    names.iter().map(number).collect()
}

/// What to read.
pub(super) async fn spec(
    arguments: &TailArguments,
    types: Vec<u32>,
    catalogue: &Catalogue,
    bus: &Bus,
) -> Result<ReadSpec> {
    let From(from) = arguments.from;
    let topics = topics(&arguments.topic, catalogue, bus).await?;
    let spec = match topics.is_empty() {
        true => ReadSpec::all(from, true),
        false => ReadSpec::topics(topics, from, true),
    };
    Ok(ReadSpec { filter: Filter { types, entities: arguments.entity.clone() }, ..spec })
}

/// A topic is known if an event type has it, or if it exists on the bus: a studio's topic can be
/// followed without its catalogue.
async fn topics(names: &[String], catalogue: &Catalogue, bus: &Bus) -> Result<Vec<Topic>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let existing = bus.transport().topics().await?;
    let existing = || existing.iter().map(|status| status.topic.as_str());
    let topic = |name: &String| match catalogue.topics().chain(existing()).any(|one| one == name) {
        true => Ok(Topic::new(name)?),
        false => {
            let unknown = catalogue.unknown_topic(name, existing());
            Err(WrongUse(format!("--topic: {unknown}")).into())
        }
    };
    let mut topics = names.iter().map(topic).collect::<Result<Vec<_>>>()?;
    topics.sort();
    topics.dedup();
    Ok(topics)
}

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

    #[test]
    fn types_are_given_by_name_or_number_and_mistakes_name_what_is_near() {
        let catalogue = Catalogue::builtin();
        let names = ["weather.changed".to_owned(), "4711".to_owned()];
        assert_eq!(types(&names, &catalogue).unwrap(), [1, 4711]);
        let error = types(&["wether.changed".to_owned()], &catalogue).unwrap_err();
        assert!(error.to_string().contains("weather.changed"), "{error}");
    }
}

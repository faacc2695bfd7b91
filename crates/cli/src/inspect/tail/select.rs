//! Which events are asked for: names checked against the catalogue and the bus, so that a typing
//! mistake is an error and not an endless silence.

use anyhow::Result;

use super::arguments::{TailArguments, TailFormat};
use super::output::Wanted;
use super::text::{CLOCK_TOPIC, CLOCK_TYPES};
use crate::output::failure::WrongUse;
use worldbus_bus::{Bus, Capability, Filter, ReadSpec, Topic};
use worldbus_events::{Catalogue, Event as _, exact, v1};

/// The numbers of the event types that are asked for, and of those that are left out.
pub(super) fn types(
    arguments: &TailArguments,
    catalogue: &Catalogue,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let asked = numbers("--type", &arguments.types, catalogue)?;
    let mut excluded = numbers("--exclude", &arguments.exclude, catalogue)?;
    // Repeated every few seconds, for services: they say nothing new to people.
    if arguments.format == TailFormat::Text {
        let repeated = [v1::ClockChanged::NUMBER, v1::WeatherOverridesAnnounced::NUMBER];
        excluded.extend(repeated.into_iter().filter(|number| !asked.contains(number)));
    }
    Ok((asked, excluded))
}

/// The numbers of event types that were given by name or number.
fn numbers(flag: &str, names: &[String], catalogue: &Catalogue) -> Result<Vec<u32>> {
    let number = |name: &String| match exact::<u32>(name) {
        Some(number) => Ok(number),
        None => match catalogue.by_name(name) {
            Ok(event_type) => Ok(event_type.number()),
            Err(error) => Err(WrongUse(format!("{flag}: {error}")).into()),
        },
    };
    names.iter().map(number).collect()
}

/// Refuses a bus that keeps no past: nothing of it can be read except by its subscriptions.
pub(super) fn check_past(bus: &Bus) -> Result<()> {
    let capabilities = bus.transport().capabilities();
    if capabilities.can(Capability::Replay) {
        return Ok(());
    }
    let text = format!(
        "{} keeps no past (it cannot do replay): start `worldbus event-bus` over it, which keeps a \
         log of what passes, and tail that: `worldbus tail --url http://HOST:7070`",
        capabilities.transport
    );
    Err(WrongUse(text).into())
}

/// What to show of what is read.
pub(super) async fn wanted(
    arguments: &TailArguments,
    (types, excluded): (Vec<u32>, Vec<u32>),
    catalogue: &Catalogue,
    bus: &Bus,
) -> Result<Wanted> {
    let topics = topics(&arguments.topic, catalogue, bus).await?;
    let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
    if let Some(why) = types.iter().find_map(|number| catalogue.elsewhere(*number, &names)) {
        return Err(WrongUse(format!("--type: {why}")).into());
    }
    let (entities, places) = (arguments.entity.clone(), arguments.place.clone());
    let filter = Filter { types, entities, places };
    Ok(Wanted { filter, topics, worlds: arguments.world.clone(), excluded })
}

/// What to read: what is wanted, and for people the events that carry the game clock.
pub(super) fn spec(arguments: &TailArguments, wanted: &Wanted) -> Result<ReadSpec> {
    let from = arguments.from.0;
    let (mut topics, mut filter) = (wanted.topics.clone(), wanted.filter.clone());
    if arguments.format == TailFormat::Text {
        if !topics.is_empty() && !topics.iter().any(|topic| topic.as_str() == CLOCK_TOPIC) {
            topics.push(Topic::new(CLOCK_TOPIC)?);
        }
        if !filter.types.is_empty() {
            filter.types.extend(CLOCK_TYPES);
        }
        // The clock is about no entity and at no place.
        filter.entities.clear();
        filter.places.clear();
    }
    let spec = match topics.is_empty() {
        true => ReadSpec::all(from, true),
        false => ReadSpec::topics(topics, from, true),
    };
    Ok(ReadSpec { filter, ..spec })
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
    fn types_are_given_by_name_or_number_and_mistakes_name_what_is_near() {
        let catalogue = Catalogue::builtin();
        let names = ["weather.changed".to_owned(), "4711".to_owned()];
        assert_eq!(numbers("--type", &names, &catalogue).unwrap(), [1, 4711]);
        let error = numbers("--exclude", &["wether.changed".to_owned()], &catalogue).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("--exclude") && error.contains("weather.changed"), "{error}");
    }
}

//! What a studio has of its own, as the command line gives it: subscriptions, and the services that
//! consume them and publish.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::output::failure::WrongUse;
use worldbus_bus::{SubscriptionName, Topic};
use worldbus_events::Catalogue;
use worldbus_transport_sns_sqs::topology::{Service, Subscription};

/// Subscriptions given as `NAME=TYPE,TYPE`.
pub(super) fn subscriptions(given: &[String], catalogue: &Catalogue) -> Result<Vec<Subscription>> {
    let one = |text: &String| {
        let wrong = |why: String| WrongUse(format!("--subscription {text:?}: {why}"));
        let (name, types) = split(text).ok_or_else(|| {
            let example = "weather.changed; `worldbus catalog` lists event types";
            wrong(format!("expected NAME=TYPE,TYPE, e.g. npc-brain={example}"))
        })?;
        let given = subscription(name, &types, catalogue);
        given.map_err(|error| wrong(format!("{error:#}")).into())
    };
    given.iter().map(one).collect()
}

/// A subscription to event types, by name.
pub(super) fn subscription(
    name: &str,
    types: &[&str],
    catalogue: &Catalogue,
) -> Result<Subscription> {
    let mut topics = BTreeMap::<Topic, Vec<String>>::new();
    for name in types {
        let event_type = catalogue.by_name(name)?;
        topics.entry(Topic::new(event_type.topic())?).or_default().push((*name).to_owned());
    }
    topics.values_mut().for_each(|types| types.sort());
    let name = SubscriptionName::new(name).context("its name")?;
    Ok(Subscription::new(name, topics))
}

/// The services that consume these subscriptions, each that of its own name, and those that
/// publish, given as `NAME=TOPIC,TOPIC`.
pub(super) fn services(
    subscriptions: &[Subscription],
    publishes: &[String],
    topics: &[Topic],
) -> Result<Vec<Service>> {
    let mut services: Vec<Service> = Vec::new();
    for subscription in subscriptions {
        let consumes = vec![subscription.name.clone()];
        services.push(Service { consumes, ..silent(subscription.name.as_str()) });
    }
    for text in publishes {
        let (name, topics) = published(text, topics)?;
        match services.iter_mut().find(|service| service.name == name) {
            Some(service) => service.publishes.extend(topics),
            None => services.push(Service { publishes: topics, ..silent(name) }),
        }
    }
    Ok(services)
}

/// A service and the topics that it publishes on, given as `NAME=TOPIC,TOPIC`.
fn published<'a>(text: &'a str, topics: &[Topic]) -> Result<(&'a str, Vec<Topic>), WrongUse> {
    let wrong = |why: String| WrongUse(format!("--publishes {text:?}: {why}"));
    let (name, given) = split(text)
        .ok_or_else(|| wrong("expected NAME=TOPIC,TOPIC, e.g. npc-brain=world".to_owned()))?;
    // It is named like a subscription, whether it has one or not.
    SubscriptionName::new(name).map_err(|error| wrong(error.to_string()))?;
    let topic = |name: &&str| {
        let known = topics.iter().find(|topic| topic.as_str() == *name);
        known.cloned().ok_or_else(|| {
            let all = topics.iter().map(Topic::as_str).collect::<Vec<_>>().join(", ");
            wrong(format!("no event type is on topic {name:?}; there are {all}"))
        })
    };
    Ok((name, given.iter().map(topic).collect::<Result<_, _>>()?))
}

/// A service that does nothing yet.
fn silent(name: &str) -> Service {
    let (publishes, consumes, counts, more) = Default::default();
    Service { name: name.to_owned(), publishes, consumes, counts, more }
}

/// The name, and the items of the list; `None` if either is empty.
fn split(text: &str) -> Option<(&str, Vec<&str>)> {
    let (name, list) = text.split_once('=')?;
    let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    (!name.is_empty() && !items.is_empty()).then_some((name, items))
}

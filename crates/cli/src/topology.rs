//! `worldbus topology`: what Worldbus needs of an AWS account for SNS and SQS, compared with what
//! is there, and created. What the services need is known here; a studio's own subscriptions are
//! given.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use worldbus_bus::{SubscriptionName, Topic};
use worldbus_events::Catalogue;
use worldbus_service::logging;
use worldbus_transport_sns_sqs::topology::{Change, Subscription, Topology};
use worldbus_transport_sns_sqs::{Options, Setup, SnsSqs};

use crate::arguments::{TopologyAction, TopologyArguments};
use crate::failure::{FAILED, WrongUse};
use crate::{catalogue, connection, settings};

/// Runs the command. `diff` is 1 if something differs.
pub(crate) async fn run(arguments: TopologyArguments) -> Result<ExitCode> {
    let loaded = settings::load(&arguments.flags)?;
    if arguments.flags.print_config {
        crate::serve::print_config(&loaded.print())?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = loaded.settings;
    logging::init(&client.log, client.log_format, None)?;
    let catalogue = catalogue::load(&client.catalog)?;
    let topology = topology(&client.url, &catalogue, &arguments.subscription)?;
    let document = match arguments.action {
        TopologyAction::Print => Some(topology.document()?),
        TopologyAction::Template => Some(topology.template()?),
        TopologyAction::Apply | TopologyAction::Diff => None,
    };
    if let Some(document) = document {
        writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&document)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let explain = |error| connection::explain(&client.url, error);
    let setup = Setup { catalogue, ..Setup::default() };
    let transport = SnsSqs::connect(&client.url, setup).await.map_err(explain)?;
    let apply = arguments.action == TopologyAction::Apply;
    let mut report = |change: &Change| {
        // That nobody reads it is no reason to stop half-way.
        let _ = writeln!(io::stdout().lock(), "{change}");
    };
    let changes = transport.reconcile(&topology, apply, &mut report).await.map_err(explain)?;
    let summary = summary(&topology, apply, changes);
    writeln!(io::stdout().lock(), "{summary}")?;
    let differs = !apply && changes > 0;
    Ok(if differs { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn summary(topology: &Topology, apply: bool, changes: usize) -> String {
    let all = format!(
        "{} topics, {} queues with their dead letters",
        topology.topics.len(),
        topology.subscriptions.len()
    );
    match (changes, apply) {
        (0, _) => format!("{all}: as they should be"),
        (_, true) => format!("{all}: {changes} changes made"),
        (_, false) => format!("{all}: {changes} changes; `worldbus topology apply` makes them"),
    }
}

/// What an installation at a URL has.
fn topology(url: &str, catalogue: &Arc<Catalogue>, more: &[String]) -> Result<Topology> {
    if !url.starts_with("sns-sqs://") {
        let text = format!(
            "{url} needs no topology: its topics and subscriptions come about as they are used; \
             give --url sns-sqs://REGION?prefix=PREFIX"
        );
        return Err(WrongUse(text).into());
    }
    let names = Options::parse(url).map_err(|error| connection::explain(url, error))?.names;
    let topics: Vec<Topic> = catalogue.topics().map(Topic::new).collect::<Result<_, _>>()?;
    let all = topics.iter().map(|topic| (topic.clone(), Vec::new())).collect();
    let mut subscriptions = vec![
        Subscription { name: SubscriptionName::new(worldbus_event_bus::NAME)?, topics: all },
        subscription(worldbus_weather_manager::NAME, worldbus_weather_manager::HEARS, catalogue)?,
    ];
    for text in more {
        subscriptions.push(given(text, catalogue)?);
    }
    Ok(Topology { names, topics, subscriptions })
}

/// A subscription given as `NAME=TYPE,TYPE`.
fn given(text: &str, catalogue: &Catalogue) -> Result<Subscription> {
    let wrong = |why: String| WrongUse(format!("--subscription {text:?}: {why}"));
    let (name, types) =
        text.split_once('=').ok_or_else(|| wrong("expected NAME=TYPE,TYPE".to_owned()))?;
    let types: Vec<&str> =
        types.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if types.is_empty() {
        return Err(
            wrong("name at least one event type; `worldbus catalog` lists them".into()).into()
        );
    }
    subscription(name, &types, catalogue).map_err(|error| wrong(format!("{error:#}")).into())
}

/// A subscription to event types, by name.
fn subscription(name: &str, types: &[&str], catalogue: &Catalogue) -> Result<Subscription> {
    let mut topics = BTreeMap::<Topic, Vec<String>>::new();
    for name in types {
        let event_type = catalogue.by_name(name)?;
        topics.entry(Topic::new(event_type.topic())?).or_default().push((*name).to_owned());
    }
    topics.values_mut().for_each(|types| types.sort());
    let name = SubscriptionName::new(name).context("its name")?;
    Ok(Subscription { name, topics })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "sns-sqs://us-east-1?prefix=gaming-system";

    fn of(more: &[&str]) -> Result<Topology> {
        let more: Vec<String> = more.iter().map(|&text| text.to_owned()).collect();
        topology(URL, &Arc::new(Catalogue::builtin()), &more)
    }

    #[test]
    fn services_get_what_they_hear() {
        let document = of(&[]).unwrap().document().unwrap();
        assert!(
            document["topics"].as_array().unwrap().contains(&"gaming-system-time-events".into())
        );
        let queue = &document["queues"]["gaming-system-weather-manager-events"];
        let bound = &queue["subscriptions"][0];
        assert_eq!(bound["topic"], "gaming-system-time-events");
        assert_eq!(bound["filter_policy"]["event_types"][0], "time.clock_changed");
        let letters = "gaming-system-weather-manager-events-dead-letters";
        assert_eq!(queue["dead_letter_queue"], letters);
        let all = &document["queues"]["gaming-system-event-bus-events"]["subscriptions"];
        assert_eq!(all[0]["filter_policy"], serde_json::Value::Null);
        assert_eq!(all.as_array().unwrap().len(), document["topics"].as_array().unwrap().len());
    }

    #[test]
    fn subscription_of_a_studio_is_filtered_by_what_it_names() {
        let topology = of(&["npc-brain=weather.changed, time.changed,time.updated"]).unwrap();
        let brain = topology.subscriptions.last().unwrap();
        assert_eq!(brain.topics[&Topic::new("weather").unwrap()], ["weather.changed"]);
        assert_eq!(brain.topics[&Topic::new("time").unwrap()], ["time.changed", "time.updated"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for wrong in ["npc-brain", "npc-brain=", "npc=weather.chnged", "NPC=weather.changed"] {
            let error = of(&[wrong]).unwrap_err();
            assert!(format!("{error:#}").contains(wrong), "{error:#}");
        }
        let catalogue = Arc::new(Catalogue::builtin());
        let error = topology("http://127.0.0.1:7070", &catalogue, &[]).unwrap_err();
        assert!(error.to_string().contains("sns-sqs://"), "{error}");
    }
}

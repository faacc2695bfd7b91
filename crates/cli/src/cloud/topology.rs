//! `worldbus topology`: what Worldbus needs of an AWS account for SNS and SQS, compared with what
//! is there, and created. What the services need is known here; a studio's own subscriptions are
//! given.

mod arguments;
mod services;
mod studio;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::failure::{FAILED, WrongUse};
use crate::serve::services::descriptions;
use crate::session;
use crate::session::{catalogue, connection};
use arguments::TopologyAction;
use worldbus::BusUrl;
use worldbus_bus::{SubscriptionName, Topic};
use worldbus_deploy::TEMPLATE_BYTES_MAX;
use worldbus_event_bus::{SLOT_COUNT_MAX, slot_name};
use worldbus_events::Catalogue;
use worldbus_service::Description;
use worldbus_transport_sns_sqs::topology::{Change, StackTemplates, Subscription, Topology};
use worldbus_transport_sns_sqs::{Names, Options, Setup, SnsSqs};

pub(crate) use arguments::TopologyArguments;

/// Subscriptions that the instances of the event-bus share out in a stack, unless told otherwise.
const STACK_SLOT_COUNT: usize = 4;
/// A bus of a deployment, in whatever region and account that is.
const STACK_URL: &str = "sns-sqs://us-east-1?prefix=gaming-system";
/// How long a slot keeps what nobody takes. Its next instance begins with a log of its own, so
/// what passed long before is no loss to it; and one that has no instance costs nothing then.
const SLOT_RETENTION: Duration = Duration::from_secs(3600);

/// Runs the command. `diff` is 1 if something differs.
pub(crate) async fn run(arguments: TopologyArguments) -> Result<ExitCode> {
    let Some(client) = session::client(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let catalogue = catalogue::load(&client.types.catalog)?;
    if arguments.without_services && arguments.action != TopologyAction::Template {
        return Err(WrongUse("--without-services is for `template` alone".to_owned()).into());
    }
    let of_action = if arguments.action == TopologyAction::Template { STACK_SLOT_COUNT } else { 1 };
    let slot_count = arguments.event_bus_slots.unwrap_or(of_action);
    let more = More {
        subscriptions: &arguments.subscription,
        publishes: &arguments.publishes,
        slot_count,
    };
    let topology = topology(&client.url, &catalogue, &more)?;
    let document = match arguments.action {
        TopologyAction::Print => Some(topology.document()?),
        TopologyAction::Template if arguments.without_services => {
            let services: Vec<_> = descriptions().map(|service| service.name).collect();
            Some(topology.stacks(&services)?.shared)
        }
        TopologyAction::Template => Some(topology.template()?),
        TopologyAction::Apply | TopologyAction::Diff => None,
    };
    if let Some(document) = document {
        write!(io::stdout().lock(), "{}", text(&document))?;
        return Ok(ExitCode::SUCCESS);
    }
    let explain = |error| connection::explain(&client.url, error);
    let setup = Setup { catalogue: catalogue.into(), ..Setup::default() };
    let transport = SnsSqs::connect(&client.url, setup).await.map_err(explain)?;
    let apply = arguments.action == TopologyAction::Apply;
    let mut report = |change: &Change| {
        // A reader that is gone is no reason to stop half-way.
        let document = change_document(change);
        let line = arguments.format.line(&document, || change.to_string());
        let _ = writeln!(io::stdout().lock(), "{line}");
    };
    let changes = transport.reconcile(&topology, apply, &mut report).await.map_err(explain)?;
    let document = json!({
        "topics": topology.topics.len(),
        "queues": topology.subscriptions.len(),
        "changes": changes,
        "applied": apply,
    });
    let summary = arguments.format.line(&document, || summary(&topology, apply, changes));
    writeln!(io::stdout().lock(), "{summary}")?;
    let differs = !apply && changes > 0;
    Ok(if differs { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn change_document(change: &Change) -> Value {
    match change {
        Change::Create { what } => json!({ "change": "create", "what": what }),
        Change::Set { what, setting, from, to } => {
            let from = (!from.is_empty()).then_some(from);
            json!({ "change": "set", "what": what, "setting": setting, "from": from, "to": to })
        }
    }
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

/// What the command line says of an installation.
struct More<'a> {
    /// A studio's own subscriptions: `NAME=TYPE,TYPE`.
    subscriptions: &'a [String],
    /// The topics that its services publish on: `NAME=TOPIC,TOPIC`.
    publishes: &'a [String],
    /// Subscriptions of the event-bus.
    slot_count: usize,
}

/// Topics, queues and roles for the stacks of a deployment, in which each service besides the
/// event-bus has its own; they take the names' prefix as a parameter.
pub(super) fn stack_templates(
    services: &[Description],
    catalogue: &Catalogue,
) -> Result<StackTemplates> {
    let more = More { subscriptions: &[], publishes: &[], slot_count: STACK_SLOT_COUNT };
    let topology = installation(names(STACK_URL)?, services, catalogue, &more)?;
    Ok(topology.stacks(&services.iter().map(|service| service.name).collect::<Vec<_>>())?)
}

/// What an installation at a URL has.
fn topology(url: &str, catalogue: &Catalogue, more: &More<'_>) -> Result<Topology> {
    if !matches!(connection::parse(url)?, BusUrl::SnsSqs(_)) {
        let text = format!(
            "{url} needs no topology: its topics and subscriptions come about as they are used; \
             give --url sns-sqs://REGION?prefix=PREFIX"
        );
        return Err(WrongUse(text).into());
    }
    let services: Vec<_> = descriptions().collect();
    installation(names(url)?, &services, catalogue, more)
}

/// The topics that a service publishes to of its own accord: its own, and those of its requests.
///
/// # Errors
/// It requests by an event type that the catalogue does not have.
pub(super) fn published<'a>(
    service: &Description,
    catalogue: &'a Catalogue,
) -> Result<BTreeSet<&'a str>> {
    let mut topics: BTreeSet<&str> = service.publishes.topic().into_iter().collect();
    for name in service.requests {
        topics.insert(catalogue.by_name(name)?.topic());
    }
    Ok(topics)
}

/// The topics of an installation: those of the event types, and those that its services publish to.
pub(super) fn topics<'a>(services: &[Description], catalogue: &'a Catalogue) -> BTreeSet<&'a str> {
    let own = services.iter().filter_map(|service| service.publishes.topic());
    catalogue.topics().chain(own).collect()
}

fn names(url: &str) -> Result<Names> {
    Ok(Options::parse(url).map_err(|error| connection::explain(url, error))?.names)
}

/// What the event-bus, these services and a studio need.
/// A template as text. Indented for people, unless it would be too long to send.
pub(super) fn text(template: &Value) -> String {
    let indented = format!("{template:#}\n");
    let fits = indented.len() <= TEMPLATE_BYTES_MAX;
    if fits { indented } else { format!("{template}\n") }
}

fn installation(
    names: Names,
    services: &[Description],
    catalogue: &Catalogue,
    more: &More<'_>,
) -> Result<Topology> {
    let topics = topics(services, catalogue).into_iter().map(Topic::new);
    let topics: Vec<Topic> = topics.collect::<Result<_, _>>()?;
    let slots = slots(&topics, more.slot_count)?;
    let mut subscriptions = slots.clone();
    for service in services {
        subscriptions.push(studio::subscription(service.name, service.receives, catalogue)?);
    }
    let own = studio::subscriptions(more.subscriptions, catalogue)?;
    let of_studio = studio::services(&own, more.publishes, &topics)?;
    subscriptions.extend(own);
    let all = subscriptions.iter().map(|subscription| subscription.name.clone()).collect();
    let mut services = services::services(services, catalogue, &topics, (&slots, all))?;
    services.extend(of_studio);
    Ok(Topology { names, topics, subscriptions, services })
}

/// The subscriptions of the event-bus: one, or slots of which each instance takes one.
fn slots(topics: &[Topic], slot_count: usize) -> Result<Vec<Subscription>> {
    if !(1..=SLOT_COUNT_MAX).contains(&slot_count) {
        let text = format!("--event-bus-slots: expected 1 to {SLOT_COUNT_MAX}, found {slot_count}");
        return Err(WrongUse(text).into());
    }
    let all: BTreeMap<_, _> = topics.iter().map(|topic| (topic.clone(), Vec::new())).collect();
    let base = SubscriptionName::new(worldbus_event_bus::NAME)?;
    let slot = |number| {
        let subscription = Subscription::new(slot_name(&base, number)?, all.clone());
        let retention = if slot_count > 1 { SLOT_RETENTION } else { subscription.retention };
        Ok(Subscription { retention, ..subscription })
    };
    (1..=slot_count).map(slot).collect()
}

#[cfg(test)]
mod tests;

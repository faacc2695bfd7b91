//! `worldbus topics` and `worldbus subscriptions`: what a bus holds, listed and deleted.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::output;
use crate::output::failure::{FAILED, WrongUse, complain};
use crate::output::format::Format;
use crate::session::Session;
use crate::settings::Client;
use worldbus_bus::{Bus, Error, Kind, SubscriptionName, SubscriptionStatus, Topic, TopicStatus};
use worldbus_events::Catalogue;
use worldbus_service::config::Flags;

/// What to do with the topics, or the subscriptions, of a bus.
#[derive(Debug, Subcommand)]
enum InventoryCommand {
    /// List them and what they hold
    #[command(after_help = LIST)]
    List(ListArguments),
    /// Delete one for good; ask first if something is lost with it
    #[command(after_help = DELETE)]
    Delete(DeleteArguments),
}

/// What to do with topics.
#[derive(Debug, Args)]
#[command(after_help = TOPICS)]
pub(crate) struct TopicsArguments {
    #[command(subcommand)]
    command: InventoryCommand,
}

/// What to do with subscriptions.
#[derive(Debug, Args)]
#[command(after_help = SUBSCRIPTIONS)]
pub(crate) struct SubscriptionsArguments {
    #[command(subcommand)]
    command: InventoryCommand,
}

/// Where to list.
#[derive(Debug, Args)]
struct ListArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<Client>,
}

/// What to delete.
#[derive(Debug, Args)]
struct DeleteArguments {
    /// Which one, by name
    #[arg(value_name = "NAME")]
    name: String,
    /// Skip confirmation
    #[arg(long)]
    yes: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    flags: Flags<Client>,
}

/// What is listed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    Topic,
    Subscription,
}

const TOPICS: &str = "\
Examples:
  worldbus topics list
  worldbus topics delete garbage
  worldbus topics delete garbage --yes --url embedded:/var/lib/worldbus/bus

A topic that holds batches, or that a subscription is bound to, is deleted after asking; without a
terminal it needs --yes.";

const SUBSCRIPTIONS: &str = "\
Examples:
  worldbus subscriptions list
  worldbus subscriptions delete old-service

A subscription with consumers is not deleted. One that batches wait for, or that has dead letters,
is deleted after asking; without a terminal it needs --yes.";

const LIST: &str = "\
Examples:
  worldbus topics list
  worldbus subscriptions list --url http://127.0.0.1:7070";

const DELETE: &str = "\
Examples:
  worldbus topics delete garbage --yes
  worldbus subscriptions delete old-service";

/// Lists or deletes topics.
pub(crate) async fn topics(arguments: TopicsArguments) -> Result<ExitCode> {
    run(Thing::Topic, arguments.command).await
}

/// Lists or deletes subscriptions.
pub(crate) async fn subscriptions(arguments: SubscriptionsArguments) -> Result<ExitCode> {
    run(Thing::Subscription, arguments.command).await
}

async fn run(thing: Thing, command: InventoryCommand) -> Result<ExitCode> {
    match command {
        InventoryCommand::List(ListArguments { format, flags }) => {
            let Some(session) = Session::open(&flags).await? else { return Ok(ExitCode::SUCCESS) };
            let page = match thing {
                Thing::Topic => topics_page(&session.bus, format).await,
                Thing::Subscription => subscriptions_page(&session.bus, format).await,
            };
            output::page(&page.map_err(|error| session.explain(error))?)?;
            Ok(ExitCode::SUCCESS)
        }
        InventoryCommand::Delete(arguments) => delete(thing, &arguments).await,
    }
}

async fn topics_page(bus: &Bus, format: Format) -> Result<String, Error> {
    let all = bus.transport().topics().await?;
    let one = |status: &TopicStatus| {
        json!({
            "topic": status.topic.as_str(),
            "batches": status.next_offset - status.first_offset,
            "events_total": status.events_total,
            "bytes": status.bytes,
            "idle_s": status.idle.map(|idle| idle.as_secs()),
        })
    };
    let document = json!({ "topics": all.iter().map(one).collect::<Vec<_>>() });
    Ok(format.page(&document, || topics_table(&all)))
}

fn topics_table(all: &[TopicStatus]) -> String {
    let heads = ("TOPIC", "BATCHES", "EVENTS", "BYTES", "IDLE");
    let mut page =
        format!("{:<24} {:>10} {:>12} {:>14} {:>8}\n", heads.0, heads.1, heads.2, heads.3, heads.4);
    for status in all {
        let batches = status.next_offset - status.first_offset;
        let (name, events, bytes) = (status.topic.as_str(), status.events_total, status.bytes);
        let idle = idle(status.idle);
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{name:<24} {batches:>10} {events:>12} {bytes:>14} {idle:>8}");
    }
    page
}

async fn subscriptions_page(bus: &Bus, format: Format) -> Result<String, Error> {
    let all = bus.transport().subscriptions().await?;
    let one = |status: &SubscriptionStatus| {
        json!({
            "subscription": status.name.as_str(),
            "waiting": status.batches,
            "consumers": status.consumers,
            "idle_s": status.idle.map(|idle| idle.as_secs()),
            "topics": status.topics.iter().map(Topic::as_str).collect::<Vec<_>>(),
        })
    };
    let document = json!({ "subscriptions": all.iter().map(one).collect::<Vec<_>>() });
    Ok(format.page(&document, || subscriptions_table(&all)))
}

fn subscriptions_table(all: &[SubscriptionStatus]) -> String {
    let heads = ("SUBSCRIPTION", "WAITING", "CONSUMERS", "IDLE");
    let mut page =
        format!("{:<24} {:>10} {:>10} {:>8}  TOPICS\n", heads.0, heads.1, heads.2, heads.3);
    for status in all {
        let topics: Vec<_> = status.topics.iter().map(Topic::as_str).collect();
        let (waiting, consumers) = (status.batches, status.consumers);
        let (name, topics, idle) = (status.name.as_str(), topics.join(" "), idle(status.idle));
        let _ = writeln!(page, "{name:<24} {waiting:>10} {consumers:>10} {idle:>8}  {topics}");
    }
    page
}

/// As `12d5h`, `3h20m`, `45m` or `30s`; `-` if it is not known.
fn idle(time: Option<Duration>) -> String {
    let Some(seconds) = time.map(|time| time.as_secs()) else { return "-".to_owned() };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

async fn delete(thing: Thing, arguments: &DeleteArguments) -> Result<ExitCode> {
    let name = Name::new(thing, &arguments.name)?;
    let Some(session) = Session::open(&arguments.flags).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Session { bus, catalogue, .. } = &session;
    let deleted = match name.delete(bus, false).await {
        Err(error) if error.kind() == Kind::InUse => {
            if let Some(advice) = name.obstacle(bus, catalogue).await? {
                return Err(anyhow::Error::new(error).context(advice));
            }
            if !arguments.yes && !confirmed(&error)? {
                complain("nothing was deleted");
                return Ok(ExitCode::from(FAILED));
            }
            name.delete(bus, true).await
        }
        deleted => deleted,
    };
    deleted.map_err(|error| session.explain(error))?;
    let text = || format!("{} deleted\n", arguments.name);
    output::page(&arguments.format.page(&json!({ "deleted": arguments.name }), text))?;
    Ok(ExitCode::SUCCESS)
}

enum Name {
    Topic(Topic),
    Subscription(SubscriptionName),
}

impl Name {
    /// What must be done before it can be deleted at all, confirmed or not.
    async fn obstacle(
        &self,
        bus: &Bus,
        catalogue: &Catalogue,
    ) -> Result<Option<&'static str>, Error> {
        let subscriptions = bus.transport().subscriptions().await?;
        let (kept, advice) = match self {
            Self::Topic(name) => (
                catalogue.topics().any(|topic| topic == name.as_str())
                    && subscriptions.iter().any(|status| status.topics.contains(name)),
                "a topic of the catalogue: delete the subscriptions that are bound to it first",
            ),
            Self::Subscription(name) => (
                subscriptions.iter().any(|status| status.name == *name && status.consumers > 0),
                "a subscription in use: stop its consumers first",
            ),
        };
        Ok(kept.then_some(advice))
    }

    fn new(thing: Thing, name: &str) -> Result<Self> {
        let name = match thing {
            Thing::Topic => Topic::new(name).map(Self::Topic),
            Thing::Subscription => SubscriptionName::new(name).map(Self::Subscription),
        };
        name.map_err(|error| WrongUse(error.to_string()).into())
    }

    async fn delete(&self, bus: &Bus, force: bool) -> Result<(), Error> {
        match self {
            Self::Topic(name) => bus.transport().delete_topic(name, force).await,
            Self::Subscription(name) => bus.transport().delete_subscription(name, force).await,
        }
    }
}

/// Shows what is lost and asks.
fn confirmed(why: &Error) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(WrongUse(format!("{why}; there is no terminal to ask on: give --yes")).into());
    }
    let mut err = io::stderr().lock();
    write!(err, "{why}. Delete it for good? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_has_two_units_at_most_and_may_be_unknown() {
        let of = |seconds| idle(Some(Duration::from_secs(seconds)));
        assert_eq!([of(0), of(59), of(60), of(12_000)], ["0s", "59s", "1m", "3h20m"]);
        assert_eq!([of(86_399), of(86_400), of(1_054_800)], ["23h59m", "1d0h", "12d5h"]);
        assert_eq!(idle(None), "-");
    }
}

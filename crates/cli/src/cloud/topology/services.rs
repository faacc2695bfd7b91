//! The services that run in AWS and what each may do there: what it publishes and consumes, the
//! state that it keeps, and rights that are wanted besides.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use worldbus_bus::{SubscriptionName, Topic};
use worldbus_events::Catalogue;
use worldbus_service::{Description, StateUse};
use worldbus_state_dynamodb::actions;
use worldbus_transport_sns_sqs::topology::{Right, Service, Subscription};

/// Rights that no service uses on every run, and why they are given.
const WANTED: &str = include_str!("wanted.toml");
/// The table of the state of an installation.
const TABLE: &str =
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${SystemName}-state";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    right: Vec<WantedRight>,
}

/// A right that is given though no recorded run uses it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedRight {
    name: String,
    actions: Vec<String>,
    resources: Vec<String>,
    /// For readers of the table.
    #[expect(dead_code, reason = "it stands there for people")]
    reason: String,
}

/// What these services and the event-bus may do in an installation with these topics, whose
/// event-bus has these slots and counts the dead letters of these subscriptions.
pub(super) fn services(
    descriptions: &[Description],
    catalogue: &Catalogue,
    topics: &[Topic],
    (slots, counts): (&[Subscription], Vec<SubscriptionName>),
) -> Result<Vec<Service>> {
    let wanted: Wanted = toml::from_str(WANTED).context("the table of wanted rights")?;
    let slots = slots.iter().map(|slot| slot.name.clone()).collect();
    let service = |of: &Description, publishes, consumes| {
        let actions = of.state.iter().flat_map(|state| actions_of(*state)).copied();
        let actions: Vec<_> = actions.collect();
        let state = Right::new("State", &actions, vec![TABLE.to_owned()]);
        let state = (!actions.is_empty()).then_some(state);
        let wanted = wanted.right.iter().map(|right| Right {
            name: right.name.clone(),
            actions: right.actions.clone(),
            resources: right.resources.clone(),
        });
        let more = state.into_iter().chain(wanted).collect();
        Service { name: of.name.to_owned(), publishes, consumes, counts: Vec::new(), more }
    };
    // It publishes what its clients send, on any topic, and claims a slot.
    let bus = service(&worldbus_event_bus::DESCRIPTION, topics.to_vec(), slots);
    let simulated = |of: &Description| {
        let publishes = super::published(of, catalogue)?.into_iter().map(Topic::new);
        let publishes = publishes.collect::<Result<_, _>>()?;
        let consumes = vec![SubscriptionName::new(of.name)?];
        Ok(service(of, publishes, consumes))
    };
    let mut all = descriptions.iter().map(simulated).collect::<Result<Vec<_>>>()?;
    all.push(Service { counts, ..bus });
    Ok(all)
}

fn actions_of(state: StateUse) -> &'static [&'static str] {
    match state {
        StateUse::Get => actions::GET,
        StateUse::CompareAndSet => actions::COMPARE_AND_SET,
        StateUse::Delete => actions::DELETE,
    }
}

//! The topics, queues and subscriptions of an installation: what there should be, and bringing an
//! AWS account there. Services themselves create nothing unless the bus URL has `create=true`.

mod policy;
mod reconcile;
mod resources;
mod rights;
mod template;
mod verify;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::names::Names;
use worldbus_bus::{Error, SubscriptionName, SubscriptionSpec, Topic};
use worldbus_events::Catalogue;

pub use reconcile::Change;
pub(crate) use reconcile::reconcile;
pub(crate) use resources::Resources;
pub use rights::{Right, Service};
pub use template::StackTemplates;
pub(crate) use verify::verify;

/// Deliveries of a message after which SQS itself moves it to the dead letters. Our consumers
/// set aside long before, with the reason; this is for messages that no consumer of ours handles.
pub const RECEIVE_COUNT_MAX: u32 = 50;

/// How long a queue keeps what is not consumed: 14 days, the longest there is.
const RETENTION: Duration = Duration::from_secs(14 * 24 * 3600);
/// Settings of a queue of a subscription, without those that name other resources and without its
/// retention.
const QUEUE: [(&str, &str); 3] = [
    ("ReceiveMessageWaitTimeSeconds", "20"),
    ("SqsManagedSseEnabled", "true"),
    ("VisibilityTimeout", "30"),
];
/// The setting of a queue's retention, in seconds.
const RETENTION_SETTING: &str = "MessageRetentionPeriod";

/// A subscription: which event types of which topics it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub name: SubscriptionName,
    /// Event types by name, for each topic; none given: all of the topic.
    pub topics: BTreeMap<Topic, Vec<String>>,
    /// How long what is not consumed is kept: whole seconds, a minute to 14 days.
    pub retention: Duration,
}

impl Subscription {
    /// One that keeps what is not consumed for 14 days, the longest that SQS can.
    pub fn new(name: SubscriptionName, topics: BTreeMap<Topic, Vec<String>>) -> Self {
        Self { name, topics, retention: RETENTION }
    }

    /// The settings of its queue, without those that name other resources.
    fn settings(&self) -> BTreeMap<String, String> {
        let settings = QUEUE.map(|(name, value)| (name.to_owned(), value.to_owned()));
        settings.into_iter().chain([retention(self.retention)]).collect()
    }

    /// The settings of the queue of its dead letters.
    fn dead_letter_settings() -> BTreeMap<String, String> {
        let encrypted = ("SqsManagedSseEnabled".to_owned(), "true".to_owned());
        [retention(RETENTION), encrypted].into()
    }

    /// What a consumer asks for.
    pub(crate) fn of_spec(spec: &SubscriptionSpec, catalogue: &Catalogue) -> Self {
        let of_topic = |topic: &Topic| {
            let wanted = spec.filter.types.iter().filter(|&&number| {
                // A type of the studio's that we do not know may come on any topic.
                catalogue.by_number(number).is_none_or(|known| known.topic() == topic.as_str())
            });
            let mut names: Vec<_> =
                wanted.map(|&number| catalogue.name_of(number).into_owned()).collect();
            names.sort();
            (topic.clone(), names)
        };
        Self::new(spec.name.clone(), spec.topics.iter().map(of_topic).collect())
    }
}

fn retention(retention: Duration) -> (String, String) {
    (RETENTION_SETTING.to_owned(), retention.as_secs().to_string())
}

/// All that an installation has.
#[derive(Debug, Clone)]
pub struct Topology {
    /// How things are called.
    pub names: Names,
    /// The topics.
    pub topics: Vec<Topic>,
    /// The subscriptions. Their topics are among `topics`.
    pub subscriptions: Vec<Subscription>,
    /// The services that get a role. Their topics and subscriptions are among those above.
    pub services: Vec<Service>,
}

impl Topology {
    /// What there should be, for people and for other tools, without account numbers.
    ///
    /// # Errors
    /// `Invalid` for a name that SQS does not take.
    pub fn document(&self) -> Result<Value, Error> {
        let mut queues = serde_json::Map::new();
        for subscription in &self.subscriptions {
            let (name, letters) = (
                self.names.queue(&subscription.name)?,
                self.names.dead_letter_queue(&subscription.name)?,
            );
            let of_topic = |(topic, types): (&Topic, &Vec<String>)| {
                json!({
                    "topic": self.names.topic(topic),
                    "raw_message_delivery": true,
                    "filter_policy": policy::filter(types),
                })
            };
            queues.insert(
                name,
                json!({
                    "settings": subscription.settings(),
                    "dead_letter_queue": letters,
                    "max_receive_count": RECEIVE_COUNT_MAX,
                    "subscriptions": subscription.topics.iter().map(of_topic).collect::<Vec<_>>(),
                }),
            );
        }
        let settings = Subscription::dead_letter_settings();
        let topics: Vec<_> = self.topics.iter().map(|topic| self.names.topic(topic)).collect();
        Ok(json!({ "topics": topics, "queues": queues, "dead_letter_queue_settings": settings }))
    }
}

//! From what is there to what should be: what differs, and, if asked to, making it so.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::resources::{ActualQueue, Attributes};
use super::{RECEIVE_COUNT_MAX, Resources, Subscription, Topology, policy};
use worldbus_bus::{Error, Topic};

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is not there.
    Create {
        /// What and its name, e.g. `SNS topic gaming-system-time-events`.
        what: String,
    },
    /// A setting differs.
    Set {
        /// What and its name.
        what: String,
        /// The setting.
        setting: String,
        /// What it is; empty if it is not set.
        from: String,
        /// What it should be.
        to: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { what } => write!(f, "+ {what}"),
            Self::Set { what, setting, from, to } => {
                let from = if from.is_empty() { "(not set)" } else { from };
                write!(f, "~ {what}: {setting}: {from} -> {to}")
            }
        }
    }
}

/// One walk through the resources.
struct Walk<'a> {
    resources: &'a Resources,
    apply: bool,
    report: &'a mut (dyn FnMut(&Change) + Send),
    changes: usize,
}

/// Compares what is there with what should be and reports each difference; with `apply` makes
/// it so, before it is reported. How many there are. What is there beyond is left alone.
///
/// # Errors
/// Those of AWS; what was reported until then is done.
pub(crate) async fn reconcile(
    resources: &Resources,
    topology: &Topology,
    apply: bool,
    report: &mut (dyn FnMut(&Change) + Send),
) -> Result<usize, Error> {
    let mut walk = Walk { resources, apply, report, changes: 0 };
    let mut topics = BTreeMap::new();
    for topic in &topology.topics {
        let name = topology.names.topic(topic);
        if let Some(arn) = walk.topic(&name).await? {
            topics.insert(topic.clone(), arn);
        }
    }
    for subscription in &topology.subscriptions {
        walk.subscription(topology, subscription, &topics).await?;
    }
    Ok(walk.changes)
}

impl Walk<'_> {
    fn changed(&mut self, change: &Change) {
        self.changes += 1;
        (self.report)(change);
    }

    /// The ARN of a topic, if there is one now.
    async fn topic(&mut self, name: &str) -> Result<Option<String>, Error> {
        if let Some(arn) = self.resources.topic(name).await? {
            return Ok(Some(arn));
        }
        let arn = match self.apply {
            true => Some(self.resources.create_topic(name).await?),
            false => None,
        };
        self.changed(&Change::Create { what: format!("SNS topic {name}") });
        Ok(arn)
    }

    async fn subscription(
        &mut self,
        topology: &Topology,
        wanted: &Subscription,
        topics: &BTreeMap<Topic, String>,
    ) -> Result<(), Error> {
        let letters_name = topology.names.dead_letter_queue(&wanted.name)?;
        let letters = self.queue(&letters_name, &Subscription::dead_letter_settings()).await?;
        let name = topology.names.queue(&wanted.name)?;
        let mut settings = wanted.settings();
        if let Some(letters) = &letters {
            let redrive = json!({
                "deadLetterTargetArn": letters.arn,
                "maxReceiveCount": RECEIVE_COUNT_MAX,
            });
            settings.insert("RedrivePolicy".to_owned(), redrive.to_string());
        }
        let Some(queue) = self.queue(&name, &settings).await? else {
            // Nothing that hangs on it can be there.
            for topic in wanted.topics.keys() {
                self.changed(&Change::Create { what: binding(&name, topic) });
            }
            return Ok(());
        };
        let arns = wanted.topics.keys().filter_map(|topic| topics.get(topic));
        let arns: Vec<Value> = arns.map(|arn| json!(arn)).collect();
        let admitting = policy::queue(&json!(queue.arn), &arns).to_string();
        let policy = [("Policy".to_owned(), admitting)].into();
        self.set_queue(&name, &queue, &policy).await?;
        for (topic, types) in &wanted.topics {
            self.binding(&name, &queue.arn, topic, topics.get(topic), types).await?;
        }
        Ok(())
    }

    /// The queue, if there is one now.
    async fn queue(
        &mut self,
        name: &str,
        settings: &Attributes,
    ) -> Result<Option<ActualQueue>, Error> {
        if let Some(queue) = self.resources.queue(name).await? {
            self.set_queue(name, &queue, settings).await?;
            return Ok(Some(queue));
        }
        let queue = match self.apply {
            true => Some(self.resources.create_queue(name, settings).await?),
            false => None,
        };
        self.changed(&Change::Create { what: format!("SQS queue {name}") });
        Ok(queue)
    }

    async fn set_queue(
        &mut self,
        name: &str,
        queue: &ActualQueue,
        settings: &Attributes,
    ) -> Result<(), Error> {
        let differing = differing(&queue.attributes, settings);
        if differing.is_empty() {
            return Ok(());
        }
        if self.apply {
            self.resources.set_queue(&queue.url, &differing).await?;
        }
        for (setting, to) in differing {
            let from = queue.attributes.get(&setting).cloned().unwrap_or_default();
            self.changed(&Change::Set { what: format!("SQS queue {name}"), setting, from, to });
        }
        Ok(())
    }

    async fn binding(
        &mut self,
        queue: &str,
        queue_arn: &str,
        topic: &Topic,
        topic_arn: Option<&String>,
        types: &[String],
    ) -> Result<(), Error> {
        let what = binding(queue, topic);
        let filter = policy::filter(types);
        let mut settings: Attributes =
            [("RawMessageDelivery".to_owned(), "true".to_owned())].into();
        if let Some(filter) = &filter {
            settings.insert("FilterPolicy".to_owned(), filter.to_string());
        }
        let found = match topic_arn {
            Some(topic_arn) => self.resources.subscription(topic_arn, queue_arn).await?,
            None => None,
        };
        let Some((arn, actual)) = found else {
            if let (true, Some(topic_arn)) = (self.apply, topic_arn) {
                self.resources.subscribe(topic_arn, queue_arn, &settings).await?;
            }
            self.changed(&Change::Create { what });
            return Ok(());
        };
        let filters = |policy: &String| !matches!(policy.as_str(), "" | "{}");
        if filter.is_none() && actual.get("FilterPolicy").is_some_and(filters) {
            settings.insert("FilterPolicy".to_owned(), "{}".to_owned());
        }
        for (setting, to) in differing(&actual, &settings) {
            if self.apply {
                self.resources.set_subscription(&arn, &setting, &to).await?;
            }
            let from = actual.get(&setting).cloned().unwrap_or_default();
            self.changed(&Change::Set { what: what.clone(), setting, from, to });
        }
        Ok(())
    }
}

fn binding(queue: &str, topic: &Topic) -> String {
    format!("subscription of {queue} to topic {topic}")
}

/// The wanted settings that are not as wanted. Those in JSON are compared as JSON.
fn differing(actual: &Attributes, wanted: &Attributes) -> Attributes {
    let same = |name: &String, value: &String| {
        actual.get(name).is_some_and(|actual| {
            let parsed = |text: &str| serde_json::from_str::<Value>(text).ok().map(normal);
            actual == value || parsed(actual).is_some_and(|actual| Some(actual) == parsed(value))
        })
    };
    let differing = wanted.iter().filter(|(name, value)| !same(name, value));
    differing.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// JSON in which numbers as texts are numbers: engines give them back either way.
fn normal(value: Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => Value::String(text),
        },
        Value::Array(all) => all.into_iter().map(normal).collect(),
        Value::Object(all) => all.into_iter().map(|(key, value)| (key, normal(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn settings_are_compared_by_meaning() {
        let actual = attributes(&[
            ("RedrivePolicy", r#"{"maxReceiveCount":"50","deadLetterTargetArn":"a"}"#),
            ("VisibilityTimeout", "30"),
        ]);
        let same = attributes(&[
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"a","maxReceiveCount":50}"#),
            ("VisibilityTimeout", "30"),
        ]);
        assert_eq!(differing(&actual, &same), Attributes::new());
        let other = attributes(&[("VisibilityTimeout", "31"), ("Policy", "{}")]);
        assert_eq!(differing(&actual, &other), other);
    }
}

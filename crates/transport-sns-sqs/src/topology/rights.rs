//! What a service may do in AWS, from what it publishes and subscribes to: one list of actions for
//! each, whatever the service. Not for: how a role is written (`template`).

use std::collections::{BTreeMap, BTreeSet};

use super::template::{dead_letters_id, queue_id, topic_id};
use worldbus_bus::{SubscriptionName, Topic};

/// What publishing to a topic asks for.
const PUBLISH: [&str; 1] = ["sns:Publish"];
/// What consuming a subscription asks for: receiving, settling, and a look at its queue at the
/// start.
const CONSUME: [&str; 4] = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];
/// What setting aside asks for.
const SET_ASIDE: [&str; 1] = ["sqs:SendMessage"];

/// What counting the dead letters of an installation asks for: finding their queues, for which AWS
/// knows no resource to name, and looking at each.
const FIND: [&str; 1] = ["sqs:ListQueues"];
const COUNT: [&str; 1] = ["sqs:GetQueueAttributes"];

/// Actions that are allowed on resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What it is for: letters and digits. Rights of one name differ in their actions or in their
    /// resources, not in both, so that their union is one right.
    pub name: String,
    /// Actions of IAM, e.g. `sns:Publish`.
    pub actions: Vec<String>,
    /// `*`, or ARNs in CloudFormation's notation: `${SystemName}`, `${AWS::Region}`, … stand for
    /// what they name.
    pub resources: Vec<String>,
}

impl Right {
    /// A right; an action that is given twice counts once.
    pub fn new(name: &str, actions: &[&str], resources: Vec<String>) -> Self {
        let actions: BTreeSet<_> = actions.iter().map(|&action| action.to_owned()).collect();
        Self { name: name.to_owned(), actions: actions.into_iter().collect(), resources }
    }
}

/// A service that runs in AWS under a role of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, e.g. `weather-manager`.
    pub name: String,
    /// The topics it publishes to.
    pub publishes: Vec<Topic>,
    /// The subscriptions it consumes.
    pub consumes: Vec<SubscriptionName>,
    /// The subscriptions whose dead letters it counts.
    pub counts: Vec<SubscriptionName>,
    /// What else it may do.
    pub more: Vec<Right>,
}

impl Service {
    /// All that it may do, and no more.
    pub(super) fn rights(&self) -> Vec<Right> {
        let topics = self.publishes.iter().map(|topic| format!("${{{}}}", topic_id(topic)));
        let queues = self.consumes.iter().map(|name| format!("${{{}.Arn}}", queue_id(name)));
        let letters = |of: &[SubscriptionName]| {
            of.iter().map(|name| format!("${{{}.Arn}}", dead_letters_id(name))).collect()
        };
        let everywhere = (!self.counts.is_empty()).then(|| "*".to_owned());
        let messaging = [
            Right::new("Publish", &PUBLISH, topics.collect()),
            Right::new("Consume", &CONSUME, queues.collect()),
            Right::new("SetAside", &SET_ASIDE, letters(&self.consumes)),
            Right::new("CountDeadLetters", &COUNT, letters(&self.counts)),
            Right::new("FindDeadLetters", &FIND, everywhere.into_iter().collect()),
        ];
        let needed = messaging.into_iter().filter(|right| !right.resources.is_empty());
        needed.chain(self.more.iter().cloned()).collect()
    }
}

/// What all of these services may do together, in as few words as can be: IAM counts them.
pub(super) fn union(services: &[Service]) -> Vec<Right> {
    let mut all = BTreeMap::<String, Right>::new();
    for right in services.iter().flat_map(Service::rights) {
        let joined = all.entry(right.name.clone()).or_insert_with(|| Right {
            actions: Vec::new(),
            resources: Vec::new(),
            ..right.clone()
        });
        join(&mut joined.actions, right.actions);
        join(&mut joined.resources, right.resources);
    }
    let mut shortest: Vec<Right> = Vec::new();
    for right in all.into_values() {
        match shortest.iter_mut().find(|earlier| earlier.resources == right.resources) {
            Some(same) => {
                same.name = format!("{}And{}", same.name, right.name);
                join(&mut same.actions, right.actions);
            }
            None => shortest.push(right),
        }
    }
    shortest
}

fn join(all: &mut Vec<String>, more: Vec<String>) {
    all.extend(more);
    all.sort();
    all.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(topic: &str, subscription: &str) -> Service {
        Service {
            name: subscription.to_owned(),
            publishes: vec![Topic::new(topic).unwrap()],
            consumes: vec![SubscriptionName::new(subscription).unwrap()],
            counts: Vec::new(),
            more: vec![Right::new("Trace", &["xray:PutTraceSegments"], vec!["*".to_owned()])],
        }
    }

    #[test]
    fn rights_follow_from_what_is_published_and_consumed() {
        let rights = service("npc", "npc-brain").rights();
        let of = |name: &str| rights.iter().find(|right| right.name == name).unwrap();
        assert_eq!(of("Publish").resources, ["${NpcTopic}"]);
        assert_eq!(of("Consume").resources, ["${NpcBrainQueue.Arn}"]);
        assert_eq!(of("SetAside").resources, ["${NpcBrainDeadLetters.Arn}"]);
        assert_eq!(of("SetAside").actions, ["sqs:SendMessage"]);
        let silent = Service { publishes: Vec::new(), ..service("npc", "npc-brain") };
        assert!(silent.rights().iter().all(|right| right.name != "Publish"));
    }

    #[test]
    fn who_counts_dead_letters_finds_queues_and_looks_at_those_of_dead_letters_alone() {
        let counts = ["npc-brain", "teller"].map(|name| SubscriptionName::new(name).unwrap());
        let bus = Service { counts: counts.to_vec(), ..service("npc", "event-bus") };
        let rights = bus.rights();
        let of = |name: &str| rights.iter().find(|right| right.name == name).unwrap();
        let letters = ["${NpcBrainDeadLetters.Arn}", "${TellerDeadLetters.Arn}"];
        assert_eq!(of("CountDeadLetters").resources, letters);
        assert_eq!(of("CountDeadLetters").actions, ["sqs:GetQueueAttributes"]);
        assert_eq!(of("FindDeadLetters").actions, ["sqs:ListQueues"]);
        let others = service("npc", "npc-brain").rights();
        assert!(others.iter().all(|right| !right.name.contains("DeadLetters")), "{others:?}");
    }

    #[test]
    fn rights_to_the_same_resources_are_one_in_the_union() {
        let counts = vec![SubscriptionName::new("npc-brain").unwrap()];
        let all = union(&[Service { counts, ..service("npc", "npc-brain") }]);
        let joined = all.iter().find(|right| right.name == "CountDeadLettersAndSetAside").unwrap();
        assert_eq!(joined.actions, ["sqs:GetQueueAttributes", "sqs:SendMessage"]);
        assert_eq!(joined.resources, ["${NpcBrainDeadLetters.Arn}"]);
    }

    #[test]
    fn union_has_each_right_once_and_all_resources() {
        let both = [service("npc", "npc-brain"), service("story", "teller")];
        let rights = union(&both);
        let names: Vec<_> = rights.iter().map(|right| right.name.as_str()).collect();
        assert_eq!(names, ["Consume", "Publish", "SetAside", "Trace"]);
        assert_eq!(rights[1].resources, ["${NpcTopic}", "${StoryTopic}"]);
        assert_eq!(rights[3].resources, ["*"]);
    }
}

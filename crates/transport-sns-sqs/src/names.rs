//! How topics and subscriptions are called in an AWS account, and the environment variables that
//! hold where they are.

use worldbus_bus::{Error, Kind, SubscriptionName, Topic};

/// The prefix of an installation that names no other.
pub(crate) const DEFAULT_PREFIX: &str = "gaming-system";
/// Characters of the name of an SQS queue; a topic may have 256.
const QUEUE_NAME_CHARS_MAX: usize = 80;
/// What the name of a dead-letter queue ends with.
const DEAD_LETTERS: &str = "-dead-letters";
/// What the names of topics and queues end with.
const EVENTS: &str = "-events";

/// The names of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The names that begin with a prefix: 1 to 40 of `A-Z a-z 0-9 - _`.
    ///
    /// # Errors
    /// `Invalid` for any other prefix.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let letters = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if prefix.is_empty() || prefix.len() > 40 || !letters {
            let context =
                format!("prefix {prefix:.80?}: expected 1 to 40 of the characters A-Z a-z 0-9 - _");
            return Err(Error::refused(Kind::Invalid, context));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// The prefix.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The SNS topic that a topic is.
    pub fn topic(&self, topic: &Topic) -> String {
        format!("{}-{topic}{EVENTS}", self.prefix)
    }

    /// The topic that an SNS topic of ours is.
    pub fn topic_of_arn(&self, arn: &str) -> Option<Topic> {
        let name = arn.rsplit(':').next()?;
        let name = name.strip_prefix(&self.prefix)?.strip_prefix('-')?.strip_suffix(EVENTS)?;
        Topic::new(name).ok()
    }

    /// The SQS queue that a subscription is.
    ///
    /// # Errors
    /// `Invalid` if SQS takes no name of that length.
    pub fn queue(&self, subscription: &SubscriptionName) -> Result<String, Error> {
        let name = format!("{}-{subscription}{EVENTS}", self.prefix);
        let length = name.len() + DEAD_LETTERS.len();
        if length > QUEUE_NAME_CHARS_MAX {
            let context = format!(
                "subscription {subscription}: the name of its dead-letter queue would have \
                 {length} characters, SQS takes {QUEUE_NAME_CHARS_MAX}; shorten it or the prefix \
                 {:?}",
                self.prefix
            );
            return Err(Error::refused(Kind::Invalid, context));
        }
        Ok(name)
    }

    /// The queue of its dead letters.
    ///
    /// # Errors
    /// As [`Names::queue`].
    pub fn dead_letter_queue(&self, subscription: &SubscriptionName) -> Result<String, Error> {
        Ok(self.queue(subscription)? + DEAD_LETTERS)
    }

    /// The subscription whose dead letters are in a queue of this URL.
    pub(crate) fn subscription_of_dead_letters(&self, url: &str) -> Option<SubscriptionName> {
        let name = url.rsplit('/').next()?.strip_suffix(DEAD_LETTERS)?;
        let name = name.strip_prefix(&self.prefix)?.strip_prefix('-')?.strip_suffix(EVENTS)?;
        SubscriptionName::new(name).ok()
    }
}

/// The variable with the ARN of a topic: `WEATHER_EVENTS_TOPIC_ARN`.
pub(crate) fn topic_variable(topic: &Topic) -> String {
    format!("{}_EVENTS_TOPIC_ARN", upper(topic.as_str()))
}

/// The variable with the URL of the queue of a subscription: `WEATHER_MANAGER_QUEUE_URL`.
pub(crate) fn queue_variable(subscription: &SubscriptionName) -> String {
    format!("{}_QUEUE_URL", upper(subscription.as_str()))
}

/// The same for its dead letters: `WEATHER_MANAGER_DEAD_LETTER_QUEUE_URL`.
pub(crate) fn dead_letter_variable(subscription: &SubscriptionName) -> String {
    format!("{}_DEAD_LETTER_QUEUE_URL", upper(subscription.as_str()))
}

/// `world-state` as `WorldState`: logical ids of CloudFormation have letters and digits only.
pub(crate) fn camel(name: &str) -> String {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    parts.map(capital).collect()
}

fn upper(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(name: &str) -> SubscriptionName {
        SubscriptionName::new(name).unwrap()
    }

    #[test]
    fn names_are_those_of_the_deployment() {
        let names = Names::new("gaming-system").unwrap();
        let weather = Topic::new("weather").unwrap();
        assert_eq!(names.topic(&weather), "gaming-system-weather-events");
        let manager = subscription("weather-manager");
        assert_eq!(names.queue(&manager).unwrap(), "gaming-system-weather-manager-events");
        let letters = names.dead_letter_queue(&manager).unwrap();
        assert_eq!(letters, "gaming-system-weather-manager-events-dead-letters");
        assert_eq!(topic_variable(&weather), "WEATHER_EVENTS_TOPIC_ARN");
        assert_eq!(queue_variable(&manager), "WEATHER_MANAGER_QUEUE_URL");
        assert_eq!(dead_letter_variable(&manager), "WEATHER_MANAGER_DEAD_LETTER_QUEUE_URL");
    }

    #[test]
    fn logical_ids_have_letters_and_digits() {
        assert_eq!(camel("world-state"), "WorldState");
        assert_eq!(camel("npc_behavior2"), "NpcBehavior2");
    }

    #[test]
    fn names_lead_back() {
        let names = Names::new("a-b").unwrap();
        let topic = Topic::new("c-events").unwrap();
        let arn = format!("arn:aws:sns:us-east-1:000000000000:{}", names.topic(&topic));
        assert_eq!(names.topic_of_arn(&arn), Some(topic));
        assert_eq!(names.topic_of_arn("arn:aws:sns:us-east-1:0:other-c-events"), None);
        let url = "http://127.0.0.1:4566/000000000000/a-b-npc-events-dead-letters";
        assert_eq!(names.subscription_of_dead_letters(url), Some(subscription("npc")));
        let queue = url.strip_suffix("-dead-letters").unwrap();
        assert_eq!(names.subscription_of_dead_letters(queue), None);
    }

    #[test]
    fn what_sqs_cannot_name_is_refused() {
        for wrong in ["", "two words", "späte", &"x".repeat(41)] {
            assert_eq!(Names::new(wrong).unwrap_err().kind(), Kind::Invalid);
        }
        let long = Names::new(&"x".repeat(40)).unwrap();
        assert!(long.queue(&subscription("short")).is_ok());
        let refused = long.queue(&subscription("a-rather-long-subscription")).unwrap_err();
        assert!(refused.to_string().contains("80"), "{refused}");
    }
}

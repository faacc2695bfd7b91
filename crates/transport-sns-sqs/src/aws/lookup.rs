//! Where topics and queues are: as the environment sets it, else found by name.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

use crate::aws::failure::ask;
use crate::names::{dead_letter_variable, queue_variable, topic_variable};
use crate::options::Options;
use worldbus_bus::{Error, Fate, Kind, SubscriptionName, Topic};

/// Pages of topics or queues that are looked through, of 100 or 1,000 each.
const PAGE_COUNT_MAX: usize = 1000;
/// Places that are remembered; beyond them all are looked up again.
const PLACE_COUNT_MAX: usize = 4096;

/// Finds topics and queues and remembers where they are.
pub(crate) struct Lookup {
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) options: Options,
    variable: fn(&str) -> Option<String>,
    /// ARNs of topics and URLs of queues, by their variables: a topic and a queue may have one
    /// name.
    places: Mutex<BTreeMap<String, String>>,
}

impl Lookup {
    pub(crate) fn new(
        sns: aws_sdk_sns::Client,
        sqs: aws_sdk_sqs::Client,
        options: Options,
        variable: fn(&str) -> Option<String>,
    ) -> Self {
        Self { sns, sqs, options, variable, places: Mutex::default() }
    }

    /// The ARN of the SNS topic that a topic is.
    ///
    /// # Errors
    /// `NotFound`, saying what to do; those of AWS.
    pub(crate) async fn topic_arn(&self, topic: &Topic) -> Result<String, Error> {
        let variable = topic_variable(topic);
        if let Some(arn) = self.given(&variable)? {
            return Ok(arn);
        }
        let name = self.options.names.topic(topic);
        if let Some(arn) = self.remembered(&variable) {
            return Ok(arn);
        }
        let suffix = format!(":{name}");
        let mut pages = self.sns.list_topics().into_paginator().send();
        for _ in 0..PAGE_COUNT_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| asked("list SNS topics", error, &variable))?;
            let mut arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
            if let Some(arn) = arns.find(|arn| arn.ends_with(&suffix)) {
                return Ok(self.remember(&variable, arn));
            }
        }
        Err(self.missing("SNS topic", &name, &variable))
    }

    /// Whether the environment sets where a topic is.
    ///
    /// # Errors
    /// `Invalid` if that is in another region.
    pub(crate) fn is_given(&self, topic: &Topic) -> Result<bool, Error> {
        Ok(self.given(&topic_variable(topic))?.is_some())
    }

    /// The URL of the queue that a subscription is.
    ///
    /// # Errors
    /// As [`Lookup::topic_arn`].
    pub(crate) async fn queue_url(&self, subscription: &SubscriptionName) -> Result<String, Error> {
        let name = self.options.names.queue(subscription)?;
        self.url(name, &queue_variable(subscription)).await
    }

    /// The URL of the queue of its dead letters.
    ///
    /// # Errors
    /// As [`Lookup::topic_arn`].
    pub(crate) async fn dead_letter_url(
        &self,
        subscription: &SubscriptionName,
    ) -> Result<String, Error> {
        let name = self.options.names.dead_letter_queue(subscription)?;
        self.url(name, &dead_letter_variable(subscription)).await
    }

    /// Subscriptions that have a queue of dead letters, and its URL.
    ///
    /// # Errors
    /// Those of AWS.
    pub(crate) async fn dead_letter_queues(
        &self,
    ) -> Result<Vec<(SubscriptionName, String)>, Error> {
        let names = &self.options.names;
        let request = self.sqs.list_queues().queue_name_prefix(format!("{}-", names.prefix()));
        let mut pages = request.max_results(1000).into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..PAGE_COUNT_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| ask("list SQS queues", error))?;
            let of_page = page.queue_urls().iter();
            found.extend(
                of_page.filter_map(|url| {
                    Some((names.subscription_of_dead_letters(url)?, url.clone()))
                }),
            );
        }
        Ok(found)
    }

    /// Forgets what turned out not to be there any more.
    pub(crate) fn forget(&self) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn url(&self, name: String, variable: &str) -> Result<String, Error> {
        if let Some(url) = self.given(variable)? {
            return Ok(url);
        }
        if let Some(url) = self.remembered(variable) {
            return Ok(url);
        }
        match self.sqs.get_queue_url().queue_name(&name).send().await {
            Ok(found) => Ok(self.remember(variable, found.queue_url().unwrap_or_default())),
            Err(error) => match asked(&format!("find SQS queue {name}"), error, variable) {
                error if error.kind() == Kind::NotFound => {
                    Err(self.missing("SQS queue", &name, variable))
                }
                error => Err(error),
            },
        }
    }

    /// What the environment sets.
    ///
    /// # Errors
    /// `Invalid` for a place in another region: requests go to ours, which would not know it.
    fn given(&self, variable: &str) -> Result<Option<String>, Error> {
        let Some(place) = (self.variable)(variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let region = &self.options.region;
        match region_of(&place) {
            Some(other) if other != region => {
                let context = format!(
                    "{variable} names a place in {other} ({place}), and the bus URL names \
                     {region}: a bus has one region, so change one of them"
                );
                Err(Error::refused(Kind::Invalid, context))
            }
            _ => Ok(Some(place)),
        }
    }

    fn remembered(&self, variable: &str) -> Option<String> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).get(variable).cloned()
    }

    fn remember(&self, variable: &str, place: &str) -> String {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PLACE_COUNT_MAX {
            places.clear();
        }
        places.insert(variable.to_owned(), place.to_owned());
        place.to_owned()
    }

    fn missing(&self, what: &str, name: &str, variable: &str) -> Error {
        let Options { region, names, .. } = &self.options;
        let context = format!(
            "{what} {name} is not in {region}: create it by `worldbus topology apply --url \
             'sns-sqs://{region}?prefix={}'`, or name another by {variable}",
            names.prefix()
        );
        Error::refused(Kind::NotFound, context)
    }
}

/// The region that an ARN or the URL of a queue names, if it names one: an emulator's URL does not.
fn region_of(place: &str) -> Option<&str> {
    if place.starts_with("arn:") {
        return place.split(':').nth(3);
    }
    let host = place.split("//").nth(1)?.split(['/', ':']).next()?;
    host.strip_prefix("sqs.")?.split_once(".amazonaws.").map(|(region, _)| region)
}

/// The error of a look-up: who may not list may set it.
fn asked<E, R>(what: &str, error: SdkError<E, R>, variable: &str) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let answered = matches!(&error, SdkError::ServiceError(_));
    let error = ask(what, error);
    if !answered || error.kind() != Kind::Unauthorized {
        return error;
    }
    let context = format!("{}; a role without that right needs {variable}", error.context());
    error.with_context(context).with_fate(Fate::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_read_where_one_is_named() {
        for (place, region) in [
            ("arn:aws:sns:us-east-1:123456789012:gaming-system-time-events", Some("us-east-1")),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/queue", Some("eu-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/queue", Some("cn-north-1")),
            ("http://127.0.0.1:4566/000000000000/queue", None),
            ("nonsense", None),
        ] {
            assert_eq!(region_of(place), region, "{place}");
        }
    }
}

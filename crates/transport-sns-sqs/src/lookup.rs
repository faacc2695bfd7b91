//! Where topics and queues are: as the environment says, else found by name.

use crate::address::Options;
use crate::failure::ask;
use crate::names::{dead_letter_variable, queue_variable, topic_variable};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use worldbus_bus::{Error, Kind, SubscriptionName, Topic};

/// Pages of topics or queues that are looked through, of 100 or 1,000 each.
const PAGE_COUNT_MAX: usize = 1000;
/// Places that are remembered; beyond them all are looked up anew.
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
        if let Some(arn) = self.given(&variable) {
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
            let page = page.map_err(|error| {
                let error = ask("list SNS topics", &error);
                with_hint(error, &variable)
            })?;
            let mut arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
            if let Some(arn) = arns.find(|arn| arn.ends_with(&suffix)) {
                return Ok(self.remember(&variable, arn));
            }
        }
        Err(self.missing("SNS topic", &name, &variable))
    }

    /// Whether the environment says where a topic is.
    pub(crate) fn is_given(&self, topic: &Topic) -> bool {
        self.given(&topic_variable(topic)).is_some()
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

    /// Subscriptions that have a queue of dead letters.
    ///
    /// # Errors
    /// Those of AWS.
    pub(crate) async fn with_dead_letters(&self) -> Result<Vec<SubscriptionName>, Error> {
        let names = &self.options.names;
        let request = self.sqs.list_queues().queue_name_prefix(format!("{}-", names.prefix()));
        let mut pages = request.max_results(1000).into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..PAGE_COUNT_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| ask("list SQS queues", &error))?;
            let of_page = page.queue_urls().iter();
            found.extend(of_page.filter_map(|url| names.subscription_of_dead_letters(url)));
        }
        Ok(found)
    }

    /// Forgets what turned out not to be there any more.
    pub(crate) fn forget(&self) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn url(&self, name: String, variable: &str) -> Result<String, Error> {
        if let Some(url) = self.given(variable) {
            return Ok(url);
        }
        if let Some(url) = self.remembered(variable) {
            return Ok(url);
        }
        match self.sqs.get_queue_url().queue_name(&name).send().await {
            Ok(found) => Ok(self.remember(variable, found.queue_url().unwrap_or_default())),
            Err(error) => match ask(&format!("find SQS queue {name}"), &error) {
                error if error.kind() == Kind::NotFound => {
                    Err(self.missing("SQS queue", &name, variable))
                }
                error => Err(with_hint(error, variable)),
            },
        }
    }

    fn given(&self, variable: &str) -> Option<String> {
        (self.variable)(variable).filter(|value| !value.is_empty())
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

/// Who may not list may be told.
fn with_hint(error: Error, variable: &str) -> Error {
    if error.kind() != Kind::Unauthorized {
        return error;
    }
    let context = format!("{error}; a role without that right needs {variable}");
    Error::refused(error.kind(), context)
}

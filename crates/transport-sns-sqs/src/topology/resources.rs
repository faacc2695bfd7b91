//! Topics, queues and subscriptions in AWS: looking at them, creating them, setting them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::failure::{ask, change};
use worldbus_bus::{Error, Kind};

/// Pages of topics or subscriptions that are looked through.
const PAGE_COUNT_MAX: usize = 1000;

/// Attributes by name.
pub(crate) type Attributes = BTreeMap<String, String>;

/// The calls that topology needs.
#[derive(Clone)]
pub(crate) struct Resources {
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

/// A queue that is there.
#[derive(Debug)]
pub(super) struct ActualQueue {
    pub(super) url: String,
    pub(super) arn: String,
    pub(super) attributes: Attributes,
}

impl Resources {
    /// The ARN of an SNS topic, if it is there.
    pub(super) async fn topic(&self, name: &str) -> Result<Option<String>, Error> {
        let suffix = format!(":{name}");
        let mut pages = self.sns.list_topics().into_paginator().send();
        for _ in 0..PAGE_COUNT_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| ask("list SNS topics", error))?;
            let mut arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
            if let Some(arn) = arns.find(|arn| arn.ends_with(&suffix)) {
                return Ok(Some(arn.to_owned()));
            }
        }
        Ok(None)
    }

    /// Creates an SNS topic; its ARN. One that is there is left as it is.
    pub(crate) async fn create_topic(&self, name: &str) -> Result<String, Error> {
        let created = self.sns.create_topic().name(name).send().await;
        let created =
            created.map_err(|error| change(&format!("create SNS topic {name}"), error))?;
        Ok(created.topic_arn().unwrap_or_default().to_owned())
    }

    /// A queue, if it is there.
    pub(super) async fn queue(&self, name: &str) -> Result<Option<ActualQueue>, Error> {
        let found = self.sqs.get_queue_url().queue_name(name).send().await;
        match found.map_err(|error| ask(&format!("find SQS queue {name}"), error)) {
            Ok(found) => self.queue_at(found.queue_url().unwrap_or_default()).await.map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The queue of a URL.
    pub(super) async fn queue_at(&self, url: &str) -> Result<ActualQueue, Error> {
        let request = self.sqs.get_queue_attributes().queue_url(url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await;
        let answer = answer.map_err(|error| ask(&format!("look at {url}"), error))?;
        let attributes = answer.attributes.unwrap_or_default().into_iter();
        let attributes: Attributes =
            attributes.map(|(name, value)| (name.as_str().to_owned(), value)).collect();
        let arn = attributes.get("QueueArn").cloned().unwrap_or_default();
        Ok(ActualQueue { url: url.to_owned(), arn, attributes })
    }

    /// Creates a queue.
    pub(super) async fn create_queue(
        &self,
        name: &str,
        attributes: &Attributes,
    ) -> Result<ActualQueue, Error> {
        let request = self.sqs.create_queue().queue_name(name);
        let created = request.set_attributes(Some(typed(attributes))).send().await;
        let created =
            created.map_err(|error| change(&format!("create SQS queue {name}"), error))?;
        self.queue_at(created.queue_url().unwrap_or_default()).await
    }

    /// Sets attributes of a queue.
    pub(super) async fn set_queue(&self, url: &str, attributes: &Attributes) -> Result<(), Error> {
        let request = self.sqs.set_queue_attributes().queue_url(url);
        let set = request.set_attributes(Some(typed(attributes))).send().await;
        set.map(drop).map_err(|error| change(&format!("set attributes of {url}"), error))
    }

    /// The ARN and attributes of the subscription of a queue to a topic, if it is there.
    pub(super) async fn subscription(
        &self,
        topic_arn: &str,
        queue_arn: &str,
    ) -> Result<Option<(String, Attributes)>, Error> {
        let what = format!("look at the subscriptions of {topic_arn}");
        let request = self.sns.list_subscriptions_by_topic().topic_arn(topic_arn);
        let mut pages = request.into_paginator().send();
        for _ in 0..PAGE_COUNT_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| ask(&what, error))?;
            let of_queue = page.subscriptions().iter();
            let mut of_queue = of_queue.filter(|found| found.endpoint() == Some(queue_arn));
            if let Some(arn) = of_queue.find_map(|found| found.subscription_arn()) {
                let request = self.sns.get_subscription_attributes().subscription_arn(arn);
                let answer = request.send().await.map_err(|error| ask(&what, error))?;
                let attributes = answer.attributes.unwrap_or_default().into_iter().collect();
                return Ok(Some((arn.to_owned(), attributes)));
            }
        }
        Ok(None)
    }

    /// Subscribes a queue to a topic.
    pub(super) async fn subscribe(
        &self,
        topic_arn: &str,
        queue_arn: &str,
        attributes: &Attributes,
    ) -> Result<(), Error> {
        let request = self.sns.subscribe().topic_arn(topic_arn).protocol("sqs").endpoint(queue_arn);
        let attributes: HashMap<_, _> = attributes.clone().into_iter().collect();
        let subscribed = request.set_attributes(Some(attributes)).send().await;
        let what = format!("subscribe {queue_arn} to {topic_arn}");
        subscribed.map(drop).map_err(|error| change(&what, error))
    }

    /// Sets an attribute of a subscription.
    pub(super) async fn set_subscription(
        &self,
        arn: &str,
        name: &str,
        value: &str,
    ) -> Result<(), Error> {
        let request = self.sns.set_subscription_attributes().subscription_arn(arn);
        let set = request.attribute_name(name).attribute_value(value).send().await;
        set.map(drop).map_err(|error| change(&format!("set {name} of {arn}"), error))
    }
}

fn typed(attributes: &Attributes) -> HashMap<QueueAttributeName, String> {
    let attributes = attributes.iter();
    attributes.map(|(name, value)| (name.as_str().into(), value.clone())).collect()
}

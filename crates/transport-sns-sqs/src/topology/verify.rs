//! Whether a consumer will get what it asks for, as far as its role may look: a subscription that
//! lacks a policy or filters too much is silent, so it is found at the start.

use super::{Resources, Subscription, policy};
use crate::aws::lookup::Lookup;
use worldbus_bus::{Error, Kind, Topic};

/// Refuses a subscription that would not get its events. Whoever sets where a topic is vouches for
/// the subscription to it as well: a role that knows it needs no right to look at subscriptions.
///
/// # Errors
/// `NotFound` if a topic, queue or subscription is missing; `Invalid` if a policy keeps events
/// back; both name it and what to do. A role that may not look is trusted.
pub(crate) async fn verify(lookup: &Lookup, wanted: &Subscription) -> Result<(), Error> {
    let url = lookup.queue_url(&wanted.name).await?;
    lookup.dead_letter_url(&wanted.name).await?;
    let resources = Resources { sns: lookup.sns.clone(), sqs: lookup.sqs.clone() };
    let Some(queue) = allowed(resources.queue_at(&url).await)? else { return Ok(()) };
    let admitting = queue.attributes.get("Policy").map_or("", String::as_str);
    for (topic, types) in &wanted.topics {
        let Some(topic_arn) = allowed(lookup.topic_arn(topic).await)? else { continue };
        if !policy::admits(admitting, &topic_arn) {
            let fault = format!("the policy of SQS queue {url} does not admit topic {topic_arn}");
            return Err(Error::refused(Kind::Invalid, advice(lookup, topic, &fault)));
        }
        if lookup.is_given(topic)? {
            continue;
        }
        let found = allowed(resources.subscription(&topic_arn, &queue.arn).await)?;
        let Some(subscription) = found else { continue };
        let Some((_, attributes)) = subscription else {
            let fault = format!("SQS queue {url} is not subscribed to {topic_arn}");
            return Err(Error::refused(Kind::NotFound, advice(lookup, topic, &fault)));
        };
        let filter = attributes.get("FilterPolicy").map_or("", String::as_str);
        if let Some(kept_back) = policy::kept_back(filter, types) {
            let what = kept_back.map_or("some event types".to_owned(), str::to_owned);
            let fault = format!("the filter policy of {url} on {topic_arn} keeps back {what}");
            return Err(Error::refused(Kind::Invalid, advice(lookup, topic, &fault)));
        }
    }
    Ok(())
}

/// What a role may not look at is `None`.
fn allowed<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::Unauthorized => {
            tracing::debug!(%error, "not verified");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn advice(lookup: &Lookup, topic: &Topic, fault: &str) -> String {
    let options = &lookup.options;
    format!(
        "{fault}, so nothing of topic {topic} would come; mend it by `worldbus topology apply \
         --url 'sns-sqs://{}?prefix={}'`",
        options.region,
        options.names.prefix()
    )
}

//! Looking into a dead-letter queue, and taking out of it. A queue cannot be read without taking:
//! what is looked at is hidden from others meanwhile, for 30 s at the most, and given back.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Note;
use crate::aws::lookup::Lookup;
use crate::aws::queue::{Queue, Taken};
use crate::wire::{Decoded, Message, Value, attribute, read};
use worldbus_bus::limits::check_dead_letter_ids;
use worldbus_bus::{DeadContent, DeadEvent, DeadLetter, Error, SubscriptionName};
use worldbus_events::Catalogue;

/// Dead letters of a subscription that are looked at; beyond them there are more than are shown.
const LOOK_COUNT_MAX: usize = 1000;
/// How long what is looked at is hidden from others.
const LOOK: Duration = Duration::from_secs(30);
/// A poll that waits asks all of SQS's servers; one that does not, only some.
const WAIT: Duration = Duration::from_secs(1);

/// The dead letters of a subscription, newest first, at most `limit` of the first
/// [`LOOK_COUNT_MAX`] that SQS gives.
pub(crate) async fn list(
    lookup: &Lookup,
    catalogue: &Catalogue,
    subscription: &SubscriptionName,
    limit: usize,
) -> Result<Vec<DeadLetter>, Error> {
    let queue = open(lookup, subscription).await?;
    let taken = look(&queue, |_| false).await?;
    let letters = taken.iter().flat_map(|taken| letters(lookup, catalogue, subscription, taken));
    let mut letters: Vec<DeadLetter> = letters.collect();
    give_back(&queue, taken).await;
    letters
        .sort_by_key(|letter| std::cmp::Reverse((letter.event.last_failed_ms, letter.event.index)));
    letters.truncate(limit);
    Ok(letters)
}

/// Sends dead letters to the queue of their subscription, then removes them: in this order, so
/// that a letter is never lost; cut off between, it is in both. The ids that were not there.
pub(crate) async fn replay(
    lookup: &Lookup,
    subscription: &SubscriptionName,
    ids: &[String],
) -> Result<Vec<String>, Error> {
    let to = Queue::new(lookup.sqs.clone(), lookup.queue_url(subscription).await?);
    take_out(lookup, subscription, ids, Some(&to)).await
}

/// Removes dead letters. The ids that were not there.
pub(crate) async fn discard(
    lookup: &Lookup,
    subscription: &SubscriptionName,
    ids: &[String],
) -> Result<Vec<String>, Error> {
    take_out(lookup, subscription, ids, None).await
}

/// Removes the letters of these ids, after they were sent `to` a queue if one is given.
async fn take_out(
    lookup: &Lookup,
    subscription: &SubscriptionName,
    ids: &[String],
    to: Option<&Queue>,
) -> Result<Vec<String>, Error> {
    check_dead_letter_ids(ids)?;
    let mut missing: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let queue = open(lookup, subscription).await?;
    let taken = look(&queue, |taken| {
        missing.remove(taken.id.as_str());
        missing.is_empty()
    })
    .await?;
    let missing = missing.into_iter().map(str::to_owned).collect();
    let (found, rest): (Vec<_>, Vec<_>) =
        taken.into_iter().partition(|taken| wanted.contains(taken.id.as_str()));
    let done = match to {
        Some(to) => to.send(&found.iter().map(original).collect::<Vec<_>>()).await,
        None => vec![Ok(()); found.len()],
    };
    let (mut receipts, mut kept, mut failed) = (Vec::new(), rest, None);
    for (taken, result) in found.into_iter().zip(done) {
        match result {
            Ok(()) => receipts.push(taken.receipt),
            Err(error) => {
                failed = Some(error);
                kept.push(taken);
            }
        }
    }
    for receipts in receipts.chunks(crate::aws::entries::ENTRY_COUNT_MAX) {
        let deleted = queue.delete_all(receipts.to_vec()).await;
        failed = failed.or(deleted.into_iter().find_map(Result::err));
    }
    give_back(&queue, kept).await;
    failed.map_or(Ok(missing), Err)
}

async fn open(lookup: &Lookup, subscription: &SubscriptionName) -> Result<Arc<Queue>, Error> {
    let url = lookup.dead_letter_url(subscription).await?;
    Ok(Queue::new(lookup.sqs.clone(), url))
}

/// Takes messages until there are no more, or `enough` is true.
async fn look(queue: &Queue, mut enough: impl FnMut(&Taken) -> bool) -> Result<Vec<Taken>, Error> {
    let mut all: Vec<Taken> = Vec::new();
    while all.len() < LOOK_COUNT_MAX {
        let some = queue.receive(crate::aws::entries::ENTRY_COUNT_MAX, WAIT, LOOK).await?;
        let mut done = some.is_empty();
        for taken in some {
            done |= enough(&taken);
            all.push(taken);
        }
        if done {
            break;
        }
    }
    Ok(all)
}

async fn give_back(queue: &Queue, taken: Vec<Taken>) {
    let given = taken.into_iter().map(|taken| queue.set_visibility(taken.receipt, Duration::ZERO));
    for error in join_all(given).await.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a dead letter that was looked at stays hidden for a while");
    }
}

/// The message as it was before it became a dead letter.
fn original(taken: &Taken) -> Message {
    let mut attributes = taken.received.attributes.clone();
    attributes.remove(attribute::DEAD_LETTER);
    Message { body: taken.received.body.clone(), attributes }
}

/// The letters of a message: one, unless SQS itself moved a whole message of several events.
fn letters(
    lookup: &Lookup,
    catalogue: &Catalogue,
    subscription: &SubscriptionName,
    taken: &Taken,
) -> Vec<DeadLetter> {
    let note = match taken.received.attributes.get(attribute::DEAD_LETTER) {
        Some(Value::Text(text)) => serde_json::from_str(text).ok(),
        _ => None,
    };
    let note = note.unwrap_or_else(|| Note {
        reason: "moved here by SQS, which had delivered it too often; no reason is known"
            .to_owned(),
        attempts: 0,
        consumer: String::new(),
        first_failed_ms: taken.sent_ms,
        last_failed_ms: taken.sent_ms,
        index: 0,
    });
    let letter = |index, topic, content| DeadLetter {
        id: taken.id.clone(),
        subscription: subscription.clone(),
        topic,
        offset: None,
        consumer: note.consumer.clone(),
        event: DeadEvent {
            index,
            reason: note.reason.clone(),
            attempts: note.attempts,
            first_failed_ms: note.first_failed_ms,
            last_failed_ms: note.last_failed_ms,
        },
        content,
    };
    let original = crate::wire::Received {
        body: taken.received.body.clone(),
        attributes: original(taken).attributes,
        trace_header: None,
    };
    match read(&original, &[], &lookup.options.names, catalogue) {
        Ok(decoded) => {
            let several = decoded.len() > 1 || decoded.iter().any(|part| part.batch.len() > 1);
            let of_part = |part: &Decoded| -> Vec<DeadLetter> {
                let events = part.batch.iter().map(|event| {
                    let index = if several { event.index } else { note.index };
                    let content = DeadContent::Event(event.to_game_event());
                    letter(index, Some(part.topic.clone()), content)
                });
                events.collect()
            };
            decoded.iter().flat_map(of_part).collect()
        }
        Err(hostile) => {
            let content =
                DeadContent::Undecoded { content_type: hostile.content_type, bytes: hostile.bytes };
            vec![letter(0, None, content)]
        }
    }
}

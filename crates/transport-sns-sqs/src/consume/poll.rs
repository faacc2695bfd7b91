//! Receiving: tasks that poll the queue of a consumer and put what comes into its buffer.
//!
//! Each poll costs, so one task polls, 20 s at a time. The others join while polls come back full:
//! then there is more than one of them can take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::queue::Taken;
use crate::consume::capacity::Taking;
use crate::consume::inbox::Inbox;
use crate::consume::ledger::{HeldMessage, Part};
use crate::dead_letters::{exhausted, undecodable};
use crate::wire::{Decoded, Message, Undecodable, read};
use worldbus_bus::{Backoff, Delivered, Error, Kind, Lease};

/// How long a poll waits for a message: the longest that SQS takes, and the cheapest.
const WAIT: Duration = Duration::from_secs(20);
/// Pauses after a failed poll.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long polls may fail, for whatever reason, until the consumer does: a queue may be created
/// again, a right be granted again.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Polls until the consumer is closed; then hands back what the poll under way brings. Poller 0
/// polls always, the others while polls are full.
pub(crate) async fn poll(inbox: Arc<Inbox>, poller: usize) {
    let _polling = Polling(Arc::clone(&inbox));
    let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    let mut failing_since = None;
    while let Some(room) =
        inbox.closed.run_until_cancelled(next_room(&inbox, poller)).await.flatten()
    {
        // After a failure the first answer counts, not the first message: whether there is an
        // outage must not take a whole wait to show.
        let waits = poller == 0 && failing_since.is_none();
        let wait = if waits { WAIT } else { Duration::ZERO };
        match inbox.home.queue.receive(room.count(), wait, inbox.home.spec.lease).await {
            Ok(taken) => {
                (pauses, failing_since) = (Backoff::new(PAUSE_MIN, PAUSE_MAX), None);
                inbox.outage.send_if_modified(|outage| outage.take().is_some());
                inbox.full.send_replace(taken.len() >= room.count());
                accept(&inbox, taken, room).await;
            }
            Err(error) => {
                let since = *failing_since.get_or_insert(Instant::now());
                if since.elapsed() > PATIENCE {
                    inbox.fail(error);
                    return;
                }
                tracing::warn!(queue = inbox.home.queue.url(), %error, "polling failed; retrying");
                inbox.outage.send_replace(Some(error));
                inbox.closed.run_until_cancelled(tokio::time::sleep(pauses.next())).await;
            }
        }
    }
}

/// Held while a task polls: if that panics, no consumer waits for what it would bring.
struct Polling(Arc<Inbox>);

impl Drop for Polling {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let context = "polling the queue ended by a panic; start again";
            self.0.fail(Error::unknown(Kind::Unavailable, context));
        }
    }
}

/// Room for messages, once it is this poller's turn.
async fn next_room(inbox: &Inbox, poller: usize) -> Option<Taking> {
    if poller > 0 {
        inbox.full.subscribe().wait_for(|full| *full).await.ok()?;
    }
    inbox.room.take().await
}

/// Puts messages into the buffer; what cannot be decoded, or was delivered too often, is set aside.
async fn accept(inbox: &Arc<Inbox>, taken: Vec<Taken>, mut room: Taking) {
    // By as much as the answer was under way, SQS ends the lease before.
    let expires = Instant::now() + inbox.home.spec.lease;
    let topics = &inbox.home.spec.topics;
    for message in taken {
        let Some(room) = room.split_one(message.received.bytes()) else { return };
        let decoded = read(&message.received, topics, &inbox.names, &inbox.catalogue.current());
        let result = match decoded {
            Ok(decoded) => enter(inbox, message, decoded, room, expires).await,
            Err(hostile) => quarantine(inbox, message, hostile, room).await,
        };
        if let Err(error) = result {
            // It stays in the queue and comes again; SQS's own redrive is the last resort.
            tracing::warn!(queue = inbox.home.queue.url(), %error, "a message was not taken");
        }
    }
}

/// Puts the batches of a message into the buffer, those that the consumer asks for.
async fn enter(
    inbox: &Inbox,
    message: Taken,
    decoded: Vec<Decoded>,
    room: Taking,
    expires: Instant,
) -> Result<(), Error> {
    let spec = &inbox.home.spec;
    let attempt = message.count.saturating_sub(inbox.ledger().releases(&message.id)).max(1);
    if attempt > spec.attempts_max {
        let (now_ms, none) = (inbox.now_ms(), BTreeSet::new());
        let of_batch = |Decoded { topic, batch }: &Decoded| {
            exhausted(spec, topic, batch, attempt - 1, now_ms, &none)
        };
        let letters = decoded.iter().flat_map(of_batch).collect();
        return set_aside(inbox, message, letters, room).await;
    }
    // The subscription in AWS may admit more than this consumer asks for.
    let wanted = decoded.into_iter().filter(|decoded| spec.filter.admits(&decoded.batch));
    let wanted: Vec<Decoded> = wanted.collect();
    if wanted.is_empty() {
        inbox.home.remove(message.receipt, room);
        return Ok(());
    }
    let held = HeldMessage {
        home: Arc::clone(&inbox.home),
        id: message.id,
        receipt: message.receipt,
        attempt,
        expires,
        room,
        back: None,
    };
    let parts =
        wanted.iter().map(|Decoded { topic, batch }| Part::new(topic.clone(), batch.clone()));
    let first = inbox.ledger().enter(held, parts.collect());
    for (offset, Decoded { topic, batch }) in (first..).zip(wanted) {
        let lease = Lease { subscription: spec.name.clone(), topic, offset, attempt };
        inbox.put(Delivered { lease, appended_ms: message.sent_ms, batch }).await?;
    }
    Ok(())
}

async fn quarantine(
    inbox: &Inbox,
    message: Taken,
    hostile: Undecodable,
    room: Taking,
) -> Result<(), Error> {
    let queue = inbox.home.queue.url();
    tracing::warn!(queue, message_id = message.id, reason = hostile.reason, "dead letter");
    metrics::counter!("worldbus_undecodable_messages_total").increment(1);
    let letter = undecodable(&inbox.home.spec, &message, hostile, inbox.now_ms());
    set_aside(inbox, message, vec![letter], room).await
}

/// Sends dead letters, then removes the message: in this order, so that it is never neither.
async fn set_aside(
    inbox: &Inbox,
    message: Taken,
    letters: Vec<Message>,
    room: Taking,
) -> Result<(), Error> {
    inbox.home.dead_letters.send(&letters).await.into_iter().collect::<Result<(), _>>()?;
    inbox.ledger().done(&message.id);
    inbox.home.remove(message.receipt, room);
    Ok(())
}

//! Dead letters as callers see them: listed, replayed, discarded.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::dead_letters::replay;
use crate::format::record::Dead;
use crate::shared::Shared;
use crate::store;
use crate::store::Page;
use crate::store::failure::{Failure, closed};
use crate::subscription::runtime::Live;
use crate::write::queue::{Letter, Request, TakeOut};
use worldbus_bus::limits::check_dead_letter_ids;
use worldbus_bus::{DeadContent, DeadLetter, Error, Fate, Kind, SubscriptionName};
use worldbus_events::{Batch, exact};

/// Bytes of the dead letters of a page; one more may go in.
const PAGE_BYTES: u64 = 1 << 20;
/// Dead letters that one commit takes out.
const TAKEN_OUT_MAX: usize = 100;

/// The newest of a subscription, or of all.
pub(crate) async fn list(
    shared: &Arc<Shared>,
    subscription: Option<&SubscriptionName>,
    limit: usize,
) -> Result<Vec<DeadLetter>, Error> {
    read(shared, subscription, Page { below: u64::MAX, count_max: limit, bytes_max: u64::MAX })
        .await
}

/// The newest behind `after`, as many as a page holds.
pub(crate) async fn page(
    shared: &Arc<Shared>,
    subscription: Option<&SubscriptionName>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<DeadLetter>, Error> {
    let below = match after {
        None => u64::MAX,
        Some(id) => exact(id).ok_or_else(|| {
            let context = format!("{id:.80?} is not the id of a dead letter; begin without one");
            Error::refused(Kind::Invalid, context)
        })?,
    };
    read(shared, subscription, Page { below, count_max: limit, bytes_max: PAGE_BYTES }).await
}

async fn read(
    shared: &Arc<Shared>,
    subscription: Option<&SubscriptionName>,
    page: Page,
) -> Result<Vec<DeadLetter>, Error> {
    let wanted = subscription.map(|name| find(shared, name)).transpose()?.map(|live| live.id);
    let work = move |connection: &_| store::dead_letters(connection, wanted, page);
    let found = shared.reads.run_up_to_date(work).await?;
    let names: HashMap<u32, SubscriptionName> = {
        let all = shared.subscriptions();
        all.values().map(|live| (live.id, live.name.clone())).collect()
    };
    let letters = found.into_iter();
    letters
        .filter_map(|(number, dead)| to_dead_letter(shared, number, dead, &names).transpose())
        .collect()
}

/// Takes letters out of where they are, and gives them back to their subscription if they are to
/// be replayed. The ids that were not there.
pub(crate) async fn take_out(
    shared: &Arc<Shared>,
    subscription: &SubscriptionName,
    ids: &[String],
    replay: bool,
) -> Result<Vec<String>, Error> {
    check_dead_letter_ids(ids)?;
    let live = find(shared, subscription)?;
    let mut missing = Vec::new();
    for ids in ids.chunks(TAKEN_OUT_MAX) {
        // Read those that are there.
        let numbers: Vec<u64> = ids.iter().filter_map(|id| exact(id)).collect();
        let id = live.id;
        let work = move |connection: &_| store::dead_letters_numbered(connection, id, &numbers);
        let found = shared.reads.run_up_to_date(work).await?;
        let known: Vec<String> = found.iter().map(|(number, _)| number.to_string()).collect();
        missing.extend(ids.iter().filter(|id| !known.contains(id)).cloned());

        // Have the writer take them out, and replay them, in one commit; what another call took
        // meanwhile is missing as well.
        let letters = found.into_iter().map(|(number, dead)| letter(shared, number, &dead));
        let letters = letters.collect::<Result<_, Error>>()?;
        let (reply, answer) = oneshot::channel();
        let take_out = TakeOut { live: Arc::clone(&live), letters, replay };
        let _place = shared.queue.submit(Request::TakeOut(take_out, reply))?;
        let gone = answer.await.unwrap_or_else(|_| Err(closed().with_fate(Fate::Unknown)))?;
        missing.extend(gone.iter().map(u64::to_string));
    }
    Ok(missing)
}

fn find(shared: &Shared, name: &SubscriptionName) -> Result<Arc<Live>, Error> {
    shared.subscriptions().get(name).cloned().ok_or_else(|| {
        Error::refused(Kind::NotFound, format!("subscription {name} does not exist"))
    })
}

fn damaged(shared: &Shared, number: u64, what: &str) -> Error {
    let failure = Failure::Damaged(format!("dead letter {number} {what}"));
    failure.to_error(&shared.file, Fate::Refused)
}

fn batch(shared: &Shared, number: u64, dead: &Dead) -> Result<Batch, Error> {
    let batch = Batch::decode(Bytes::copy_from_slice(&dead.batch));
    batch.map_err(|error| damaged(shared, number, &format!("is {error}")))
}

fn letter(shared: &Shared, number: u64, dead: &Dead) -> Result<Letter, Error> {
    let batch = batch(shared, number, dead)?;
    Ok(Letter { number, topic: dead.key.topic, batch })
}

/// As callers see it; `None` if its subscription or topic was deleted since it was read.
fn to_dead_letter(
    shared: &Shared,
    number: u64,
    dead: Dead,
    names: &HashMap<u32, SubscriptionName>,
) -> Result<Option<DeadLetter>, Error> {
    let place = replay::place(&shared.tail(), dead.key.topic, dead.key.offset);
    let (Some(subscription), Some((topic, offset))) = (names.get(&dead.key.subscription), place)
    else {
        return Ok(None);
    };
    let batch = batch(shared, number, &dead)?;
    let event = batch.iter().next().map(|event| event.to_game_event()).unwrap_or_default();
    Ok(Some(DeadLetter {
        id: number.to_string(),
        subscription: subscription.clone(),
        topic: Some(topic),
        // Only a lease knows the offset of what was replayed.
        offset: (offset == dead.key.offset).then_some(offset),
        consumer: dead.consumer,
        event: dead.event,
        content: DeadContent::Event(event),
    }))
}

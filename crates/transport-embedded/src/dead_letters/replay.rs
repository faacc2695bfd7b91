//! Dead letters that were given back to their subscription: a topic of their own for each topic
//! and subscription, which no other subscription sees and nothing else is published to.
//!
//! So a replayed event is durable, under lease, counted and removed as any other. To consumers
//! it is of the topic that it was published on, at an offset that no published batch has.

use crate::format::record::Head;
use crate::read::tail::Tail;
use worldbus_bus::{Error, Kind, Lease, SubscriptionName, Topic};

/// What the names of these topics begin with; no topic of a user does.
const RESERVED: char = '_';
/// What the names of deleted subscriptions begin with.
const DELETED: &str = "_deleted-";
/// In the offset of a lease: it was replayed.
const REPLAYED: u64 = 1 << 63;

/// The name of the topic for what came on a topic and is replayed to a subscription, both by
/// number.
pub(crate) fn name(topic: u32, subscription: u32) -> Result<Topic, Error> {
    Topic::new(&format!("{RESERVED}replay-{topic}-{subscription}"))
}

/// The number of the topic that it was published on, if the name is of replayed events.
pub(crate) fn origin(name: &Topic) -> Option<u32> {
    let rest = name.as_str().strip_prefix(RESERVED)?.strip_prefix("replay-")?;
    rest.split_once('-')?.0.parse().ok()
}

/// Whether the name is of what was replayed to the subscription of this number.
pub(crate) fn is_for(name: &Topic, subscription: u32) -> bool {
    let rest = name.as_str().strip_prefix(RESERVED).and_then(|rest| rest.strip_prefix("replay-"));
    let number = rest.and_then(|rest| rest.split_once('-')).map(|(_, number)| number);
    number.is_some_and(|number| number.parse() == Ok(subscription))
}

/// The name of a topic that was deleted.
pub(crate) fn deleted_topic(number: u32) -> Result<Topic, Error> {
    Topic::new(&format!("{RESERVED}deleted-{number}"))
}

/// Whether the topic was deleted.
pub(crate) fn is_deleted(name: &Topic) -> bool {
    name.as_str().strip_prefix(RESERVED).is_some_and(|rest| rest.starts_with("deleted-"))
}

/// The name of a subscription that was deleted.
pub(crate) fn deleted_subscription(id: u32) -> Result<SubscriptionName, Error> {
    SubscriptionName::new(&format!("{DELETED}{id}"))
}

/// Refuses the names of deleted subscriptions.
pub(crate) fn check_subscription(name: &SubscriptionName) -> Result<(), Error> {
    if !name.as_str().starts_with(DELETED) {
        return Ok(());
    }
    let context = format!("subscription {name}: names that begin with {DELETED} are reserved");
    Err(Error::refused(Kind::Invalid, context))
}

/// Whether a topic is one that was published to, for all to see.
pub(crate) fn is_public(name: &Topic) -> bool {
    !name.as_str().starts_with(RESERVED)
}

/// Refuses names that are ours.
pub(crate) fn check_names<'a>(names: impl IntoIterator<Item = &'a Topic>) -> Result<(), Error> {
    match names.into_iter().find(|name| name.as_str().starts_with(RESERVED)) {
        None => Ok(()),
        Some(name) => {
            let context = format!("topic {name}: names that begin with {RESERVED} are reserved");
            Err(Error::refused(Kind::Invalid, context))
        }
    }
}

/// How a lease names a batch; `None` for a topic that does not exist, or that was deleted.
pub(crate) fn place(tail: &Tail, number: u32, offset: u64) -> Option<(Topic, u64)> {
    let name = &tail.head(number)?.name;
    let (name, offset) = match origin(name) {
        None => (name, offset),
        Some(origin) => (&tail.head(origin)?.name, offset | REPLAYED),
    };
    is_public(name).then(|| (name.clone(), offset))
}

/// Gives topics of what was replayed from topics that are deleted the names of deleted ones: an
/// earlier version made such where a replay met a deletion.
pub(crate) fn delete_orphans(heads: &mut [Head]) -> Result<(), Error> {
    for number in 0..heads.len() {
        let origin = origin(&heads[number].name).and_then(|origin| heads.get(origin as usize));
        if origin.is_some_and(|origin| is_deleted(&origin.name)) {
            heads[number].name = deleted_topic(number as u32)?;
        }
    }
    Ok(())
}

/// The topic's number and the offset of a batch that a lease names.
pub(crate) fn find(tail: &Tail, subscription: u32, lease: &Lease) -> Option<(u32, u64)> {
    let number = tail.number(&lease.topic)?;
    if lease.offset & REPLAYED == 0 {
        return Some((number, lease.offset));
    }
    let replays = tail.number(&name(number, subscription).ok()?)?;
    Some((replays, lease.offset & !REPLAYED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replayed_of_a_deleted_topic_is_deleted_with_it() {
        let names = [deleted_topic(0), name(0, 5), Topic::new("a"), name(2, 5)];
        let mut heads: Vec<_> = names.into_iter().map(|name| Head::new(name.unwrap())).collect();
        delete_orphans(&mut heads).unwrap();
        let deleted: Vec<_> = heads.iter().map(|head| is_deleted(&head.name)).collect();
        assert_eq!(deleted, [true, true, false, false]);
        let tail = Tail::new(heads, 0, 0);
        assert_eq!((place(&tail, 0, 7), place(&tail, 1, 7)), (None, None));
        let replayed = (Topic::new("a").unwrap(), 7 | REPLAYED);
        assert_eq!(place(&tail, 3, 7), Some(replayed));
    }

    #[test]
    fn names_lead_back_and_are_reserved() {
        let replays = name(7, u32::MAX).unwrap();
        assert_eq!(origin(&replays), Some(7));
        let weather = Topic::new("weather").unwrap();
        assert_eq!(origin(&weather), None);
        check_names([&weather]).unwrap();
        assert_eq!(check_names([&weather, &replays]).unwrap_err().kind(), Kind::Invalid);
    }
}

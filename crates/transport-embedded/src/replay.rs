//! Dead letters that were given back to their subscription: a topic of their own for each topic
//! and subscription, which nobody else sees and nobody publishes to.
//!
//! So a replayed event is durable, under lease, counted and removed as any other. To consumers
//! it is of the topic that it was published on, at an offset that no published batch has.

use crate::tail::Tail;
use worldbus_bus::{Error, Kind, Lease, Topic};

/// What the names of these topics begin with; no topic of a user does.
const RESERVED: char = '_';
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

/// How a lease names a batch; `None` for a topic that does not exist.
pub(crate) fn place(tail: &Tail, number: u32, offset: u64) -> Option<(Topic, u64)> {
    let name = &tail.head(number)?.name;
    match origin(name) {
        None => Some((name.clone(), offset)),
        Some(origin) => Some((tail.head(origin)?.name.clone(), offset | REPLAYED)),
    }
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
    fn names_lead_back_and_are_reserved() {
        let replays = name(7, u32::MAX).unwrap();
        assert_eq!(origin(&replays), Some(7));
        let weather = Topic::new("weather").unwrap();
        assert_eq!(origin(&weather), None);
        check_names([&weather]).unwrap();
        assert_eq!(check_names([&weather, &replays]).unwrap_err().kind(), Kind::Invalid);
    }
}

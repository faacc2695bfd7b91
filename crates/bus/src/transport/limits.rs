//! The bounds of what a caller may ask of any transport, and the checks that hold them. Every
//! transport makes them at its own entry, so that no two of them disagree.

use std::time::Duration;

use super::{DeadEvent, Filter, Outcome, ReadSpec, SubscriptionSpec};
use crate::error::{Error, Kind};

/// How short a lease may be: a shorter one ends before a settlement comes.
pub const LEASE_MIN: Duration = Duration::from_millis(10);
/// How long a lease may be: what SQS, the strictest engine, allows.
pub const LEASE_MAX: Duration = Duration::from_secs(12 * 3600);
/// How long a nack may put off the next delivery.
pub const NACK_DELAY_MAX: Duration = LEASE_MAX;
/// Deliveries of a batch before it is dead-lettered: at least the first.
pub const ATTEMPT_COUNT_MIN: u32 = 1;
/// Unsettled deliveries of one consumer at once, in batches.
pub const IN_FLIGHT_COUNT_MIN: u32 = 1;
/// Unsettled deliveries of one consumer at once, in batches.
pub const IN_FLIGHT_COUNT_MAX: u32 = 4096;
/// Topics that one subscription or reader may list.
pub const TOPIC_COUNT_MAX: usize = 1024;
/// Event types, entities and places that one filter may list, of each.
pub const FILTER_COUNT_MAX: usize = 1024;
/// Bytes of all entities and places of one filter together.
pub const FILTER_BYTES_MAX: usize = 64 << 10;
/// Bytes of the text that names a consumer.
pub const CONSUMER_BYTES_MAX: usize = 256;
/// Bytes of the reason of a dead letter; a longer one is cut.
pub const REASON_BYTES_MAX: usize = 4096;
/// Dead letters that one call may replay or discard.
pub const DEAD_LETTER_ID_COUNT_MAX: usize = 1000;
/// Bytes of the id of a dead letter.
pub const DEAD_LETTER_ID_BYTES_MAX: usize = 256;

impl SubscriptionSpec {
    /// Refuses what no transport takes.
    ///
    /// # Errors
    /// `Invalid` without a topic, or outside [`LEASE_MIN`] to [`LEASE_MAX`],
    /// [`IN_FLIGHT_COUNT_MIN`] to [`IN_FLIGHT_COUNT_MAX`], or below [`ATTEMPT_COUNT_MIN`];
    /// `TooLarge` beyond [`TOPIC_COUNT_MAX`], the bounds of a filter, or [`CONSUMER_BYTES_MAX`].
    pub fn check(&self) -> Result<(), Error> {
        if self.topics.is_empty() {
            let context = format!("subscription {} names no topic; name at least one", self.name);
            return Err(Error::refused(Kind::Invalid, context));
        }
        at_most("topics", self.topics.len(), TOPIC_COUNT_MAX)?;
        at_most("bytes of the consumer's name", self.consumer.len(), CONSUMER_BYTES_MAX)?;
        no_longer("lease", self.lease, LEASE_MAX)?;
        self.check_least()?;
        if self.in_flight_max > IN_FLIGHT_COUNT_MAX {
            let context = format!(
                "{} batches in flight; ask for at most {IN_FLIGHT_COUNT_MAX}",
                self.in_flight_max
            );
            return Err(Error::refused(Kind::Invalid, context));
        }
        self.filter.check()
    }

    /// A field that a client left out of its message is 0, which is below each of these.
    fn check_least(&self) -> Result<(), Error> {
        let lease_ms = self.lease.as_millis();
        let (given, min) = if self.lease < LEASE_MIN {
            (format!("a lease of {lease_ms} ms"), LEASE_MIN.as_millis().to_string())
        } else if self.attempts_max < ATTEMPT_COUNT_MIN {
            (format!("at most {} deliveries", self.attempts_max), ATTEMPT_COUNT_MIN.to_string())
        } else if self.in_flight_max < IN_FLIGHT_COUNT_MIN {
            (format!("{} batches in flight", self.in_flight_max), IN_FLIGHT_COUNT_MIN.to_string())
        } else {
            return Ok(());
        };
        let context = format!("subscription {}: {given}; ask for at least {min}", self.name);
        Err(Error::refused(Kind::Invalid, context))
    }
}

impl ReadSpec {
    /// Refuses what no transport takes.
    ///
    /// # Errors
    /// `TooLarge` beyond [`TOPIC_COUNT_MAX`] or the bounds of a filter.
    pub fn check(&self) -> Result<(), Error> {
        at_most("topics", self.topics.len(), TOPIC_COUNT_MAX)?;
        self.filter.check()
    }
}

impl Filter {
    fn check(&self) -> Result<(), Error> {
        at_most("event types in a filter", self.types.len(), FILTER_COUNT_MAX)?;
        at_most("entities in a filter", self.entities.len(), FILTER_COUNT_MAX)?;
        at_most("places in a filter", self.places.len(), FILTER_COUNT_MAX)?;
        let bytes = self.entities.iter().chain(&self.places).map(String::len).sum();
        at_most("bytes of the entities and places in a filter", bytes, FILTER_BYTES_MAX)
    }
}

impl Outcome {
    /// Refuses what no transport takes.
    ///
    /// # Errors
    /// `Invalid` for a nack beyond [`NACK_DELAY_MAX`].
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Nack(delay) => no_longer("nack's delay", *delay, NACK_DELAY_MAX),
            Self::Ack | Self::Release | Self::Extend => Ok(()),
        }
    }
}

/// Puts dead events in the order of their batch, and refuses what is not of a batch of so many
/// events. Reasons are cut at [`REASON_BYTES_MAX`].
///
/// # Errors
/// `Invalid` for an event that the batch does not have, or one that stands twice.
pub fn check_dead_events(
    mut events: Vec<DeadEvent>,
    batch_len: usize,
) -> Result<Vec<DeadEvent>, Error> {
    at_most("dead events of a batch", events.len(), batch_len)?;
    events.sort_unstable_by_key(|event| event.index);
    let invalid = |context: String| Err(Error::refused(Kind::Invalid, context));
    if let Some(pair) = events.windows(2).find(|pair| pair[0].index == pair[1].index) {
        return invalid(format!("dead letter for event {} stands twice", pair[0].index));
    }
    if let Some(last) = events.last().filter(|last| last.index as usize >= batch_len) {
        return invalid(format!("dead letter for event {} of a batch of {batch_len}", last.index));
    }
    events.iter_mut().for_each(DeadEvent::cut_reason);
    Ok(events)
}

impl DeadEvent {
    /// Cuts the reason at [`REASON_BYTES_MAX`] and gives the rest of its memory back.
    pub fn cut_reason(&mut self) {
        if self.reason.len() > REASON_BYTES_MAX {
            self.reason.truncate(self.reason.floor_char_boundary(REASON_BYTES_MAX));
            self.reason.shrink_to_fit();
        }
    }
}

/// Refuses more ids than one call takes, and longer ones than any engine gives.
///
/// # Errors
/// `TooLarge` beyond [`DEAD_LETTER_ID_COUNT_MAX`] or [`DEAD_LETTER_ID_BYTES_MAX`].
pub fn check_dead_letter_ids(ids: &[String]) -> Result<(), Error> {
    at_most("dead letters in a call", ids.len(), DEAD_LETTER_ID_COUNT_MAX)?;
    let longest = ids.iter().map(String::len).max().unwrap_or_default();
    at_most("bytes of a dead letter's id", longest, DEAD_LETTER_ID_BYTES_MAX)
}

fn at_most(what: &str, count: usize, max: usize) -> Result<(), Error> {
    if count <= max {
        return Ok(());
    }
    Err(Error::refused(Kind::TooLarge, format!("{count} {what}; at most {max}")))
}

fn no_longer(what: &str, duration: Duration, max: Duration) -> Result<(), Error> {
    if duration <= max {
        return Ok(());
    }
    let (given, max) = (duration.as_millis(), max.as_millis());
    let context = format!("a {what} of {given} ms; choose at most {max} (12 hours)");
    Err(Error::refused(Kind::Invalid, context))
}

#[cfg(test)]
mod tests;

//! How much of the past is kept, and what goes of it. Not here: removing it, which is the
//! database's.

use std::collections::BTreeSet;

use super::Versions;
use worldbus_events::v1::WorldStateUpdated;
use worldbus_events::{Error, Event as _};
use worldbus_world::WallTime;

/// Steps and keys that go with one transaction: as many as may come with it.
pub(super) const AT_ONCE_MAX: usize = 256;

/// What is kept of the past. Beyond a limit the oldest goes, if it was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps, with which any version since can be read.
    pub step_count: u64,
    /// Their age by the wall clock, in microseconds.
    pub step_age_us: i64,
    /// Idempotency keys.
    pub key_count: u64,
    /// Their age by the wall clock, in microseconds.
    pub key_age_us: i64,
}

impl Limits {
    /// The oldest step that is kept may go: it was published, and there are too many or it is too
    /// old.
    pub(super) fn may_go(&self, versions: &Versions, made: WallTime, now: WallTime) -> bool {
        let too_many = versions.world - versions.kept_from > self.step_count;
        let too_old = now.0.saturating_sub(made.0) > self.step_age_us;
        // What was not published is the outbox.
        versions.kept_from < versions.published && (too_many || too_old)
    }
}

/// The rows of the past that lead behind a step, by its event.
#[derive(Default)]
pub(super) struct Forgotten {
    /// Entities and fields that it changed.
    pub(super) fields: Vec<(String, String)>,
    /// Its entities.
    pub(super) entities: BTreeSet<String>,
}

impl Forgotten {
    pub(super) fn of(event: &[u8]) -> Result<Self, Error> {
        let event = WorldStateUpdated::from_payload(event)?;
        let mut this = Self::default();
        for change in event.changes {
            let Some((entity, field)) = change.path.rsplit_once('/') else { continue };
            this.entities.insert(entity.to_owned());
            this.fields.push((entity.to_owned(), field.to_owned()));
        }
        Ok(this)
    }
}

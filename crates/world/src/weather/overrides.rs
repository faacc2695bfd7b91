//! What somebody forced upon the weather: records with an expiry, kept in order of revision.
//! Not here: how numbers follow a forced state (`constrain`), where records are stored.

use serde::{Deserialize, Serialize};

use super::WeatherState;
use crate::time::GameTime;

/// Overrides that a world may have at a time.
pub const OVERRIDE_COUNT_MAX: usize = 4096;

const DEFAULT_INTENSITY: u16 = 500;

/// A state forced upon a region for a stretch of game time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Names the record, for audit.
    pub id: String,
    /// Orders the records of a world; of two in force the higher one counts. Above 0.
    pub rev: u64,
    /// The region's id.
    pub region: String,
    /// The state.
    pub state: WeatherState,
    /// Position inside the state's band, 0 to 1000; 500 if left out.
    pub intensity_permille: Option<u16>,
    /// First instant in force.
    pub start: GameTime,
    /// First instant no longer in force; none: until it is cleared.
    pub end: Option<GameTime>,
}

/// Why an override is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// Too many: wait for some to expire, then prune, or clear them.
    #[error("the world has {OVERRIDE_COUNT_MAX} overrides already: clear some")]
    TooMany,
    /// An intensity above 1000.
    #[error("intensity: expected 0 to 1000 permille, found {0}")]
    Intensity(u16),
    /// It would end before it begins.
    #[error("the override ends before it begins")]
    Backwards,
}

/// The overrides of a world, by revision. Equal records give equal weather on every instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    records: Vec<Override>,
    pruned_rev: u64,
}

impl Override {
    pub(super) fn intensity(&self) -> i64 {
        i64::from(self.intensity_permille.unwrap_or(DEFAULT_INTENSITY))
    }

    /// In force at an instant.
    pub fn covers(&self, time: GameTime) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }
}

impl Overrides {
    /// The records, lowest revision first.
    pub fn records(&self) -> &[Override] {
        &self.records
    }

    /// Takes a record in; one of a known revision is replaced (a clearing gives it an end).
    ///
    /// # Errors
    /// See [`OverrideError`]; nothing has changed then.
    pub fn insert(&mut self, record: Override) -> Result<(), OverrideError> {
        if let Some(intensity) = record.intensity_permille.filter(|i| *i > 1000) {
            return Err(OverrideError::Intensity(intensity));
        }
        if record.end.is_some_and(|end| end < record.start) {
            return Err(OverrideError::Backwards);
        }
        match self.records.binary_search_by_key(&record.rev, |r| r.rev) {
            Ok(at) => self.records[at] = record,
            Err(_) if self.records.len() >= OVERRIDE_COUNT_MAX => {
                return Err(OverrideError::TooMany);
            }
            Err(at) => self.records.insert(at, record),
        }
        Ok(())
    }

    /// Ends what is in force in a region at `time` or would be later; the records that changed.
    pub fn clear(&mut self, region: &str, time: GameTime) -> Vec<Override> {
        let open = |r: &&mut Override| r.region == region && r.end.is_none_or(|end| end > time);
        let end = |r: &mut Override| {
            r.end = Some(time.max(r.start));
            r.clone()
        };
        self.records.iter_mut().filter(open).map(end).collect()
    }

    /// Forgets what ended before `time`. The weather before `time` is no longer answered right.
    pub fn prune(&mut self, time: GameTime) {
        let gone = |r: &Override| r.end.is_some_and(|end| end <= time);
        let rev = self.records.iter().filter(|r| gone(r)).map(|r| r.rev).max();
        self.pruned_rev = self.pruned_rev.max(rev.unwrap_or(0));
        self.records.retain(|r| !gone(r));
    }

    /// The record that counts in a region at an instant.
    pub fn in_force(&self, region: &str, time: GameTime) -> Option<&Override> {
        self.records.iter().rev().find(|r| r.region == region && r.covers(time))
    }

    /// The highest revision of all that began at `time` or before, 0 if none did: part of the
    /// identity of events of that instant.
    pub fn rev_at(&self, time: GameTime) -> u64 {
        let begun = self.records.iter().rev().find(|r| r.start <= time);
        begun.map_or(0, |r| r.rev).max(self.pruned_rev)
    }

    /// The instants in (`after`, `until`] at which an override of any region begins or ends,
    /// each once, in order: there states may change between whole hours.
    pub fn edges(&self, after: GameTime, until: GameTime) -> Vec<GameTime> {
        let ends = |r: &Override| [Some(r.start), r.end];
        let edges = self.records.iter().flat_map(ends).flatten();
        let mut edges: Vec<_> = edges.filter(|t| after < *t && *t <= until).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Every beginning and end of a region's overrides, in no order.
    pub(super) fn edges_of<'a>(&'a self, region: &'a str) -> impl Iterator<Item = GameTime> + 'a {
        let records = self.records.iter().filter(move |r| r.region == region);
        records.flat_map(|r| [Some(r.start), r.end]).flatten()
    }
}

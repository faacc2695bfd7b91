//! The plan of all regions at some hours, kept: who asks for the same hours again and again has
//! them computed once, by a sweep, and gets what single looks give, to the bit.
//! Not here: which hours those are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::weather::{Conditions, Weather};

/// By hour since the epoch: the plan of each region.
pub(in super::super) type Kept = BTreeMap<i64, Arc<[Conditions]>>;

impl Weather {
    /// Keeps the plan at these hours, counted from the world's epoch, and at no others. Looks at
    /// them say the same and cost a small part. Takes 32 bytes for each region and hour.
    pub fn keep(&mut self, hours: &BTreeSet<i64>) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.retain(|hour, _| hours.contains(hour));
        let missing: Vec<i64> =
            hours.iter().copied().filter(|hour| !kept.contains_key(hour)).collect();
        if let Some(first) = missing.first() {
            let mut sweep = self.sweep(*first);
            for hour in missing {
                sweep.go_to(hour);
                let regions = 0..self.region_count();
                kept.insert(hour, regions.map(|region| sweep.conditions(region)).collect());
            }
        }
        self.kept = kept;
    }

    /// The plan at an hour, if it is kept.
    pub(in super::super) fn kept(&self, region: usize, hour: i64) -> Option<&Conditions> {
        Some(&self.kept.get(&hour)?[region])
    }
}

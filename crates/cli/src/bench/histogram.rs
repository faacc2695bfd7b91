//! Times by how often they occurred: a log-linear histogram, each bucket at most 1.6 % wide.
//!
//! Not the crate `hdrhistogram`: that records, resizes, merges and writes files; this is forty
//! lines. Not for times that have to be exact.

use std::time::Duration;

/// Buckets of each power of two.
const LINEAR_BITS: u32 = 6;
const LINEAR: u64 = 1 << LINEAR_BITS;
const BUCKETS: usize = ((64 - LINEAR_BITS as usize) + 1) << LINEAR_BITS;

/// How long things took.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Adds `count` times that were alike.
    pub(super) fn add(&mut self, time: Duration, count: u64) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += count;
        self.count += count;
        self.max = self.max.max(nanos);
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// What was added since an earlier state of it; the longest as exact as a bucket.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let counts = self.counts.iter().zip(&earlier.counts);
        let counts: Vec<u64> = counts.map(|(now, then)| now.saturating_sub(*then)).collect();
        let longest = counts.iter().rposition(|count| *count > 0);
        let max = longest.map_or(0, |bucket| highest(bucket).min(self.max));
        Self { counts, count: self.count.saturating_sub(earlier.count), max }
    }

    /// The time that this share of them took at most, in milliseconds; none without any.
    pub(super) fn percentile_ms(&self, share: f64) -> Option<f64> {
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= rank
        };
        let index = self.counts.iter().position(reached)?;
        Some(highest(index).min(self.max) as f64 / 1e6)
    }

    /// The longest, in milliseconds; none without any.
    pub(super) fn max_ms(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max as f64 / 1e6)
    }
}

fn bucket(value: u64) -> usize {
    if value < LINEAR {
        return value as usize;
    }
    let shift = value.ilog2() - LINEAR_BITS;
    ((shift as usize + 1) << LINEAR_BITS) + ((value >> shift) - LINEAR) as usize
}

/// The highest value of a bucket.
fn highest(bucket: usize) -> u64 {
    let (power, linear) = (bucket >> LINEAR_BITS, bucket as u64 & (LINEAR - 1));
    match power {
        0 => linear,
        power => (u128::from(LINEAR + linear + 1) << (power - 1)).saturating_sub(1) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_buckets_are_narrow() {
        for value in (0..64).flat_map(|bit| [1 << bit, (1 << bit) + 1, (1_u64 << bit) - 1]) {
            let at = bucket(value);
            assert!(value <= highest(at) && at < BUCKETS, "{value}: {at}");
            assert!(at == 0 || value > highest(at - 1), "{value}: {at}");
            assert!(highest(at) - value <= value / LINEAR, "{value}: {}", highest(at));
        }
        assert_eq!((bucket(u64::MAX), highest(bucket(u64::MAX))), (BUCKETS - 1, u64::MAX));
    }

    #[test]
    fn percentiles_are_those_of_what_was_added_and_merged() {
        let mut all = Histogram::default();
        assert_eq!((all.percentile_ms(0.5), all.max_ms()), (None, None));
        let mut slow = Histogram::default();
        (1..=900).for_each(|ms| all.add(Duration::from_millis(ms), 1));
        slow.add(Duration::from_secs(5), 100);
        all.merge(&slow);
        let about = |share: f64, ms: f64| {
            let found = all.percentile_ms(share).unwrap();
            assert!((found / ms - 1.0).abs() < 0.02, "{share}: {found}");
        };
        about(0.5, 500.0);
        about(0.9, 900.0);
        about(0.99, 5000.0);
        assert_eq!(all.max_ms(), Some(5000.0));
    }

    #[test]
    fn what_came_since_an_earlier_state_has_its_own_percentiles_and_longest() {
        let mut all = Histogram::default();
        all.add(Duration::from_secs(5), 100);
        let earlier = all.clone();
        let nothing = all.since(&earlier);
        assert_eq!((nothing.percentile_ms(0.5), nothing.max_ms()), (None, None));
        (1..=100).for_each(|ms| all.add(Duration::from_millis(ms), 1));
        let later = all.since(&earlier);
        for (found, ms) in [(later.percentile_ms(0.5), 50.0), (later.max_ms(), 100.0)] {
            assert!((found.unwrap() / ms - 1.0).abs() < 0.02, "{found:?}, not {ms}");
        }
        assert_eq!(all.since(&Histogram::default()).max_ms(), all.max_ms());
    }
}

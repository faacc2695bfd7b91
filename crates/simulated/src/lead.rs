//! For services of several instances over one state store: how far ahead commands take effect, so
//! that every instance knows them in time, and how often the store is read for that.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use worldbus_bus::WallClock;
use worldbus_service::health::Condition;
use worldbus_service::start;
use worldbus_service::state::{Error, Kind};

/// The longest lead, in milliseconds.
pub const LEAD_MS_MAX: u64 = 60_000;
/// The store is read at least this often.
const POLL_US_MAX: i64 = 500_000;
/// And at most this often, whatever the lead.
const POLL_US_MIN: i64 = 5_000;

/// How far ahead commands take effect, the same in all instances. Taking a command uses up less
/// than half of it, and the other half is for the instances to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    us: i64,
}

impl Lead {
    /// For one process that owns the state alone.
    pub const NONE: Self = Self { us: 0 };

    /// A lead of at most [`LEAD_MS_MAX`]. Zero is [`Lead::NONE`].
    ///
    /// # Errors
    /// `Setting` if it is longer.
    pub fn new(lead: Duration) -> Result<Self, start::Error> {
        let found = lead.as_millis();
        match i64::try_from(lead.as_micros()) {
            Ok(us) if found <= u128::from(LEAD_MS_MAX) => Ok(Self { us }),
            _ => {
                let expected = format!("0 to {LEAD_MS_MAX} ms");
                Err(start::Error::Setting { name: "lead_ms", expected })
            }
        }
    }

    /// When a command takes effect that is taken at a wall time.
    pub fn after_us(self, wall_us: i64) -> i64 {
        wall_us.saturating_add(self.us)
    }

    /// No command takes effect before this wall time that was not in the store when it was read
    /// at `read_at_us`.
    pub fn fence_us(self, read_at_us: i64) -> i64 {
        if self.us == 0 { i64::MAX } else { read_at_us.saturating_add(self.us / 2) }
    }

    /// Whether taking a command from one wall time to another was too slow for the others.
    pub fn is_missed(self, from_us: i64, until_us: i64) -> bool {
        self.us > 0 && until_us.saturating_sub(from_us) > self.us / 2
    }

    /// Reads what other instances wrote, again and again until the shutdown. `read` is given the
    /// wall time before it; while it fails the condition does, too.
    ///
    /// # Errors
    /// `Damaged`, from `read`: it does not pass.
    pub async fn poll<F>(
        self,
        wall: Arc<dyn WallClock>,
        condition: Condition,
        shutdown: CancellationToken,
        read: impl Fn(i64) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        condition.met();
        let mut read_at_us = wall.now_us();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = wall.sleep_until_us(read_at_us.saturating_add(self.poll_us())) => {}
            }
            read_at_us = wall.now_us();
            match read(read_at_us).await {
                Ok(()) => condition.met(),
                Err(error) if error.kind() == Kind::Damaged => return Err(error),
                Err(error) => condition.failed(error.to_string()),
            }
        }
    }

    fn poll_us(self) -> i64 {
        if self.us == 0 { POLL_US_MAX } else { (self.us / 4).clamp(POLL_US_MIN, POLL_US_MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(ms: u64) -> Lead {
        Lead::new(Duration::from_millis(ms)).unwrap()
    }

    #[test]
    fn lead_of_more_than_the_longest_is_refused() {
        assert!(Lead::new(Duration::from_millis(LEAD_MS_MAX)).is_ok());
        let error = Lead::new(Duration::from_millis(LEAD_MS_MAX + 1)).unwrap_err();
        assert_eq!(error.to_string(), "setting `lead_ms`: expected 0 to 60000 ms");
        assert!(Lead::new(Duration::MAX).is_err());
    }

    #[test]
    fn store_is_read_within_half_the_lead() {
        for ms in [0, 1, 10, 100, 1_000, LEAD_MS_MAX] {
            let period_us = lead(ms).poll_us();
            assert!((POLL_US_MIN..=POLL_US_MAX).contains(&period_us));
            assert!(ms < 10 || period_us <= ms as i64 * 1_000 / 2);
        }
    }

    #[test]
    fn without_lead_nothing_is_held_back_and_nothing_comes_late() {
        assert_eq!((lead(0).fence_us(5), lead(0).after_us(5)), (i64::MAX, 5));
        assert!(!lead(0).is_missed(0, 1_000_000));
        assert_eq!((lead(2).fence_us(5), lead(2).after_us(5)), (1_005, 2_005));
        assert!(lead(2).is_missed(0, 1_001) && !lead(2).is_missed(0, 1_000));
    }
}

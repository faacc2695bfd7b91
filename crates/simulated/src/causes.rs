//! What begins at a wall time because of a command or of an event that was received, so that what
//! is emitted then continues that trace. In memory: an instance that read of the command in the
//! state store emits the same events without it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use worldbus_bus::trace::{self, TraceParent};

/// Causes that are remembered at a time; the oldest go first.
const CAUSE_COUNT_MAX: usize = 64;

/// The causes that one service knows of. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Causes(Arc<Mutex<VecDeque<(i64, TraceParent)>>>);

impl Causes {
    /// What begins at a wall time (microseconds since the Unix epoch) follows from what this task
    /// does, if that is traced.
    pub fn note(&self, wall_us: i64) {
        self.note_that(wall_us, trace::current());
    }

    /// The same for a cause that is known. The first for a wall time stays.
    pub fn note_that(&self, wall_us: i64, cause: Option<TraceParent>) {
        let Some(cause) = cause else { return };
        let mut causes = self.lock();
        if causes.iter().any(|(at, _)| *at == wall_us) {
            return;
        }
        if causes.len() == CAUSE_COUNT_MAX {
            causes.pop_front();
        }
        causes.push_back((wall_us, cause));
    }

    /// The cause of what begins at a wall time.
    pub fn at(&self, wall_us: i64) -> Option<TraceParent> {
        self.lock().iter().find(|(at, _)| *at == wall_us).map(|(_, cause)| *cause)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(i64, TraceParent)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_cause_of_an_instant_stays_and_the_oldest_are_forgotten() {
        let causes = Causes::default();
        let cause = |id| TraceParent::new(id, 1, true);
        causes.note_that(0, None);
        assert_eq!(causes.at(0), None);
        for instant in 0..=CAUSE_COUNT_MAX as i64 {
            causes.note_that(instant, cause(1));
            causes.note_that(instant, cause(2));
        }
        assert_eq!((causes.at(0), causes.at(1)), (None, cause(1)));
        assert_eq!(causes.at(CAUSE_COUNT_MAX as i64), cause(1));
    }
}

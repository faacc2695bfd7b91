//! Up to where an instance has published: a command takes effect behind it.

use worldbus_world::{Clock, WallTime};

/// Up to where an instance has published, and the clock's latest epoch then.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    epoch: u32,
    wall: WallTime,
}

impl Default for Passed {
    /// Nowhere.
    fn default() -> Self {
        Self { epoch: 0, wall: WallTime(i64::MIN) }
    }
}

impl Passed {
    /// Where that is by a clock: nowhere if the clock was resumed since, as what was published was
    /// ahead of it.
    pub fn by(self, clock: &Clock) -> WallTime {
        if clock.is_resumed_after(self.epoch) { WallTime(i64::MIN) } else { self.wall }
    }

    /// Moves forward to a wall time of a clock, never back.
    pub fn reach(&mut self, clock: &Clock, wall: WallTime) {
        *self = Self { epoch: clock.last().epoch, wall: wall.max(self.by(clock)) };
    }
}

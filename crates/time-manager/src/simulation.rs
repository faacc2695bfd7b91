//! What is to be announced now: each boundary when its wall time comes, and what was missed
//! before. Not here: which events a boundary brings (`agenda`), the timer (the service kit).

use std::sync::Arc;

use worldbus_service::checkpoint::Checkpoint;
use worldbus_service::ticker::{Simulated, Step};
use worldbus_world::{Clock, GameTime, WallTime};

use crate::agenda::{Agenda, Emission, REPEAT_US};
use crate::clockwork::Clockwork;

/// After downtime this much game time is made up for; what is older was nobody's moment.
const CATCH_UP_GAME_US_MAX: i64 = 1_440 * GameTime::MINUTE_US;

pub(crate) struct Simulation {
    agenda: Agenda,
    clockwork: Arc<Clockwork>,
    /// Downtime was made up for, or left out.
    caught_up: bool,
    /// The last multiple of the repetition's time at which the segment was told again.
    repeated: i64,
}

impl Simulation {
    pub(crate) fn new(agenda: Agenda, clockwork: Arc<Clockwork>) -> Self {
        Self { agenda, clockwork, caught_up: false, repeated: i64::MIN }
    }

    /// Once: a jump over what is too old to be made up for.
    fn begin(&mut self, clock: &Clock, durable: Checkpoint) -> Checkpoint {
        if self.caught_up {
            return durable;
        }
        self.caught_up = true;
        let (after, now) = (WallTime(durable.wall_us), self.clockwork.now());
        let from = clock.last_stretch(after, now, CATCH_UP_GAME_US_MAX);
        if from > after {
            let skipped = clock.boundaries(after, from, GameTime::MINUTE_US).count();
            metrics::counter!("worldbus_time_catch_up_skipped_total").increment(skipped as u64);
            tracing::warn!(game_minutes = skipped, "down for long: the oldest are left out");
        }
        Checkpoint { wall_us: from.0, ..durable }
    }
}

impl Simulated for Simulation {
    type Emission = Emission;

    async fn step(&mut self, durable: Option<Checkpoint>) -> Step<Emission> {
        let clockwork = Arc::clone(&self.clockwork);
        let mut passed = clockwork.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = clockwork.view();
        let (clock, now) = (view.history.clock(), clockwork.now());
        let durable = durable.map(|durable| self.begin(clock, durable));
        let seen = now.min(view.fence);
        let after = clock.untold_after(durable.map(|d| (d.epoch, WallTime(d.wall_us))));
        let until = self.agenda.chunk_end(clock, after, seen.max(after));
        let mut events = self.agenda.announcements(&view.history, durable.map(|d| d.epoch));
        events.extend(self.agenda.between(clock, after, until));
        let bucket = until.0.div_euclid(REPEAT_US);
        if bucket > self.repeated {
            self.repeated = bucket;
            let repetition = self.agenda.repetition(&view.history, until);
            let at = events.partition_point(|event| event.wall <= repetition.wall);
            events.insert(at, repetition);
        }
        *passed = until.max(*passed);
        let next = match (until < seen, seen == now) {
            (true, _) => Some(until.0),
            (false, true) => Some(self.agenda.next(clock, until).0),
            (false, false) => None,
        };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next_us: next }
    }

    fn told(&mut self, reached: Checkpoint) {
        self.clockwork.announced(reached.epoch);
    }
}

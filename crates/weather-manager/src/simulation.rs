//! What is to be announced now: each boundary when its wall time comes, and what was missed
//! before. Not here: which events a boundary brings (`agenda`), the timer (the service kit).

use std::sync::Arc;

use crate::agenda::{Agenda, Emission, REPEAT_US};
use crate::sky::{Sky, View};
use worldbus_simulated::{Checkpoint, Simulated, Step};
use worldbus_world::{Clock, GameTime, WallTime};

/// Days of the world's calendar that are made up for after downtime; what is older is left
/// out.
const CATCH_UP_DAYS_MAX: i64 = 1;

pub(crate) struct Simulation {
    agenda: Agenda,
    sky: Arc<Sky>,
    /// Downtime was made up for, or left out; and a jump of the wall clock is downtime.
    caught_up: bool,
    /// Jumps of the wall clock that are known.
    jumps: u64,
    /// The clock's epoch and the overrides' revision that were announced last.
    announced: Option<(u32, u64)>,
    /// The last multiple of the repetition's time at which the overrides were announced again.
    repeated: i64,
}

impl Simulation {
    pub(crate) fn new(agenda: Agenda, sky: Arc<Sky>) -> Self {
        let jumps = sky.jumps();
        Self { agenda, sky, caught_up: false, jumps, announced: None, repeated: i64::MIN }
    }

    /// The overrides after a command that was not announced yet.
    fn news(&mut self, clock: &Clock, view: &View) -> Vec<Emission> {
        let news = Some((clock.last().epoch, view.commands.rev()));
        // At the start they are repeated, whatever was announced before.
        let is_known = self.announced.is_none() || self.announced == news;
        self.announced = news;
        if is_known { Vec::new() } else { self.agenda.announcement(clock, &view.commands) }
    }

    /// The overrides again, once each time.
    fn repetition(&mut self, clock: &Clock, view: &View, until: WallTime) -> Vec<Emission> {
        let number = until.0.div_euclid(REPEAT_US);
        if number <= self.repeated {
            return Vec::new();
        }
        self.repeated = number;
        self.agenda.repetition(clock, &view.commands, until)
    }

    /// After a downtime, when a clock is known: a new world's first events, and a jump over what is
    /// too old to be made up for. Moves `durable` to where it goes on.
    fn begin(
        &mut self,
        clock: &Clock,
        view: &View,
        seen: WallTime,
        durable: &mut Option<Checkpoint>,
    ) -> Vec<Emission> {
        if self.caught_up || clock.segments()[0].anchor_wall > seen {
            return Vec::new();
        }
        let mut events = Vec::new();
        let after = unpublished_after(clock, *durable);
        let mut from = clock.last_stretch(after, seen, CATCH_UP_DAYS_MAX * self.agenda.day_us());
        if durable.is_none() {
            let anchor = clock.segments()[0].anchor_wall;
            events = self.agenda.between(clock, &view.commands, anchor.plus_us(-1), anchor);
            from = from.max(anchor);
        }
        if from > after {
            let skipped = clock.boundaries(after, from, GameTime::HOUR_US).count();
            metrics::counter!("worldbus_weather_catch_up_skipped_total").increment(skipped as u64);
            let epoch = clock.segment_at(from).epoch;
            *durable = Some(Checkpoint { epoch, wall_us: from.0 });
        }
        events
    }

    /// What is still to be published by the clock before it was resumed, until a wall time that
    /// has not come: most of it, or all, was published before, with the same ids.
    fn rest(
        &mut self,
        (before, until): (&Clock, WallTime),
        view: &View,
        durable: Checkpoint,
    ) -> Step<Emission> {
        self.caught_up = true;
        let after = unpublished_after(before, Some(durable));
        let after = before.last_stretch(after, until, CATCH_UP_DAYS_MAX * self.agenda.day_us());
        let end = self.agenda.chunk_end(before, after, until);
        let events = self.agenda.between(before, &view.commands, after, end);
        let reached = Checkpoint { epoch: before.last().epoch, wall_us: end.0 };
        Step { events, reached: Some(reached), next_us: Some(i64::MIN) }
    }
}

impl Simulated for Simulation {
    type Emission = Emission;

    async fn step(&mut self, mut durable: Option<Checkpoint>) -> Step<Emission> {
        let sky = Arc::clone(&self.sky);
        let mut passed = sky.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = sky.view();
        let Some(clock) = view.clock.clone() else {
            return Step { events: Vec::new(), reached: None, next_us: None };
        };
        let last = durable.map(|durable| (durable.epoch, WallTime(durable.wall_us)));
        if let (Some(durable), Some((before, until))) = (durable, clock.before_resuming(last)) {
            return self.rest((&before, until), &view, durable);
        }
        let mut events = self.news(&clock, &view);
        if let Some(reached) = durable.filter(|_| !events.is_empty()) {
            // Known before what follows from them, which may take long to compute.
            return Step { events, reached: Some(reached), next_us: Some(i64::MIN) };
        }
        let now = sky.now();
        let seen = now.min(view.fence);
        let jumps = sky.jumps();
        self.caught_up &= jumps == self.jumps;
        self.jumps = jumps;
        let begun = self.begin(&clock, &view, seen, &mut durable);
        // Until then it is not known what was commanded.
        self.caught_up |= seen == now && durable.is_some();
        let after = unpublished_after(&clock, durable);
        let until = self.agenda.chunk_end(&clock, after, seen.max(after));
        // A command that is taken from here on takes effect behind this step, and need not wait
        // until it is computed, which takes seconds where it changes thousands of regions.
        passed.reach(&clock, until);
        drop(passed);
        events.extend(self.repetition(&clock, &view, until));
        events.extend(begun);
        events.extend(self.agenda.between(&clock, &view.commands, after, until));
        let next = match (until < seen, seen == now) {
            (true, _) => Some(until),
            (false, true) => {
                let repeat = WallTime((until.0.div_euclid(REPEAT_US) + 1) * REPEAT_US);
                let next = self.agenda.next(&clock, &view.commands, until);
                Some(next.map_or(repeat, |next| next.min(repeat)))
            }
            (false, false) => None,
        };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next_us: next.map(|wall| wall.0) }
    }

    fn published(&mut self, reached: Checkpoint) {
        self.sky.published(WallTime(reached.wall_us));
    }
}

fn unpublished_after(clock: &Clock, durable: Option<Checkpoint>) -> WallTime {
    clock.unpublished_after(durable.map(|durable| (durable.epoch, WallTime(durable.wall_us))))
}

//! What is to be announced now: each boundary when its wall time comes, and what was missed
//! before. Not here: which events a boundary brings (`agenda`), the timer (the service kit).

use std::sync::{Arc, MutexGuard, PoisonError};

use crate::agenda::{Agenda, Basis, SharedAgenda};
use crate::emission::Emission;
use crate::town::Town;
use worldbus_simulated::{Checkpoint, Simulated, Step};
use worldbus_world::{Clock, WallTime};

/// Days of the world's calendar that are made up for where more than twice as many were missed;
/// what is older is left out.
const CATCH_UP_DAYS_MAX: i64 = 1;

pub(crate) struct Simulation {
    agenda: SharedAgenda,
    town: Arc<Town>,
}

impl Simulation {
    pub(crate) fn new(agenda: SharedAgenda, town: Arc<Town>) -> Self {
        Self { agenda, town }
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After which wall time events are to be published: no more than two days back.
    fn after(&self, clock: &Clock, durable: Option<Checkpoint>, seen: WallTime) -> WallTime {
        let reached = durable.map(|durable| (durable.epoch, WallTime(durable.wall_us)));
        let after = clock.unpublished_after(reached).min(seen);
        let day_us = CATCH_UP_DAYS_MAX * self.agenda().day_us();
        // To leave something out is to compute where everyone stands once more, which takes seconds
        // in a large world: done at each step behind a fast clock it would never end.
        match clock.last_stretch(after, seen, 2 * day_us) == after {
            true => after,
            false => clock.last_stretch(after, seen, day_us),
        }
    }
}

impl Simulated for Simulation {
    type Emission = Emission;

    async fn step(&mut self, durable: Option<Checkpoint>) -> Step<Emission> {
        let town = Arc::clone(&self.town);
        let mut passed = town.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = town.view();
        let (Some(clock), Some(weather)) = (&view.clock, &view.weather) else {
            return Step { events: Vec::new(), reached: None, next_us: None };
        };
        let commands = &*view.commands;
        let last = durable.map(|durable| (durable.epoch, WallTime(durable.wall_us)));

        // What is still to be published by a clock that was resumed since.
        if let Some((before, until)) = clock.before_resuming(last) {
            let basis = Basis { clock: &before, weather, commands };
            let after = self.after(&before, durable, until);
            let (events, reached) = self.agenda().between(basis, after, until);
            let reached = Checkpoint { epoch: before.last().epoch, wall_us: reached.0 };
            return Step { events, reached: Some(reached), next_us: Some(i64::MIN) };
        }

        let now = town.now();
        let seen = now.min(view.fence);
        let basis = Basis { clock, weather, commands };
        let after = self.after(clock, durable, seen);
        let (events, until) = self.agenda().between(basis, after, seen.max(after));
        // Of the beginning of a segment some may be out that `until` is before.
        passed.reach(clock, seen.max(until));
        drop(passed);
        let next = match (until < seen, seen == now) {
            (true, _) => Some(until),
            (false, true) => Agenda::next(basis, until),
            (false, false) => None,
        };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next_us: next.map(|wall| wall.0) }
    }
}

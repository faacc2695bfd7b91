//! What is to be announced now: each boundary when its wall time comes, and what was missed
//! before. Not here: which events a boundary brings (`agenda`), the timer (the service kit).

use std::sync::Arc;

use crate::agenda::Emission;
use crate::agenda::{Agenda, REPEAT_US};
use crate::clock::clockwork::Clockwork;
use crate::clock::history::History;
use crate::clock::request::Request;
use worldbus_service::config::{Shape, Value};
use worldbus_simulated::commands::Passed;
use worldbus_simulated::{Checkpoint, Simulated, Step};
use worldbus_world::{GameTime, WallTime};

/// Days of the world's calendar that are made up for after downtime, boundary by boundary; what
/// is older is left out.
const CATCH_UP_DAYS_MAX: i64 = 1;

/// A schedule's command that could not be written is tried again after this wall time.
const RETRY_US: i64 = 500_000;

/// Which of the boundaries are published that passed while no instance ran. Commands, and what was
/// scheduled once, are published whichever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// None: the world goes on as if nothing had been.
    None,
    /// The latest of each kind, with `coalesced` in its metadata: for how many it stands.
    Last,
    /// All of the last game day.
    #[default]
    All,
}

impl Value for CatchUp {
    const EXPECTED: &'static str = "none, last or all";
    const SHAPE: Shape = Shape::Text;

    fn parse(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] if text == "none" => Ok(Self::None),
            [text] if text == "last" => Ok(Self::Last),
            [text] if text == "all" => Ok(Self::All),
            _ => Err(String::new()),
        }
    }
}

pub(crate) struct Simulation {
    agenda: Agenda,
    clockwork: Arc<Clockwork>,
    catch_up: CatchUp,
    /// Downtime was made up for, or left out; and a jump of the wall clock is downtime.
    caught_up: bool,
    /// Jumps of the wall clock that are known.
    jumps: u64,
    /// The last multiple of the repetition's time at which the segment was announced again.
    repeated: i64,
}

impl Simulation {
    pub(crate) fn new(agenda: Agenda, clockwork: Arc<Clockwork>, catch_up: CatchUp) -> Self {
        let jumps = clockwork.jumps();
        Self { agenda, clockwork, catch_up, caught_up: false, jumps, repeated: i64::MIN }
    }

    /// After a downtime: a jump over what is not made up for, and what is published of it
    /// nevertheless.
    fn begin(
        &mut self,
        history: &History,
        durable: Checkpoint,
        seen: WallTime,
    ) -> (Checkpoint, Vec<Emission>) {
        if self.caught_up {
            return (durable, Vec::new());
        }
        let (clock, after) = (history.clock(), WallTime(durable.wall_us));
        let from = match self.catch_up {
            CatchUp::All => {
                clock.last_stretch(after, seen, CATCH_UP_DAYS_MAX * self.agenda.day_us())
            }
            CatchUp::None | CatchUp::Last => seen,
        };
        if from <= after {
            return (durable, Vec::new());
        }
        let minutes =
            clock.spans(after, from).map(|s| s.boundaries(GameTime::MINUTE_US).remaining());
        let skipped: u64 = minutes.sum();
        metrics::counter!("worldbus_time_catch_up_skipped_total").increment(skipped);
        tracing::warn!(game_minutes = skipped, rule = ?self.catch_up, "down: some is left out");
        let events = match self.catch_up {
            CatchUp::Last => self.agenda.latest(history, after, from),
            CatchUp::None | CatchUp::All => self.agenda.asked_for(history, after, from),
        };
        let epoch = clock.segment_at(from).epoch.max(durable.epoch);
        (Checkpoint { wall_us: from.0, epoch }, events)
    }

    /// Carries out what schedules command at one instant; false while it cannot be written.
    async fn carry_out(&self, requests: &[Request], passed: Passed) -> bool {
        for request in requests {
            let Err(problem) = self.clockwork.carry_out(request, passed).await else { continue };
            let (event_id, error) = (&request.id, &problem.detail);
            if problem.status >= 500 {
                tracing::warn!(event_id, error, "a schedule's command is not written; retrying");
                return false;
            }
            // Whoever receives it from the bus sets it aside.
            tracing::warn!(event_id, error, "a schedule's command is refused");
        }
        true
    }

    /// What is still to be published by the clock before it was resumed, until a wall time that
    /// has not come: most of it, or all, was published before, with the same ids.
    fn rest(&mut self, before: &History, durable: Checkpoint, until: WallTime) -> Step<Emission> {
        // Nothing passed meanwhile: the clock goes on from there.
        self.caught_up = true;
        let (clock, last) = (before.clock(), (durable.epoch, WallTime(durable.wall_us)));
        let after = clock.unpublished_after(Some(last));
        let after = clock.last_stretch(after, until, CATCH_UP_DAYS_MAX * self.agenda.day_us());
        let end = self.agenda.chunk_end(before, after, until);
        let mut events = self.agenda.announcements(before, Some(durable.epoch));
        events.extend(self.agenda.between(before, after, end));
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: end.0 };
        Step { events, reached: Some(reached), next_us: Some(i64::MIN) }
    }
}

impl Simulated for Simulation {
    type Emission = Emission;

    async fn step(&mut self, durable: Option<Checkpoint>) -> Step<Emission> {
        let clockwork = Arc::clone(&self.clockwork);
        let mut passed = clockwork.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = clockwork.view();
        let (history, now) = (&*view.log, clockwork.now());
        let last = durable.map(|durable| (durable.epoch, WallTime(durable.wall_us)));
        if let (Some(durable), Some((before, until))) = (durable, history.before_resuming(last)) {
            return self.rest(&before, durable, until);
        }
        let clock = history.clock();
        let seen = now.min(view.fence);
        let jumps = clockwork.jumps();
        self.caught_up &= jumps == self.jumps;
        self.jumps = jumps;
        let mut events = self.agenda.announcements(history, durable.map(|d| d.epoch));
        // A new world has missed nothing.
        self.caught_up |= durable.is_none();
        let durable = durable.map(|durable| {
            let (durable, missed) = self.begin(history, durable, seen);
            events.extend(missed);
            durable
        });
        // Until then it is not known what was commanded.
        self.caught_up |= seen == now;
        let after = clock.unpublished_after(durable.map(|d| (d.epoch, WallTime(d.wall_us))));
        let until = self.agenda.chunk_end(history, after, seen.max(after));
        let due = self.agenda.requests(history, after, until);
        let carried_out = match &due {
            Some((_, requests)) => self.carry_out(requests, *passed).await,
            None => true,
        };
        // Behind a command the clock is as the command made it, which is not known before.
        let until = match due {
            Some((wall, _)) if carried_out => wall,
            Some((wall, _)) => wall.plus_us(-1),
            None => until,
        };
        let view = clockwork.view();
        let (history, clock) = (&*view.log, view.log.clock());
        events.extend(self.agenda.between(history, after, until));
        let bucket = until.0.div_euclid(REPEAT_US);
        if bucket > self.repeated {
            self.repeated = bucket;
            let repetition = self.agenda.repetition(history, until);
            let at = events.partition_point(|event| event.wall <= repetition.wall);
            events.insert(at, repetition);
        }
        passed.reach(clock, until);
        let next = match (until < seen, seen == now) {
            _ if !carried_out => Some(now.0.saturating_add(RETRY_US)),
            (true, _) => Some(until.0),
            (false, true) => Some(self.agenda.next(history, until).0),
            (false, false) => None,
        };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next_us: next }
    }

    fn published(&mut self, reached: Checkpoint) {
        self.clockwork.announced(reached.epoch, WallTime(reached.wall_us));
    }
}

//! The task that publishes each boundary when its wall time comes, and what was missed before.
//! Not here: which events a boundary brings (`agenda`).

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use worldbus_bus::Error;
use worldbus_service::checkpoint::{Checkpoint, Checkpoints};
use worldbus_service::emit::{Emitted, Emitter};
use worldbus_world::{Clock, GameTime, WallTime};

use crate::agenda::{Agenda, Emission, REPEAT_US};
use crate::clockwork::Clockwork;
use crate::history::History;

/// After downtime this much game time is made up for; what is older was nobody's moment.
const CATCH_UP_GAME_US_MAX: i64 = 1_440 * GameTime::MINUTE_US;
/// The checkpoint is written at most this often.
const CHECKPOINT_US_MIN: i64 = 1_000_000;

pub(crate) struct Ticker {
    pub(crate) agenda: Agenda,
    pub(crate) clockwork: Arc<Clockwork>,
    pub(crate) emitter: Emitter,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) shutdown: CancellationToken,
    /// How far everything is durable; none in a new world.
    pub(crate) durable: Option<Checkpoint>,
}

/// What is to be done now.
struct Step {
    events: Vec<Emission>,
    /// Where we are once they are durable.
    reached: Checkpoint,
    /// When to look again; none while only another reading of the state store can tell.
    next: Option<WallTime>,
    repeated: i64,
}

impl Ticker {
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let mut views = self.clockwork.watch();
        let (mut saved, mut repeated) = (self.durable, i64::MIN);
        self.catch_up(&views.borrow_and_update().history.clone());
        loop {
            views.borrow_and_update();
            let step = self.step(repeated).await;
            match self
                .emitter
                .emit(step.events.iter().map(Emission::outgoing), &self.shutdown)
                .await?
            {
                Emitted::Interrupted => break,
                Emitted::Durable => self.count(&step.events),
            }
            self.clockwork.announced(step.reached.epoch);
            (self.durable, repeated) = (Some(step.reached), step.repeated);
            let due = |saved: Checkpoint| {
                saved.epoch != step.reached.epoch
                    || step.reached.wall_us.saturating_sub(saved.wall_us) >= CHECKPOINT_US_MIN
            };
            if saved.is_none_or(due) && self.save().await {
                saved = self.durable;
            }
            let sleep = self.clockwork.wall().sleep_until_us(step.next.map_or(i64::MAX, |w| w.0));
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                _ = views.changed() => {}
                () = sleep => {}
            }
        }
        self.save().await;
        Ok(())
    }

    /// Skips what is too old to be made up for.
    fn catch_up(&mut self, history: &History) {
        let clock = history.clock();
        let Some(durable) = self.durable.as_mut() else { return };
        let (after, now) = (WallTime(durable.wall_us), self.clockwork.now());
        let from = last_stretch(clock, after, now, CATCH_UP_GAME_US_MAX);
        if from > after {
            let skipped = clock.boundaries(after, from, GameTime::MINUTE_US).count();
            metrics::counter!("worldbus_time_catch_up_skipped_total").increment(skipped as u64);
            tracing::warn!(game_minutes = skipped, "down for long: the oldest are left out");
            durable.wall_us = from.0;
        }
    }

    async fn step(&self, repeated: i64) -> Step {
        let mut passed = self.clockwork.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = self.clockwork.view();
        let (clock, now) = (view.history.clock(), self.clockwork.now());
        let seen = now.min(view.fence);
        let after = resume(clock, self.durable);
        let until = self.agenda.chunk_end(clock, after, seen.max(after));
        let mut events = self.agenda.announcements(&view.history, self.durable.map(|d| d.epoch));
        events.extend(self.agenda.between(clock, after, until));
        let bucket = until.0.div_euclid(REPEAT_US);
        if bucket > repeated {
            let repetition = self.agenda.repetition(&view.history, until);
            let at = events.partition_point(|event| event.wall <= repetition.wall);
            events.insert(at, repetition);
        }
        *passed = until.max(*passed);
        let next = if until < seen { Some(until) } else { Some(self.agenda.next(clock, until)) };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        let next = next.filter(|_| until < seen || seen == now);
        Step { events, reached, next, repeated: bucket.max(repeated) }
    }

    async fn save(&self) -> bool {
        let Some(durable) = self.durable else { return false };
        let saved = self.checkpoints.save(durable).await;
        if let Err(error) = &saved {
            tracing::warn!(%error, "how far we are was not kept; a restart will repeat more");
        }
        saved.is_ok()
    }

    fn count(&self, events: &[Emission]) {
        let now = self.clockwork.now();
        metrics::counter!("worldbus_time_events_total").increment(events.len() as u64);
        for event in events {
            let lag_us = now.0.saturating_sub(event.wall.0).max(0);
            metrics::histogram!("worldbus_time_boundary_lag_seconds").record(lag_us as f64 / 1e6);
        }
    }
}

/// After which wall time the next events are: a segment that is new to us and began before where
/// we are brings its events nevertheless.
fn resume(clock: &Clock, durable: Option<Checkpoint>) -> WallTime {
    let news = clock.segments().iter().filter(|s| durable.is_none_or(|d| s.epoch > d.epoch));
    let begun = news.map(|s| s.anchor_wall.plus_us(-1)).min();
    let reached = durable.map(|d| WallTime(d.wall_us));
    begun.into_iter().chain(reached).min().unwrap_or_default()
}

/// Where in (`after`, `now`] the last `game_us_max` of game time begin.
fn last_stretch(clock: &Clock, after: WallTime, now: WallTime, game_us_max: i64) -> WallTime {
    let mut left = game_us_max;
    let spans: Vec<_> = clock.spans(after, now).collect();
    for span in spans.iter().rev() {
        let length = span.to.0.saturating_sub(span.from.0);
        if length > left {
            let from = span.segment.wall_at(span.to.plus_us(-left)).unwrap_or(after);
            return from.plus_us(-1).max(after);
        }
        left -= length;
    }
    after
}

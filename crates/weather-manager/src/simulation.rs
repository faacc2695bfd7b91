//! The task that publishes each boundary when its wall time comes, and what was missed before.
//! Not here: which events a boundary brings (`agenda`).

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use worldbus_bus::Error;
use worldbus_service::checkpoint::{Checkpoint, Checkpoints};
use worldbus_service::emit::{Emitted, Emitter};
use worldbus_world::{Clock, GameTime, WallTime};

use crate::agenda::{Agenda, Emission};
use crate::sky::{Sky, View};

/// After downtime this much game time is made up for; what is older was nobody's moment.
const CATCH_UP_GAME_US_MAX: i64 = 1_440 * GameTime::MINUTE_US;
/// The checkpoint is written at most this often.
const CHECKPOINT_US_MIN: i64 = 1_000_000;

pub(crate) struct Ticker {
    pub(crate) agenda: Arc<Agenda>,
    pub(crate) sky: Arc<Sky>,
    pub(crate) emitter: Emitter,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) shutdown: CancellationToken,
    /// How far everything is durable; none in a new world.
    pub(crate) durable: Option<Checkpoint>,
    /// Downtime was made up for, or left out.
    pub(crate) caught_up: bool,
}

/// What is to be done now.
struct Step {
    events: Vec<Emission>,
    /// Where we are once they are durable; none before a clock was heard.
    reached: Option<Checkpoint>,
    /// When to look again; none while only news can tell.
    next: Option<WallTime>,
}

impl Ticker {
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let mut views = self.sky.watch();
        let mut saved = self.durable;
        loop {
            views.borrow_and_update();
            let step = self.step().await;
            if step.reached.is_some() {
                let events = step.events.iter().map(Emission::outgoing);
                match self.emitter.emit(events, &self.shutdown).await? {
                    Emitted::Interrupted => break,
                    Emitted::Durable => self.count(&step.events),
                }
            }
            self.durable = step.reached.or(self.durable);
            if is_due(saved, self.durable) && self.save().await {
                saved = self.durable;
            }
            let sleep = self.sky.wall().sleep_until_us(step.next.map_or(i64::MAX, |wall| wall.0));
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

    async fn step(&mut self) -> Step {
        let sky = Arc::clone(&self.sky);
        let mut passed = sky.passed().await;
        // Read behind the gate: a command may have come while we waited for it.
        let view = sky.view();
        let Some(clock) = view.clock.clone() else {
            return Step { events: Vec::new(), reached: None, next: None };
        };
        let now = sky.now();
        let seen = now.min(view.fence);
        let mut events = self.begin(&clock, &view, seen);
        let after = resume(&clock, self.durable);
        let until = self.agenda.chunk_end(&clock, after, seen.max(after));
        events.extend(self.agenda.between(&clock, &view.commands, after, until));
        *passed = until.max(*passed);
        let next = match (until < seen, seen == now) {
            (true, _) => Some(until),
            (false, true) => self.agenda.next(&clock, &view.commands, until),
            (false, false) => None,
        };
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next }
    }

    /// Once, when a clock is known: a new world's first events, and a jump over what is too old
    /// to be made up for.
    fn begin(&mut self, clock: &Clock, view: &View, seen: WallTime) -> Vec<Emission> {
        if self.caught_up || clock.segments()[0].anchor_wall > seen {
            return Vec::new();
        }
        self.caught_up = true;
        let mut events = Vec::new();
        let known = self.durable;
        let after = resume(clock, known);
        let mut from = last_stretch(clock, after, seen, CATCH_UP_GAME_US_MAX);
        if known.is_none() {
            let anchor = clock.segments()[0].anchor_wall;
            events = self.agenda.between(clock, &view.commands, anchor.plus_us(-1), anchor);
            from = from.max(anchor);
        }
        if from > after {
            let skipped = clock.boundaries(after, from, GameTime::HOUR_US).count();
            metrics::counter!("worldbus_weather_catch_up_skipped_total").increment(skipped as u64);
            let epoch = clock.segment_at(from).epoch;
            self.durable = Some(Checkpoint { epoch, wall_us: from.0 });
        }
        events
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
        let now = self.sky.now();
        metrics::counter!("worldbus_weather_events_total").increment(events.len() as u64);
        for event in events {
            let lag_us = now.0.saturating_sub(event.wall.0).max(0);
            metrics::histogram!("worldbus_weather_boundary_lag_seconds")
                .record(lag_us as f64 / 1e6);
        }
    }
}

fn is_due(saved: Option<Checkpoint>, durable: Option<Checkpoint>) -> bool {
    let Some(durable) = durable else { return false };
    saved.is_none_or(|saved| {
        saved.epoch != durable.epoch
            || durable.wall_us.saturating_sub(saved.wall_us) >= CHECKPOINT_US_MIN
    })
}

/// After which wall time the next events are: a segment that was heard after it began brings its
/// events nevertheless.
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

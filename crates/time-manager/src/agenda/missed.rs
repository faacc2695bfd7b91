//! What is still published of a stretch in which no instance ran, and is not made up for in full.
//! Not here: how long that stretch is (`simulation`).

use std::collections::BTreeMap;

use super::emission::Emission;
use super::{Agenda, At};
use crate::clock::history::History;
use worldbus_events::{Event as _, v1};
use worldbus_world::{Span, WallTime};

/// Of a longer downtime only this many days are looked through for the latest of each kind.
const LOOK_BACK_DAYS_MAX: usize = 400;

/// Where days follow the sun, only as many days of regions: each is computed one by one.
const LOOK_BACK_REGION_DAYS_MAX: usize = 40_000;
/// Though of each region two days at least.
const LOOK_BACK_DAYS_MIN: usize = 2;

/// What two events must share so that the later one stands for the earlier.
type Kind = (u32, Option<String>, u64);

impl Agenda {
    /// What was asked for in the wall interval (`after`, `until`]: commands, and what was
    /// scheduled once. It is published however late.
    pub(crate) fn asked_for(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let spans = history.clock().spans(after, until).filter(|span| span.starts);
        let commands = spans.filter_map(|span| {
            let segment = span.segment;
            let (epoch, game, wall) = (segment.epoch, segment.anchor_game, segment.anchor_wall);
            self.command(history, &span, At { epoch, game, wall })
        });
        let mut events: Vec<_> = commands.collect();
        events.extend(self.due_once(history, after, until));
        events.sort_by_key(Emission::order);
        events
    }

    /// The latest event of each kind in the wall interval (`after`, `until`], which stands for
    /// those before it, and all that was asked for.
    pub(crate) fn latest(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let clock = history.clock();
        let mut latest: BTreeMap<Kind, (Emission, u64)> = BTreeMap::new();
        let mut take = |kind: Kind, emission: Emission, count: u64| {
            let before = latest.get(&kind).map_or(0, |(_, count)| *count);
            latest.insert(kind, (emission, before.saturating_add(count)));
        };
        let from = clock.last_stretch(after, until, self.look_back_us());
        // Hours bring all but ticks; of those only the last is computed.
        let hourly = Self { cadence_us: self.look_back_us(), ..self.copy() };
        let hours = |span: &Span| {
            let moment = |e: &Emission| e.recurs && e.event_type != v1::TimeUpdated::NUMBER;
            hourly.span(history, span).into_iter().filter(moment).collect::<Vec<_>>()
        };
        for span in clock.spans(from, until) {
            for emission in days(span, self.calendar.day_us()).flat_map(|day| hours(&day)) {
                take((emission.event_type, emission.entity.clone(), 0), emission, 1);
            }
            let mut ticks = span.boundaries(self.cadence_us);
            let skipped = ticks.keep_last(1);
            for tick in ticks {
                let at = At { epoch: tick.epoch, game: tick.game, wall: tick.wall };
                let emission = self.updated(at);
                take((emission.event_type, None, 0), emission, skipped + 1);
            }
            for schedule in history.schedules.list() {
                let Some((due, count)) = schedule.latest(&span, &self.calendar) else { continue };
                for emission in self.fired(schedule, due) {
                    let kind = (emission.event_type, emission.entity.clone(), schedule.number);
                    take(kind, emission, count);
                }
            }
        }
        let mut events = self.asked_for(history, after, until);
        events.extend(latest.into_values().map(|(mut emission, count)| {
            emission.stands_for(count - 1);
            emission
        }));
        events.sort_by_key(Emission::order);
        events
    }

    fn look_back_us(&self) -> i64 {
        let regions = self.skies.as_ref().map_or(1, |skies| skies.regions().len());
        let days = LOOK_BACK_REGION_DAYS_MAX / regions;
        let days = days.clamp(LOOK_BACK_DAYS_MIN, LOOK_BACK_DAYS_MAX) as i64;
        days.saturating_mul(self.calendar.day_us())
    }

    fn copy(&self) -> Self {
        let (world, calendar) = (self.world.clone(), self.calendar.clone());
        Self { world, calendar, skies: self.skies.clone(), ..*self }
    }
}

/// A span in pieces of a day, so that not all of its events are held at once.
fn days(span: Span, day_us: i64) -> impl Iterator<Item = Span> {
    let mut rest = Some(span);
    std::iter::from_fn(move || {
        let span = rest.take()?;
        let end = span.from.plus_us(day_us);
        if end >= span.to {
            return Some(span);
        }
        rest = Some(Span { starts: false, from: end, ..span });
        Some(Span { to: end, ..span })
    })
}

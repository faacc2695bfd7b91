//! Which events a stretch of wall time brings: a pure function of the world and its clock, so
//! that every instance computes the same bytes and ids. Not here: when it is asked (`ticker`),
//! what an event of it holds (`moments`, `phases`, `commands`, `scheduled`), what is left out
//! (`missed`).

mod commands;
mod emission;
mod missed;
mod moments;
mod phases;
mod scheduled;
mod skies;

use std::iter::successors;
use std::sync::Arc;

use crate::NAME;
use crate::clock::history::History;
use skies::Skies;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_world::{
    Calendar, GameTime, Hemisphere, Segment, Slots, Span, WallTime, World, producer_id,
};

pub(crate) use emission::Emission;

/// The newest segment in force is announced again at each multiple of this wall time.
pub(crate) const REPEAT_US: i64 = 5_000_000;

/// Cadence boundaries that are taken at once.
const CHUNK_COUNT_MAX: usize = 1024;

/// As many regions whose days follow the sun publish as much as a schedule may: each has few phases
/// a day, and of the boundaries a day has at least two dozen.
const REGIONS_AS_SCHEDULE_COUNT: usize = 4;

/// The service's event types by number: an event's rank is part of its identity. Those of
/// schedules are not among them: each schedule is a producer of its own.
const EVENT_TYPES: [u32; 17] = [
    v1::TimeChanged::NUMBER,
    v1::DayActivated::NUMBER,
    v1::NightActivated::NUMBER,
    v1::TimeUpdated::NUMBER,
    v1::ClockChanged::NUMBER,
    v1::HourChanged::NUMBER,
    v1::DayChanged::NUMBER,
    v1::MonthChanged::NUMBER,
    v1::YearChanged::NUMBER,
    v1::SeasonChanged::NUMBER,
    v1::MoonPhaseChanged::NUMBER,
    v1::HolidayStarted::NUMBER,
    v1::HolidayEnded::NUMBER,
    v1::ScaleChanged::NUMBER,
    v1::Paused::NUMBER,
    v1::Resumed::NUMBER,
    v1::Jumped::NUMBER,
];

/// Computes the events of one clock.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: String,
    calendar: Calendar,
    hemisphere: Hemisphere,
    /// None where phases of the day follow the clock.
    skies: Option<Arc<Skies>>,
    cadence_us: i64,
    slots: Slots,
}

/// An instant at which the service emits.
#[derive(Clone, Copy)]
struct At {
    epoch: u32,
    game: GameTime,
    wall: WallTime,
}

impl Agenda {
    pub(crate) fn new(world: &World, cadence_game_minutes: u32) -> Self {
        let calendar = world.calendar();
        let skies = Skies::of(world);
        // Entities of events are the moons, behind them the holidays, behind them the regions if
        // there is anything to publish of one.
        let regions = skies.as_ref().map_or(0, |skies| skies.regions().len());
        let entities = calendar.rules().moons().len() + calendar.rules().holidays().len() + regions;
        Self {
            world: world.id.clone(),
            calendar,
            hemisphere: world.hemisphere(),
            skies,
            cadence_us: i64::from(cadence_game_minutes.max(1)) * GameTime::MINUTE_US,
            slots: Slots::new(EVENT_TYPES.len(), entities),
        }
    }

    /// Game microseconds of a day of the world's calendar.
    pub(crate) fn day_us(&self) -> i64 {
        self.calendar.day_us()
    }

    /// The segments after an epoch as they are announced when the command is taken.
    pub(crate) fn announcements(&self, history: &History, after: Option<u32>) -> Vec<Emission> {
        let news = history.entries().filter(|(s, _)| after.is_none_or(|after| s.epoch > after));
        news.map(|(s, made)| self.announcement(s, Some(made), 0, s.anchor_wall)).collect()
    }

    /// The segment in force at the latest repetition until a wall time.
    pub(crate) fn repetition(&self, history: &History, until: WallTime) -> Emission {
        let number = until.0.div_euclid(REPEAT_US);
        let wall = WallTime(number * REPEAT_US);
        let segment = *history.clock().segment_at(wall);
        self.announcement(&segment, history.made(segment.epoch), number, wall)
    }

    /// What the clock brings in the wall interval (`after`, `until`], in order.
    pub(crate) fn between(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let clock = history.clock();
        let spans = clock.spans(after, until);
        let mut events: Vec<_> = spans.flat_map(|span| self.span(history, &span)).collect();
        events.extend(self.scheduled(history, after, until));
        events.sort_by_key(Emission::order);
        events
    }

    /// Where to stop if (`after`, `until`] brings more than is taken at once.
    pub(crate) fn chunk_end(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> WallTime {
        let regions = self.skies.as_ref().map_or(0, |skies| skies.regions().len());
        let sources = history.schedules.list().len() + regions / REGIONS_AS_SCHEDULE_COUNT;
        let count = CHUNK_COUNT_MAX / (1 + sources);
        let last = history.clock().boundaries(after, until, self.step_us()).nth(count);
        last.map_or(until, |boundary| boundary.wall)
    }

    /// The next wall time after `after` at which there is something to publish.
    pub(crate) fn next(&self, history: &History, after: WallTime) -> WallTime {
        let clock = history.clock();
        let repeat = WallTime((after.0.div_euclid(REPEAT_US) + 1) * REPEAT_US);
        let steps = [self.cadence_us, self.hour_us()];
        let boundaries = steps.iter().filter_map(|step| clock.next_boundary(after, *step));
        let starts = clock.segments().iter().map(|s| s.anchor_wall).filter(|wall| *wall > after);
        let turn = clock.spans(after, WallTime(i64::MAX)).find_map(|span| {
            let turns = self.turns(&span).min().filter(|game| *game < span.to)?;
            span.segment.wall_at(turns)
        });
        let schedules = history.schedules.list().iter();
        let schedules = schedules.filter_map(|s| s.next(clock, &self.calendar, after));
        let all = boundaries
            .map(|b| b.wall)
            .chain(starts)
            .chain(schedules.map(|due| due.wall))
            .chain(turn);
        all.fold(repeat, WallTime::min)
    }

    fn span(&self, history: &History, span: &Span) -> Vec<Emission> {
        let mut events = Vec::new();
        if span.starts {
            self.begins(history, span, &mut events);
        }
        for game in self.instants(span) {
            let Some(wall) = span.segment.wall_at(game) else { break };
            let at = At { epoch: span.segment.epoch, game, wall };
            let published = span.starts && game == span.segment.anchor_game;
            // Ticks are many: only at others may anything else begin.
            if !published && (game.0 % self.cadence_us != 0 || self.may_turn(game)) {
                self.changes(Some(game.plus_us(-1)), at, &mut events);
            }
            if game.0 % self.cadence_us == 0 {
                events.push(self.updated(at));
            }
        }
        events
    }

    /// Where a span has something to publish, in order: hours and ticks, and where a phase of the
    /// day or of a moon begins. Of those a day has few, whatever the calendar.
    fn instants(&self, span: &Span) -> Vec<GameTime> {
        let steps = span.boundaries(self.step_us()).map(|boundary| boundary.game);
        let mut instants: Vec<_> = steps.collect();
        let until = |game: &GameTime| *game < span.to;
        let before = span.from.plus_us(-1);
        instants.extend(self.phase_turns(before, span.to));
        for moon in 0..self.calendar.rules().moons().len() {
            let turns = |after: &GameTime| self.calendar.next_moon_phase(moon, *after);
            instants.extend(successors(turns(&before), turns).take_while(until));
        }
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// Where a phase of the day and of each moon begins next in a span, or behind it.
    fn turns(&self, span: &Span) -> impl Iterator<Item = GameTime> {
        let before = span.from.plus_us(-1);
        let phase = self.next_phase(before);
        let moons = 0..self.calendar.rules().moons().len();
        let moons = moons.filter_map(move |moon| self.calendar.next_moon_phase(moon, before));
        phase.into_iter().chain(moons)
    }

    /// Whether an hour, or a phase of the day or of a moon, begins at an instant.
    fn may_turn(&self, game: GameTime) -> bool {
        let before = game.plus_us(-1);
        let hour = game.0 % self.hour_us() == 0;
        hour || self.phase_begins(game) || {
            let phase = |at: GameTime| self.calendar.moons(at).map(|(_, state)| state.phase);
            !phase(before).eq(phase(game))
        }
    }

    /// A world's epoch is a whole hour, so hours begin at the multiples of their length.
    fn hour_us(&self) -> i64 {
        self.calendar.rules().hour_us()
    }

    /// A segment begins: what made it, and what is other than it was before.
    fn begins(&self, history: &History, span: &Span, events: &mut Vec<Emission>) {
        let Segment { epoch, anchor_game, anchor_wall, .. } = span.segment;
        let at = At { epoch, game: anchor_game, wall: anchor_wall };
        events.extend(self.command(history, span, at));
        let before = history.clock().published_before(span);
        // A clock whose first segments are forgotten is not a world's beginning.
        if before.is_some() || epoch == 0 {
            self.changes(before, at, events);
        }
    }

    /// Multiples of an hour are multiples of a minute: one walk over both in order.
    fn step_us(&self) -> i64 {
        gcd(self.cadence_us, self.hour_us())
    }

    fn emission<E: Event>(&self, event: &E, epoch: u32, number: i64, wall: WallTime) -> Emission {
        let rank = EVENT_TYPES.iter().position(|number| *number == E::NUMBER);
        let sequence = self.slots.sequence(number, rank.unwrap_or_default(), None);
        let producer = ProducerId::from_bits(producer_id(&self.world, NAME, epoch, 0));
        Emission {
            event_type: E::NUMBER,
            id: EventId { producer, sequence },
            wall,
            entity: None,
            payload: event.encode_to_vec(),
            topic: None,
            recurs: false,
            metadata: None,
        }
    }

    /// An event of a moment of the world's time about an entity of a rank.
    fn moment_of<E: Event>(&self, event: &E, at: At, rank: usize, entity: &str) -> Emission {
        let emission = self.moment(event, at);
        let kind = EVENT_TYPES.iter().position(|number| *number == E::NUMBER);
        let number = at.game.minutes();
        let sequence = self.slots.sequence(number, kind.unwrap_or_default(), Some(rank));
        let id = EventId { sequence, ..emission.id };
        Emission { id, entity: Some(entity.to_owned()), ..emission }
    }

    /// An event of a moment of the world's time.
    fn moment<E: Event>(&self, event: &E, at: At) -> Emission {
        let emission = self.emission(event, at.epoch, at.game.minutes(), at.wall);
        Emission { recurs: true, ..emission }
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

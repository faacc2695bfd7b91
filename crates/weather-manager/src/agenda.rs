//! Which events a stretch of wall time brings: a pure function of the world, the clock and the
//! commands, so that every instance computes the same. Not here: when it is asked (`ticker`).
//!
//! The stretch is cut at each command. What happens in a piece is computed with the overrides in
//! force at its beginning; then the event of the command that ends it has what it changed.

mod alerts;
mod announcement;
mod emission;
#[cfg(test)]
mod tests;
mod transition;

use crate::commands::{Command, Commands};
use emission::TYPE_RANKS;
use worldbus_world::{
    Clock, GROUND_LOOK_BACK_HOURS, GameTime, Overrides, Slots, Span, WallTime, Weather, World,
};

pub(crate) use alerts::{alert_id, in_view};
pub(crate) use announcement::REPEAT_US;
pub(crate) use emission::Emission;

/// Severe weather is announced this many game hours ahead.
const AHEAD_HOURS: i64 = 6;
/// The ground is looked at this often.
const GROUND_HOURS: i64 = 6;
/// Region-hours that are taken at once, but for at least one game hour and at most two days.
const CHUNK_REGION_HOURS: usize = 20_000;
const CHUNK_HOURS_MAX: usize = 48;
/// Hours about the present whose weather is kept: the day that a summary is of, and as far ahead
/// as states and spells usually end.
const KEPT_HOURS: std::ops::RangeInclusive<i64> = -25..=24;

/// Computes the events of one world.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: String,
    region_ids: Vec<String>,
    day_us: i64,
    weather: Weather,
    slots: Slots,
    samples: bool,
}

/// An instant at which the service emits, with what is in force there.
#[derive(Clone, Copy)]
struct At<'a> {
    epoch: u32,
    game: GameTime,
    wall: WallTime,
    rev: u64,
    overrides: &'a Overrides,
}

impl Agenda {
    /// With `samples` the weather of each whole hour is published as well.
    pub(crate) fn new(world: &World, samples: bool) -> Self {
        Self {
            world: world.id.clone(),
            region_ids: world.regions.iter().map(|region| region.id.clone()).collect(),
            day_us: world.calendar().day_us(),
            weather: Weather::new(world),
            slots: Slots::new(TYPE_RANKS, world.regions.len()),
            samples,
        }
    }

    /// Game microseconds of a day of the world's calendar.
    pub(crate) fn day_us(&self) -> i64 {
        self.day_us
    }

    /// What the wall interval (`after`, `until`] brings, in order.
    pub(crate) fn between(
        &mut self,
        clock: &Clock,
        commands: &Commands,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let mut events = Vec::new();
        let mut from = after;
        let inside = |command: &&Command| after < command.at && command.at <= until;
        for command in commands.list().iter().filter(inside) {
            self.piece(clock, commands, from, command.at, &mut events);
            let first = events.len();
            self.command(commands, command, &mut events);
            in_order_of_ids(&mut events[first..]);
            from = command.at;
        }
        self.piece(clock, commands, from, until, &mut events);
        events
    }

    /// Where to stop if (`after`, `until`] brings more than is taken at once.
    pub(crate) fn chunk_end(&self, clock: &Clock, after: WallTime, until: WallTime) -> WallTime {
        let hours = (CHUNK_REGION_HOURS / self.region_ids.len()).clamp(1, CHUNK_HOURS_MAX);
        let last = clock.boundaries(after, until, GameTime::HOUR_US).nth(hours - 1);
        last.map_or(until, |boundary| boundary.wall)
    }

    /// The next wall time after `after` at which something may happen, if any is known.
    pub(crate) fn next(
        &self,
        clock: &Clock,
        commands: &Commands,
        after: WallTime,
    ) -> Option<WallTime> {
        let starts = clock.segments().iter().map(|segment| segment.anchor_wall);
        let taken = commands.list().iter().map(|command| command.at);
        let (segment, game) = (clock.segment_at(after), clock.game_at(after));
        let next = next_instant(game, &commands.overrides(after));
        let next = segment.wall_at(next);
        starts.chain(taken).chain(next).filter(|wall| *wall > after).min()
    }

    fn piece(
        &mut self,
        clock: &Clock,
        commands: &Commands,
        after: WallTime,
        until: WallTime,
        events: &mut Vec<Emission>,
    ) {
        if after >= until {
            return;
        }
        let overrides = commands.overrides(after);
        let rev = commands.rev_at(after);
        for span in clock.spans(after, until) {
            if span.starts {
                let first = events.len();
                self.start(clock, &span, rev, &overrides, events);
                in_order_of_ids(&mut events[first..]);
            }
            for (game, wall) in instants(&span, &overrides) {
                let published = span.starts && game == span.segment.anchor_game;
                if !published {
                    let epoch = span.segment.epoch;
                    let first = events.len();
                    self.boundary(At { epoch, game, wall, rev, overrides: &overrides }, events);
                    in_order_of_ids(&mut events[first..]);
                }
            }
        }
    }

    /// A segment begins: what is different after the jump, and which spells come into view.
    fn start(
        &mut self,
        clock: &Clock,
        span: &Span,
        rev: u64,
        overrides: &Overrides,
        events: &mut Vec<Emission>,
    ) {
        let segment = &span.segment;
        let (epoch, game, wall) = (segment.epoch, segment.anchor_game, segment.anchor_wall);
        let at = At { epoch, game, wall, rev, overrides };
        self.keep_about(game);
        let before = clock.published_before(span);
        for region in 0..self.region_ids.len() {
            let old = before.map(|game| self.weather.state(region, game, overrides));
            if old != Some(self.weather.state(region, game, overrides)) {
                events.push(self.changed(at, region, old));
            }
            let known = before.map(|game| in_view(&self.weather, region, game, overrides));
            self.compare_alerts(at, region, &known.unwrap_or_default(), events);
            self.transition_under_way(at, region, None, events);
        }
    }

    /// A game hour begins, or an override's strength changes, or a transition starts or ends.
    fn boundary(&mut self, at: At<'_>, events: &mut Vec<Emission>) {
        let hourly = at.game.0 % GameTime::HOUR_US == 0;
        if hourly {
            self.keep_about(at.game);
        }
        for region in 0..self.region_ids.len() {
            if hourly || self.weather.may_change(region, at.game, at.overrides) {
                self.change(at, region, events);
            }
            if hourly {
                let hour = at.game.hours().saturating_add(AHEAD_HOURS);
                let spells = self.weather.spells_beginning(region, hour, at.overrides);
                self.severe(at, region, &spells, events);
                self.hourly(at, region, events);
            }
            self.transition(at, region, events);
        }
    }

    /// Keeps the weather that looks from this instant need, for all regions at once.
    fn keep_about(&mut self, now: GameTime) {
        let hour = now.hours();
        let about = KEPT_HOURS.map(|ahead| hour.saturating_add(ahead));
        let last_ground = hour.div_euclid(GROUND_HOURS) * GROUND_HOURS;
        let back = (0..=GROUND_LOOK_BACK_HOURS).step_by(GROUND_HOURS as usize);
        let grounds = back.map(|back| last_ground.saturating_sub(back));
        self.weather.keep(&about.chain(grounds).collect());
    }

    fn change(&self, at: At<'_>, region: usize, events: &mut Vec<Emission>) {
        let old = self.weather.state(region, at.game.plus_us(-1), at.overrides);
        let new = self.weather.state(region, at.game, at.overrides);
        if old != new {
            events.push(self.changed(at, region, Some(old)));
            if at.game.0 % GameTime::HOUR_US != 0 {
                events.push(self.transition_at_once(at, region, old, new));
            }
        }
        self.alert_goes_on(at, region, old.is_severe(), new.is_severe(), events);
    }

    /// What is published of each region at a whole hour, whether it changed or not.
    fn hourly(&self, at: At<'_>, region: usize, events: &mut Vec<Emission>) {
        if self.samples {
            events.push(self.sample(at, region));
        }
        events.extend(self.daily_summary(at, region));
        if at.game.hours() % GROUND_HOURS == 0 {
            let before = at.game.plus_us(-GROUND_HOURS * GameTime::HOUR_US);
            let ground = |game| self.weather.ground(region, game, at.overrides);
            let (old, new) = (ground(before), ground(at.game));
            if old != new {
                events.push(self.ground_changed(at, region, &new));
            }
        }
    }

    /// A command takes effect: in its regions, at once.
    fn command(&self, commands: &Commands, command: &Command, events: &mut Vec<Emission>) {
        let before = commands.overrides_before(command.rev);
        let overrides = &commands.overrides_with(command.rev);
        let Command { rev, at: wall, epoch, game, .. } = *command;
        let at = At { epoch, game, wall, rev, overrides };
        events.push(self.commanded(at, commands, command));
        let named = commands.regions_of(command);
        let meant = |region: &usize| named.is_empty() || named.contains(&self.region_ids[*region]);
        for region in (0..self.region_ids.len()).filter(meant) {
            let old = self.weather.state(region, game, &before);
            let new = self.weather.state(region, game, overrides);
            if old != new {
                events.push(self.changed(at, region, Some(old)));
                events.push(self.transition_at_once(at, region, old, new));
            }
            self.compare_alerts(at, region, &in_view(&self.weather, region, game, &before), events);
            self.transition_under_way(at, region, Some(&before), events);
        }
    }
}

/// Brings the events of one instant into the order of their ids: a producer's never go back.
fn in_order_of_ids(events: &mut [Emission]) {
    events.sort_by_key(Emission::sequence);
}

/// Whole game hours, the instants of overrides, and where transitions start and end, in a span,
/// in order, with their nominal wall times.
fn instants(span: &Span, overrides: &Overrides) -> Vec<(GameTime, WallTime)> {
    let mut instants: Vec<_> =
        span.boundaries(GameTime::HOUR_US).map(|hour| (hour.game, hour.wall)).collect();
    let mut at = next_instant(span.from.plus_us(-1), overrides);
    while at < span.to {
        instants.extend(span.segment.wall_at(at).map(|wall| (at, wall)));
        at = next_instant(at, overrides);
    }
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// The next instant at which anything may have to be published.
fn next_instant(after: GameTime, overrides: &Overrides) -> GameTime {
    let hour = GameTime::HOUR_US;
    let next = |offset: i64| {
        let hours = after.0.saturating_sub(offset).div_euclid(hour).saturating_add(1);
        GameTime(hours.saturating_mul(hour).saturating_add(offset))
    };
    let regular = [0, transition::HALF_US, -transition::HALF_US].map(next);
    let ends = overrides.next_instant(after.plus_us(-transition::HALF_US));
    let forced = [overrides.next_instant(after), ends.map(|end| end.plus_us(transition::HALF_US))];
    let all = regular.into_iter().chain(forced.into_iter().flatten());
    all.filter(|instant| *instant > after).min().unwrap_or(GameTime(i64::MAX))
}

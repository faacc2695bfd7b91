//! Which events a stretch of wall time brings: a pure function of the world, the clock and the
//! commands, so that every instance computes the same. Not here: when it is asked (`ticker`).
//!
//! The stretch is cut at each command. What happens in a piece is computed with the overrides in
//! force at its beginning; then the command that ends it tells what it changed.

mod emission;

use worldbus_world::{Clock, GameTime, Overrides, Slots, Span, Spell, WallTime, Weather, World};

use crate::commands::{Command, Commands};
pub(crate) use emission::Emission;
use emission::TYPE_RANKS;

/// Severe weather is announced this many game hours ahead.
const AHEAD_HOURS: i64 = 6;
/// Game-hour boundaries that are taken at once.
const CHUNK_COUNT_MAX: usize = 48;

/// Computes the events of one world.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: String,
    region_ids: Vec<String>,
    weather: Weather,
    slots: Slots,
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
    pub(crate) fn new(world: &World) -> Self {
        Self {
            world: world.id.clone(),
            region_ids: world.regions.iter().map(|region| region.id.clone()).collect(),
            weather: Weather::new(world),
            slots: Slots::new(TYPE_RANKS, world.regions.len()),
        }
    }

    /// What the wall interval (`after`, `until`] brings, in order.
    pub(crate) fn between(
        &self,
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
            self.command(commands, command, &mut events);
            from = command.at;
        }
        self.piece(clock, commands, from, until, &mut events);
        events
    }

    /// Where to stop if (`after`, `until`] brings more than is taken at once.
    pub(crate) fn chunk_end(&self, clock: &Clock, after: WallTime, until: WallTime) -> WallTime {
        let last = clock.boundaries(after, until, GameTime::HOUR_US).nth(CHUNK_COUNT_MAX - 1);
        last.map_or(until, |boundary| boundary.wall)
    }

    /// The next wall time after `after` at which something may happen, if any is known.
    pub(crate) fn next(
        &self,
        clock: &Clock,
        commands: &Commands,
        after: WallTime,
    ) -> Option<WallTime> {
        let hour = clock.next_boundary(after, GameTime::HOUR_US).map(|boundary| boundary.wall);
        let starts = clock.segments().iter().map(|segment| segment.anchor_wall);
        let taken = commands.list().iter().map(|command| command.at);
        let (segment, game) = (clock.segment_at(after), clock.game_at(after));
        let overrides = commands.overrides(after);
        let ends = overrides.edges(game, GameTime(i64::MAX));
        let end = ends.first().and_then(|end| segment.wall_at(*end));
        starts.chain(taken).chain(hour).chain(end).filter(|wall| *wall > after).min()
    }

    fn piece(
        &self,
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
                self.start(clock, &span, rev, &overrides, events);
            }
            for (game, wall) in instants(&span, &overrides) {
                let told = span.starts && game == span.segment.anchor_game;
                if !told {
                    let epoch = span.segment.epoch;
                    self.boundary(At { epoch, game, wall, rev, overrides: &overrides }, events);
                }
            }
        }
    }

    /// A segment begins: what is different after the jump, and which spells come into view.
    fn start(
        &self,
        clock: &Clock,
        span: &Span,
        rev: u64,
        overrides: &Overrides,
        events: &mut Vec<Emission>,
    ) {
        let segment = &span.segment;
        let (epoch, game, wall) = (segment.epoch, segment.anchor_game, segment.anchor_wall);
        let at = At { epoch, game, wall, rev, overrides };
        let before = clock.told_before(span);
        for region in 0..self.region_ids.len() {
            let old = before.map(|game| self.weather.state(region, game, overrides));
            if old != Some(self.weather.state(region, game, overrides)) {
                events.push(self.changed(at, region, old));
            }
            let known = before.map(|game| self.in_view(region, game, overrides));
            let mut new = self.in_view(region, game, overrides);
            new.retain(|spell| known.as_ref().is_none_or(|known| !known.contains(spell)));
            self.severe(at, region, &new, events);
        }
    }

    /// A game hour begins, or an override ends.
    fn boundary(&self, at: At<'_>, events: &mut Vec<Emission>) {
        let hourly = at.game.0 % GameTime::HOUR_US == 0;
        for region in 0..self.region_ids.len() {
            let old = self.weather.state(region, at.game.plus_us(-1), at.overrides);
            if old != self.weather.state(region, at.game, at.overrides) {
                events.push(self.changed(at, region, Some(old)));
            }
            if hourly {
                let hour = at.game.hours().saturating_add(AHEAD_HOURS);
                let spell = self.weather.spell_beginning(region, hour, at.overrides);
                self.severe(at, region, spell.as_slice(), events);
            }
        }
    }

    /// A command takes effect: in its region, at once.
    fn command(&self, commands: &Commands, command: &Command, events: &mut Vec<Emission>) {
        let known = |id: &String| *id == command.region;
        let Some(region) = self.region_ids.iter().position(known) else { return };
        let before = commands.overrides_before(command.rev);
        let overrides = &commands.overrides_with(command.rev);
        let Command { rev, at: wall, epoch, game, .. } = *command;
        let at = At { epoch, game, wall, rev, overrides };
        let old = self.weather.state(region, game, &before);
        if old != self.weather.state(region, game, overrides) {
            events.push(self.changed(at, region, Some(old)));
        }
        let known = self.in_view(region, game, &before);
        let mut new = self.in_view(region, game, overrides);
        new.retain(|spell| !known.contains(spell));
        self.severe(at, region, &new, events);
    }

    /// The spells that are under way or begin within the hours that are announced.
    fn in_view(&self, region: usize, game: GameTime, overrides: &Overrides) -> Vec<Spell> {
        let mut spells = Vec::new();
        spells.extend(self.weather.spell_at(region, game, overrides));
        for ahead in 0..=AHEAD_HOURS {
            let hour = game.hours().saturating_add(ahead);
            let spell = self.weather.spell_beginning(region, hour, overrides);
            let later = |spell: &Spell| spell.onset > game && !spells.contains(spell);
            spells.extend(spell.filter(later));
        }
        spells
    }
}

/// Whole game hours and the edges of overrides that a span covers, in order, with their nominal
/// wall times.
fn instants(span: &Span, overrides: &Overrides) -> Vec<(GameTime, WallTime)> {
    let mut instants: Vec<_> =
        span.boundaries(GameTime::HOUR_US).map(|hour| (hour.game, hour.wall)).collect();
    if span.from < span.to {
        let edges = overrides.edges(span.from.plus_us(-1), span.to.plus_us(-1));
        let wall = |edge: GameTime| Some((edge, span.segment.wall_at(edge)?));
        instants.extend(edges.into_iter().filter_map(wall));
    }
    instants.sort_unstable();
    instants.dedup();
    instants
}

//! Which events a stretch of wall time brings: a function of the world, the clock, the weather's
//! overrides and the commands, so that every instance computes the same. Not here: when it is asked
//! (`simulation`), what people do (`population`).
//!
//! At each whole minute of game time first come the commands that have taken effect, then who does
//! something else, then, every quarter of an hour, the places with more or fewer people than at the
//! last one. A segment of the clock that jumps brings what is different behind the jump.

use std::sync::Arc;

use crate::commands::{Act, Command, Commands};
use crate::emission::{At, Emission, Events};
use crate::town::minute_at;
use worldbus_events::EventId;
use worldbus_population::{
    Cause, Change, Directives, NOTICE_MINUTES, Planner, Population, Skies, Sweep,
};
use worldbus_simulated::weather::changed_id;
use worldbus_world::{
    Boundary, Clock, GameTime, Overrides, Segment, Span, Timeline, WallTime, Weather, World,
};

/// Events that are taken at once, but for those of one instant.
const CHUNK_COUNT_MAX: usize = 2_000;
/// Crowds are looked at this often.
const QUARTER_MINUTES: i64 = 15;

/// What the people of a world follow from.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) weather: &'a Arc<Timeline>,
    pub(crate) commands: &'a Commands,
}

/// Computes the events of one world.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: Arc<World>,
    people: Arc<Population>,
    weather: Arc<Weather>,
    events: Events,
    planner: Planner,
    /// The weather and the revision of commands that the planner knows.
    known: Option<(Arc<Timeline>, u64)>,
    directives: Arc<Directives>,
    /// More or fewer people than this at a place are worth an event.
    crowd_step: u32,
    /// Where it stands; none before the first stretch.
    stand: Option<Stand>,
}

/// Where the people of a world stand.
#[derive(Debug)]
struct Stand {
    /// Everything up to here was computed.
    wall: WallTime,
    sweep: Sweep,
    /// How many people were at each place when crowds were looked at last.
    crowds: Vec<u32>,
}

impl Agenda {
    pub(crate) fn new(world: Arc<World>, people: Arc<Population>, crowd_step: u32) -> Self {
        let weather = Arc::new(Weather::new(&world));
        let directives = Arc::new(Directives::default());
        let skies = Skies::new(Arc::clone(&weather), Overrides::default());
        let planner = Planner::new(Arc::clone(&people), skies, Arc::clone(&directives));
        let events = Events::new(Arc::clone(&world), Arc::clone(&people));
        let (known, stand) = (None, None);
        Self { world, people, weather, events, planner, known, directives, crowd_step, stand }
    }

    /// Game microseconds of a day of the world's calendar.
    pub(crate) fn day_us(&self) -> i64 {
        self.world.calendar().day_us()
    }

    /// What the wall interval (`after`, `until`] brings, in order, or its beginning if that is
    /// much; and up to where it is.
    pub(crate) fn between(
        &mut self,
        basis: Basis<'_>,
        after: WallTime,
        until: WallTime,
    ) -> (Vec<Emission>, WallTime) {
        self.know(basis);
        if self.stand.as_ref().is_none_or(|stand| stand.wall != after) {
            self.stand_at(basis.clock, after);
        }
        let (mut events, mut from, mut reached) = (Vec::new(), after, until);
        'spans: for span in basis.clock.spans(after, until) {
            if span.starts {
                self.start(basis, &span, (from, span.segment.anchor_wall), &mut events);
                from = span.segment.anchor_wall;
            }
            for boundary in span.boundaries(GameTime::MINUTE_US) {
                let begun = span.starts && boundary.game == span.segment.anchor_game;
                if !begun {
                    self.boundary(basis, &boundary, from, &mut events);
                    from = boundary.wall;
                }
                if events.len() >= CHUNK_COUNT_MAX {
                    reached = boundary.wall.min(until);
                    break 'spans;
                }
            }
        }
        self.commanded(basis, (from, reached), &mut events);
        if let Some(stand) = &mut self.stand {
            stand.wall = reached;
        }
        (events, reached)
    }

    /// The next wall time after `after` at which something may happen, if any is known.
    pub(crate) fn next(basis: Basis<'_>, after: WallTime) -> Option<WallTime> {
        let minute = basis.clock.next_boundary(after, GameTime::MINUTE_US);
        let starts = basis.clock.segments().iter().map(|segment| segment.anchor_wall);
        let taken = basis.commands.list().iter().map(|command| command.at);
        let all = starts.chain(taken).chain(minute.map(|boundary| boundary.wall));
        all.filter(|wall| *wall > after).min()
    }

    /// Takes in what is newly known of weather and commands.
    fn know(&mut self, basis: Basis<'_>) {
        let rev = basis.commands.rev();
        let was = self.known.replace((Arc::clone(basis.weather), rev));
        let same_commands = was.as_ref().is_some_and(|(_, known)| *known == rev);
        if same_commands && was.is_some_and(|(known, _)| Arc::ptr_eq(&known, basis.weather)) {
            return;
        }
        if !same_commands {
            let directives = basis.commands.directives(&self.world, &self.people);
            self.directives = Arc::new(directives);
        }
        let skies = Skies::new(Arc::clone(&self.weather), basis.weather.overrides.clone());
        self.planner.change(Arc::new(skies), Arc::clone(&self.directives));
        if let Some(stand) = &mut self.stand {
            stand.sweep.plan_again(&self.planner);
        }
    }

    /// Stands as at a wall time, as an instance that computed all before.
    fn stand_at(&mut self, clock: &Clock, wall: WallTime) {
        let minute = minute_at(clock, wall);
        let segment = clock.segment_at(wall);
        let looked = minute.div_euclid(QUARTER_MINUTES) * QUARTER_MINUTES;
        let looked = looked.max(segment.anchor_game.minutes()).min(minute);
        let mut sweep = Sweep::new(&self.planner, looked);
        let crowds = self.crowds(&sweep);
        sweep.advance(&self.planner, minute, |_| ());
        self.stand = Some(Stand { wall, sweep, crowds });
    }

    fn crowds(&self, sweep: &Sweep) -> Vec<u32> {
        (0..self.people.places().len()).map(|place| sweep.crowd(place).count).collect()
    }

    /// A segment begins: what is different after the jump; in a new world what everyone does.
    fn start(
        &mut self,
        basis: Basis<'_>,
        span: &Span,
        (from, wall): (WallTime, WallTime),
        events: &mut Vec<Emission>,
    ) {
        self.commanded(basis, (from, wall), events);
        let segment = &span.segment;
        let at = at(basis, segment.epoch, segment.anchor_game.minutes(), wall);
        let before = basis.clock.published_before(span);
        let goes_on = span.before == Some(segment.anchor_game);
        let Some(stand) = &mut self.stand else { return };
        if !goes_on {
            let sweep = Sweep::new(&self.planner, at.minute);
            let was = std::mem::replace(&mut stand.sweep, sweep);
            for person in 0..self.people.len() {
                let is = stand.sweep.now(&self.planner, person);
                let old = was.now(&self.planner, person);
                let differs = (is.activity, is.place) != (old.activity, old.place);
                if before.is_none() || differs {
                    let from_place = if before.is_none() { is.from_place } else { old.place };
                    let cause = None;
                    let change = Change { from_place, ..is };
                    events.push(self.events.activity(at, &change, cause));
                }
            }
        }
        self.crowd_changes(at, before.is_none(), events);
    }

    /// A minute begins.
    fn boundary(
        &mut self,
        basis: Basis<'_>,
        boundary: &Boundary,
        from: WallTime,
        events: &mut Vec<Emission>,
    ) {
        self.commanded(basis, (from, boundary.wall), events);
        let at = at(basis, boundary.epoch, boundary.number, boundary.wall);
        let mut changes: Vec<Change> = Vec::new();
        if let Some(stand) = &mut self.stand {
            stand.sweep.advance(&self.planner, at.minute, |change| changes.push(change));
        }
        // Of several that come late the last one counts; a producer's ids never go back.
        changes.sort_by_key(|change| change.person);
        changes.dedup_by(|later, earlier| {
            let same = later.person == earlier.person;
            if same {
                *earlier = Change { from_place: earlier.from_place, ..*later };
            }
            same
        });
        for change in &changes {
            let cause = self.cause(basis, at, change);
            events.push(self.events.activity(at, change, cause));
        }
        if at.minute % QUARTER_MINUTES == 0 {
            self.crowd_changes(at, false, events);
        }
    }

    /// Places at which the number of people is in another step than when it was looked at last.
    fn crowd_changes(&mut self, at: At, all: bool, events: &mut Vec<Emission>) {
        let Some(stand) = &mut self.stand else { return };
        for (place, last) in stand.crowds.iter_mut().enumerate() {
            let crowd = stand.sweep.crowd(place);
            let step = |count: u32| count.div_ceil(self.crowd_step);
            if step(crowd.count) != step(*last) || all && crowd.count > 0 {
                events.push(self.events.crowd(at, place, &crowd));
            }
            *last = crowd.count;
        }
    }

    /// Commands that take effect in a stretch.
    fn commanded(
        &self,
        basis: Basis<'_>,
        (after, until): (WallTime, WallTime),
        events: &mut Vec<Emission>,
    ) {
        let inside = |command: &&Command| after < command.at && command.at <= until;
        for command in basis.commands.list().iter().filter(inside) {
            let of = match command.act {
                Act::Clear { directive: rev } => basis.commands.of_rev(rev),
                Act::Direct(_) | Act::Undo { .. } => None,
            };
            let mut followed = self.directives.list();
            let count = followed.find(|(directive, _)| directive.rev == command.rev);
            let count = count.map_or(0, |(_, count)| count);
            events.push(self.events.commanded(command, of, count));
        }
    }

    /// The event that a change follows from, if it is one.
    fn cause(&self, basis: Basis<'_>, at: At, change: &Change) -> Option<EventId> {
        match change.cause {
            Cause::Directive => {
                let command = basis.commands.of_rev(change.because as u64)?;
                Some(self.events.command_id(command))
            }
            Cause::Weather => {
                let region = usize::from(self.people.person(change.person).region);
                self.weather_cause(basis, at, region, change.because)
            }
            Cause::Routine | Cause::Need => None,
        }
    }

    /// The `weather.changed` since which the weather of a region is what people noticed at a
    /// minute; none if that was before the clock's segment.
    fn weather_cause(
        &self,
        basis: Basis<'_>,
        at: At,
        region: usize,
        noticed: i64,
    ) -> Option<EventId> {
        let overrides = &basis.weather.overrides;
        let state = |game| self.weather.state(region, game, overrides);
        let is = state(GameTime::from_minutes(noticed - NOTICE_MINUTES));
        let mut game = GameTime::from_minutes(noticed - NOTICE_MINUTES - 1);
        while state(game) != is {
            game = self.weather.next_change(region, game, overrides);
        }
        let segments = basis.clock.segments();
        let segment: &Segment = segments.iter().find(|segment| segment.epoch == at.epoch)?;
        let wall = segment.wall_at(game).filter(|_| game >= segment.anchor_game)?;
        let rev = basis.weather.rev_at(wall);
        let regions = self.world.regions.len();
        Some(changed_id(&self.world.id, (at.epoch, rev), game, (region, regions)))
    }
}

/// An instant with the revisions that people follow there: the weather's as they notice it.
fn at(basis: Basis<'_>, epoch: u32, minute: i64, wall: WallTime) -> At {
    let segments = basis.clock.segments();
    let segment = segments.iter().find(|segment| segment.epoch == epoch);
    let noticed = GameTime::from_minutes(minute - NOTICE_MINUTES);
    let seen = segment.and_then(|segment| {
        let begun = noticed >= segment.anchor_game;
        if begun { segment.wall_at(noticed) } else { Some(segment.anchor_wall) }
    });
    let seen = seen.unwrap_or(wall).min(wall);
    At { epoch, minute, wall, revs: (basis.weather.rev_at(seen), basis.commands.rev_at(wall)) }
}

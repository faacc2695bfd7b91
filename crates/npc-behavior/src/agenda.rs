//! Which events a stretch of wall time brings: a function of the world, the clock, the weather's
//! overrides and the commands, so that every instance computes the same. Not here: when it is asked
//! (`simulation`), what people do (`population`).
//!
//! At each whole minute of game time first come the commands that have taken effect, then who does
//! something else, then, every quarter of an hour, the places with more or fewer people than at the
//! last one. A segment of the clock that jumps brings what is different behind the jump.
//!
//! Where everyone stands is computed once: requests read it ([`Present`]).

mod cause;
mod present;
mod stand;

use std::sync::{Arc, Mutex};

use crate::commands::{Command, Commands};
use crate::emission::{At, Emission, Events};
use crate::weather::Sky;
use stand::Stand;
use worldbus_population::{Change, Directives, NOTICE_MINUTES, Planner, Population, Skies};
use worldbus_world::{Boundary, Clock, GameTime, Overrides, WallTime, Weather, World};

pub(crate) use present::{Counted, Present};

/// Events that are taken at once, but for those of one instant.
const CHUNK_COUNT_MAX: usize = 1_000;
/// Crowds are looked at this often.
const QUARTER_MINUTES: i64 = 15;

/// What the people of a world follow from.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) weather: &'a Sky,
    pub(crate) commands: &'a Commands,
}

/// The ticker goes on with it, and requests read where everyone stands.
pub(crate) type SharedAgenda = Arc<Mutex<Agenda>>;

/// Computes the events of one world.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: Arc<World>,
    /// Those that the world's file makes, and those that there are with them.
    made: Arc<Population>,
    people: Arc<Population>,
    weather: Arc<Weather>,
    events: Events,
    planner: Planner,
    /// The weather and the revision of commands that the planner knows.
    known: Option<(Sky, u64)>,
    directives: Arc<Directives>,
    /// More or fewer people than this at a place are worth an event.
    crowd_step: u32,
    /// Where it stands; none before the first stretch.
    stand: Option<Stand>,
}

impl Agenda {
    pub(crate) fn new(world: Arc<World>, made: Arc<Population>, crowd_step: u32) -> Self {
        let weather = Arc::new(Weather::new(&world));
        let directives = Arc::new(Directives::default());
        let skies = Skies::new(Arc::clone(&weather), Overrides::default());
        let planner = Planner::new(Arc::clone(&made), skies, Arc::clone(&directives));
        let events = Events::new(Arc::clone(&world));
        let people = Arc::clone(&made);
        Self {
            world,
            made,
            people,
            weather,
            events,
            planner,
            known: None,
            directives,
            crowd_step,
            stand: None,
        }
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
                if !self.start(basis, &span, (from, span.segment.anchor_wall), &mut events) {
                    reached = from;
                    break 'spans;
                }
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
        let was = self.known.replace((basis.weather.clone(), rev));
        let same_commands = was.as_ref().is_some_and(|(_, known)| *known == rev);
        if same_commands && was.is_some_and(|(known, _)| known.is(basis.weather)) {
            return;
        }
        if !same_commands {
            let folk = basis.commands.folk(&self.world, &self.made);
            if !folk.people.continues(&self.people) {
                // Another has the rank of one who was forgotten.
                self.stand = None;
            }
            (self.people, self.directives) = (folk.people, folk.directives);
        }
        let skies = match &basis.weather.changes {
            Some(changes) => changes.skies(&self.world),
            None => {
                let overrides = basis.weather.timeline.overrides.clone();
                Skies::new(Arc::clone(&self.weather), overrides)
            }
        };
        let (people, directives) = (Arc::clone(&self.people), Arc::clone(&self.directives));
        self.planner.change(people, Arc::new(skies), directives);
        if let Some(stand) = &mut self.stand {
            stand.sweep.plan_again(&self.planner);
        }
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
            events.push(self.events.activity((&self.people, at), change, cause));
        }
        if at.minute % QUARTER_MINUTES == 0 {
            let Some(stand) = &mut self.stand else { return };
            for place in 0..self.people.places().len() {
                let crowd = stand.crowd((self.crowd_step, false), place);
                let event = |crowd| self.events.crowd((&self.people, at), place, &crowd);
                events.extend(crowd.map(event));
            }
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
            let of = command.act.about().and_then(|rev| basis.commands.of_rev(rev));
            let mut followed = self.directives.list();
            let count = followed.find(|(directive, _)| directive.rev == command.rev);
            let count = count.map_or(0, |(_, count)| count);
            events.extend(self.events.commanded(&self.people, (command, of), count));
        }
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
    At {
        epoch,
        minute,
        wall,
        revs: (basis.weather.timeline.rev_at(seen), basis.commands.rev_at(wall)),
    }
}

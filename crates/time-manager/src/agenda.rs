//! Which events a stretch of wall time brings: a pure function of the world and its clock, so
//! that every instance computes the same bytes and ids. Not here: when it is asked (`ticker`).

use worldbus_bus::Outgoing;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_world::{
    Calendar, Clock, GameTime, Hemisphere, Phase, Season, Segment, Slots, Span, WallTime, World,
    producer_id,
};

use crate::NAME;
use crate::history::History;

/// The newest segment in force is told again at each multiple of this wall time.
pub(crate) const REPEAT_US: i64 = 5_000_000;

/// Cadence boundaries that are taken at once.
const CHUNK_COUNT_MAX: usize = 1024;

/// The service's event types by number: an event's rank is part of its identity.
const EVENT_TYPES: [u32; 5] = [
    v1::TimeChanged::NUMBER,
    v1::DayActivated::NUMBER,
    v1::NightActivated::NUMBER,
    v1::TimeUpdated::NUMBER,
    v1::ClockChanged::NUMBER,
];

/// An event, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    event_type: u32,
    id: EventId,
    /// The nominal wall time of its boundary.
    pub(crate) wall: WallTime,
    payload: Vec<u8>,
}

impl worldbus_service::ticker::Emission for Emission {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: self.event_type,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            payload: &self.payload,
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
    }
}

/// Computes the events of one world.
#[derive(Debug)]
pub(crate) struct Agenda {
    world: String,
    calendar: Calendar,
    hemisphere: Hemisphere,
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
        Self {
            world: world.id.clone(),
            calendar: world.calendar(),
            hemisphere: world.hemisphere(),
            cadence_us: i64::from(cadence_game_minutes.max(1)) * GameTime::MINUTE_US,
            slots: Slots::new(EVENT_TYPES.len(), 0),
        }
    }

    /// The segments after an epoch as they are told when the command is taken.
    pub(crate) fn announcements(&self, history: &History, told: Option<u32>) -> Vec<Emission> {
        let news = history.entries().filter(|(s, _)| told.is_none_or(|told| s.epoch > told));
        news.map(|(s, reason)| self.told(s, reason, 0, s.anchor_wall)).collect()
    }

    /// The segment in force at the latest repetition until a wall time.
    pub(crate) fn repetition(&self, history: &History, until: WallTime) -> Emission {
        let number = until.0.div_euclid(REPEAT_US);
        let wall = WallTime(number * REPEAT_US);
        let (segment, reason) = history.entry_at(wall);
        self.told(&segment, reason, number, wall)
    }

    /// What the clock brings in the wall interval (`after`, `until`], in order.
    pub(crate) fn between(&self, clock: &Clock, after: WallTime, until: WallTime) -> Vec<Emission> {
        clock.spans(after, until).flat_map(|span| self.span(clock, &span)).collect()
    }

    /// Where to stop if (`after`, `until`] brings more than is taken at once.
    pub(crate) fn chunk_end(&self, clock: &Clock, after: WallTime, until: WallTime) -> WallTime {
        let last = clock.boundaries(after, until, self.cadence_us).nth(CHUNK_COUNT_MAX - 1);
        last.map_or(until, |boundary| boundary.wall)
    }

    /// The next wall time after `after` at which there is something to tell.
    pub(crate) fn next(&self, clock: &Clock, after: WallTime) -> WallTime {
        let repeat = WallTime((after.0.div_euclid(REPEAT_US) + 1) * REPEAT_US);
        let steps = [self.cadence_us, GameTime::HOUR_US];
        let boundaries = steps.iter().filter_map(|step| clock.next_boundary(after, *step));
        let starts = clock.segments().iter().map(|s| s.anchor_wall).filter(|wall| *wall > after);
        boundaries.map(|b| b.wall).chain(starts).fold(repeat, WallTime::min)
    }

    fn span(&self, clock: &Clock, span: &Span) -> Vec<Emission> {
        let mut events = Vec::new();
        if span.starts {
            let at = At {
                epoch: span.segment.epoch,
                game: span.segment.anchor_game,
                wall: span.segment.anchor_wall,
            };
            let old = clock.told_before(span).map(|game| self.phase(game));
            self.phase_if_changed(old, at, &mut events);
        }
        // Multiples of an hour are multiples of a minute: one walk over both in order.
        let step = gcd(self.cadence_us, GameTime::HOUR_US);
        for boundary in span.boundaries(step) {
            let at = At { epoch: boundary.epoch, game: boundary.game, wall: boundary.wall };
            let told = span.starts && at.game == span.segment.anchor_game;
            if at.game.0 % GameTime::HOUR_US == 0 && !told {
                self.phase_if_changed(Some(self.phase(at.game.plus_us(-1))), at, &mut events);
            }
            if at.game.0 % self.cadence_us == 0 {
                events.push(self.updated(at));
            }
        }
        events
    }

    fn phase_if_changed(&self, old: Option<Phase>, at: At, events: &mut Vec<Emission>) {
        let new = self.phase(at.game);
        // A clock whose first segments are forgotten is not a world's beginning.
        if old == Some(new) || (old.is_none() && at.epoch > 0) {
            return;
        }
        let date = self.calendar.at(at.game);
        let day = Some(v1::Date {
            year: date.year,
            month: u32::from(date.month),
            day: u32::from(date.day),
        });
        let changed = v1::TimeChanged {
            old_phase: old.map_or(0, |phase| phase as i32),
            new_phase: new as i32,
            date: day,
            hour: u32::from(date.hour),
            minute: u32::from(date.minute),
            season: Season::at_month(date.month, self.hemisphere) as i32,
            total_minutes: at.game.minutes(),
        };
        events.push(self.emission(&changed, at.epoch, at.game.minutes(), at.wall));
        match new {
            Phase::Day => {
                let event = v1::DayActivated { date: day };
                events.push(self.emission(&event, at.epoch, at.game.minutes(), at.wall));
            }
            Phase::Night => {
                let event = v1::NightActivated { date: day };
                events.push(self.emission(&event, at.epoch, at.game.minutes(), at.wall));
            }
            Phase::Dawn | Phase::Dusk => {}
        }
    }

    fn updated(&self, at: At) -> Emission {
        let date = self.calendar.at(at.game);
        let updated = v1::TimeUpdated {
            total_minutes: at.game.minutes(),
            hour: u32::from(date.hour),
            minute: u32::from(date.minute),
            phase: Phase::at_hour(date.hour) as i32,
        };
        self.emission(&updated, at.epoch, at.game.minutes(), at.wall)
    }

    fn told(&self, segment: &Segment, reason: &str, number: i64, wall: WallTime) -> Emission {
        let changed = v1::ClockChanged {
            epoch: segment.epoch,
            anchor_wall_us: segment.anchor_wall.0,
            anchor_game_us: segment.anchor_game.0,
            scale_numerator: segment.num,
            scale_denominator: segment.den,
            paused: segment.paused,
            reason: reason.to_owned(),
            revision: segment.rev,
        };
        self.emission(&changed, segment.epoch, number, wall)
    }

    fn emission<E: Event>(&self, event: &E, epoch: u32, number: i64, wall: WallTime) -> Emission {
        let rank = EVENT_TYPES.iter().position(|number| *number == E::NUMBER);
        let sequence = self.slots.sequence(number, rank.unwrap_or_default(), None);
        let producer = ProducerId::from_bits(producer_id(&self.world, NAME, epoch, 0));
        Emission {
            event_type: E::NUMBER,
            id: EventId { producer, sequence },
            wall,
            payload: event.encode_to_vec(),
        }
    }

    fn phase(&self, game: GameTime) -> Phase {
        Phase::at_hour(self.calendar.at(game).hour)
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

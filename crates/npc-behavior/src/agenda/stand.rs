//! Where everyone stands, and the beginning of a segment of the clock: what is different behind a
//! jump, by and by. Not here: a minute of game time (`agenda`).

use std::collections::VecDeque;
use std::ops::Range;

use super::{Agenda, Basis, CHUNK_COUNT_MAX, QUARTER_MINUTES, at};
use crate::emission::{At, Emission};
use crate::town::minute_at;
use worldbus_population::{Activity, Change, Crowd, Sweep};
use worldbus_world::{Clock, Span, WallTime};

/// Where the people of a world stand.
#[derive(Debug)]
pub(super) struct Stand {
    /// Everything up to here was computed.
    pub(super) wall: WallTime,
    /// The clock's epoch there.
    pub(super) epoch: u32,
    pub(super) sweep: Sweep,
    /// How many people were at each place when crowds were looked at last.
    pub(super) crowds: Vec<u32>,
    /// What of the beginning of a segment is still to be published.
    opening: Option<Opening>,
}

/// What a segment that jumps brings, by and by: in a new world something of everyone.
#[derive(Debug)]
struct Opening {
    epoch: u32,
    /// In a new world, who may be there.
    everyone: Range<usize>,
    /// Else who does something else, and where they were.
    left: VecDeque<(u32, u32)>,
    /// The places whose crowds are to be looked at then.
    places: Range<usize>,
}

impl Stand {
    /// The people at a place, if their number is in another step than when it was looked at last,
    /// or where `all` are wanted, if anyone is there.
    pub(super) fn crowd(&mut self, (step, all): (u32, bool), place: usize) -> Option<Crowd> {
        let count = self.sweep.count_at(place);
        let last = std::mem::replace(&mut self.crowds[place], count);
        let differs = count.div_ceil(step) != last.div_ceil(step);
        (differs || all && count > 0).then(|| self.sweep.crowd(place))
    }
}

impl Opening {
    /// Who is next, and where they were, if that is not in what they do.
    fn next(&mut self, is_here: impl Fn(&usize) -> bool) -> Option<(usize, Option<usize>)> {
        if let Some(person) = self.everyone.find(is_here) {
            return Some((person, None));
        }
        let (person, place) = self.left.pop_front()?;
        Some((person as usize, Some(place as usize)))
    }
}

impl Agenda {
    /// Stands as at a wall time, as an instance that computed all before.
    pub(super) fn stand_at(&mut self, clock: &Clock, wall: WallTime) {
        let minute = minute_at(clock, wall);
        let segment = clock.segment_at(wall);
        let looked = minute.div_euclid(QUARTER_MINUTES) * QUARTER_MINUTES;
        let looked = looked.max(segment.anchor_game.minutes()).min(minute);
        // There are never two sweeps.
        self.stand = None;
        let mut sweep = Sweep::new(&self.planner, looked);
        let places = 0..self.people.places().len();
        let crowds = places.map(|place| sweep.count_at(place)).collect();
        sweep.advance(&self.planner, minute, |_| ());
        self.stand = Some(Stand { wall, epoch: segment.epoch, sweep, crowds, opening: None });
    }

    /// A segment begins: what is different after the jump; in a new world what everyone does. False
    /// while there is more of that than is taken at once.
    pub(super) fn start(
        &mut self,
        basis: Basis<'_>,
        span: &Span,
        (from, wall): (WallTime, WallTime),
        events: &mut Vec<Emission>,
    ) -> bool {
        let segment = &span.segment;
        let at = at(basis, segment.epoch, segment.anchor_game.minutes(), wall);
        let is_new = basis.clock.published_before(span).is_none();
        let goes_on = span.before == Some(segment.anchor_game);
        let is_open = |stand: &Stand| {
            stand.opening.as_ref().is_some_and(|opening| opening.epoch == segment.epoch)
        };
        if !self.stand.as_ref().is_some_and(is_open) {
            self.commanded(basis, (from, wall), events);
            let left = if goes_on { VecDeque::new() } else { self.jump(at.minute, is_new) };
            let everyone = 0..if is_new && !goes_on { self.people.len() } else { 0 };
            if let Some(stand) = &mut self.stand {
                stand.epoch = segment.epoch;
                let places = 0..self.people.places().len();
                stand.opening = Some(Opening { epoch: segment.epoch, everyone, left, places });
            }
        }
        self.open((at, is_new), events)
    }

    /// The beginning of a segment goes on: false while there is more of it than is taken at once.
    fn open(&mut self, (at, is_new): (At, bool), events: &mut Vec<Emission>) -> bool {
        let Some(stand) = &mut self.stand else { return true };
        let is_here = |rank: &usize| self.people.is_here(*rank, at.minute);
        while let Some((person, place)) = stand.opening.as_mut().and_then(|o| o.next(is_here)) {
            let is = stand.sweep.now(&self.planner, person);
            let from_place = place.unwrap_or(is.from_place);
            events.push(self.events.activity(
                (&self.people, at),
                &Change { from_place, ..is },
                None,
            ));
            if events.len() >= CHUNK_COUNT_MAX {
                return false;
            }
        }
        while let Some(place) = stand.opening.as_mut().and_then(|o| o.places.next()) {
            let step = (self.crowd_step, is_new);
            events.extend(
                stand
                    .crowd(step, place)
                    .map(|crowd| self.events.crowd((&self.people, at), place, &crowd)),
            );
            if events.len() >= CHUNK_COUNT_MAX {
                return false;
            }
        }
        stand.opening = None;
        true
    }

    /// Stands at another minute. Returns who does something else there, and where they were; in a
    /// new world no one, since there was nothing before.
    fn jump(&mut self, minute: i64, is_new: bool) -> VecDeque<(u32, u32)> {
        let Some(stand) = &mut self.stand else { return VecDeque::new() };
        if is_new {
            stand.sweep.stand_at(&self.planner, minute);
            return VecDeque::new();
        }
        let (everyone, before) = (0..self.people.len(), stand.sweep.minute());
        // As it was published: without what is due and was not computed yet.
        let doing = |sweep: &Sweep| -> Vec<(Activity, u32)> {
            let of = |person| sweep.doing(&self.planner, person, i64::MIN);
            everyone.clone().map(of).map(|(activity, place)| (activity, place as u32)).collect()
        };
        // What they did is kept in brief, so that there are never two sweeps.
        let was = doing(&stand.sweep);
        stand.sweep.stand_at(&self.planner, minute);
        let is = doing(&stand.sweep);
        let both = everyone.clone().zip(was.into_iter().zip(is));
        let other = both.filter(|(person, (was, is))| {
            let came = !self.people.is_here(*person, before);
            self.people.is_here(*person, minute) && (came || was != is)
        });
        other.map(|(person, (was, _))| (person as u32, was.1)).collect()
    }
}

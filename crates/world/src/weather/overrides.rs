//! What was forced upon the weather: records with regions, a beginning, an end, fades and a
//! priority. Not here: what they do to numbers (`layers`), where records are stored.
//!
//! Precedence: the records in force in a region are layers, the lowest priority at the bottom
//! and, of equal priorities, the lowest revision. Each works on what those beneath it made, so
//! the topmost has the last word. Season shifts are the exception: they change the plan itself,
//! beneath all others.

pub mod bounds;
mod check;
mod kind;
mod needed;
mod spans;
mod timeline;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::GameTime;
use spans::Kept;

pub use check::{
    FADE_HOURS_MAX, OVERRIDE_COUNT_MAX, OverrideError, REGIONS_OF_OVERRIDE_MAX, WAYPOINT_COUNT_MAX,
};
pub(super) use kind::Spot;
pub use kind::{Cell, Kind, Waypoint};
pub use needed::Needed;
#[cfg(test)]
pub(super) use spans::LOOKS;
pub(super) use spans::{Spans, count_look};
pub use timeline::{Effective, Timeline};

/// While something fades or a cell moves, the state is looked at this often.
pub(super) const STEP_US: i64 = 5 * GameTime::MINUTE_US;
/// A weight of 1.
pub(super) const WHOLE: i64 = GameTime::HOUR_US;

/// What is forced upon a set of regions for a stretch of game time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Names the record, for audit.
    pub id: String,
    /// Orders the records of a world. Above 0.
    pub rev: u64,
    /// The regions' ids; none: all regions.
    pub regions: Vec<String>,
    /// What it does.
    pub kind: Kind,
    /// First instant in force.
    pub start: GameTime,
    /// First instant no longer in force; none: until it is lifted.
    pub end: Option<GameTime>,
    /// How long it takes to full strength.
    pub fade_in_us: i64,
    /// How long it takes from full strength to the end.
    pub fade_out_us: i64,
    /// Of two in force the higher one has the last word.
    pub priority: i16,
    /// Who wanted it.
    pub author: String,
    /// When it is not in force though it has begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<Lift>,
}

/// A stretch for which a record is out of force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// The revision that lifted it.
    pub rev: u64,
    /// Where; none: everywhere.
    pub regions: Vec<String>,
    /// From when.
    pub from: GameTime,
    /// Until it was reinstated.
    pub to: Option<GameTime>,
}

/// The overrides of a world, by revision. Equal records give equal weather on every instance.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    records: Vec<Override>,
    pruned_rev: u64,
    open: Open,
    spans: Kept,
}

/// The records that may be in force somewhere from an instant on, by their places: no lift needs to
/// look at others, so that hundreds of commands do not look at each other.
#[derive(Clone, Debug)]
struct Open {
    places: Vec<usize>,
    from: GameTime,
}

impl Default for Open {
    fn default() -> Self {
        Self::all(0)
    }
}

impl Open {
    fn all(count: usize) -> Self {
        Self { places: (0..count).collect(), from: GameTime(i64::MIN) }
    }
}

impl PartialEq for Overrides {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records && self.pruned_rev == other.pruned_rev
    }
}

impl Eq for Overrides {}

impl Override {
    /// A record without fades and of priority 0, that has no name and revision yet.
    pub fn new(regions: Vec<String>, kind: Kind, start: GameTime, end: Option<GameTime>) -> Self {
        Self {
            id: String::new(),
            rev: 0,
            regions,
            kind,
            start,
            end,
            fade_in_us: 0,
            fade_out_us: 0,
            priority: 0,
            author: String::new(),
            lifted: Vec::new(),
        }
    }

    /// Meant for a region.
    pub fn concerns(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|id| id == region)
    }

    /// In force in a region at an instant.
    pub fn covers(&self, region: &str, time: GameTime) -> bool {
        let lifted = |lift: &Lift| lift.covers(region, time);
        self.start <= time
            && self.end.is_none_or(|end| time < end)
            && self.concerns(region)
            && !self.lifted.iter().any(lifted)
    }

    /// Its strength by its fades, of [`WHOLE`].
    pub(super) fn strength(&self, time: GameTime) -> i64 {
        let rise = ramp(time.0.saturating_sub(self.start.0), self.fade_in_us);
        let fall = self.end.map(|end| ramp(end.0.saturating_sub(time.0), self.fade_out_us));
        fall.map_or(rise, |fall| fall.min(rise))
    }

    /// Its strength in a place: that of its fades and of a cell's nearness.
    pub(super) fn weight(&self, place: Spot, time: GameTime) -> i64 {
        let strength = self.strength(time);
        let Kind::StormCell(cell) = &self.kind else { return strength };
        let nearness = smooth(cell.nearness(place, time.0.saturating_sub(self.start.0)));
        (nearness * strength as f64) as i64
    }

    /// Its strength changes with time, somewhere.
    fn stirs(&self, time: GameTime) -> bool {
        let [start, full, fading, end] = self.bounds();
        let inside = |from: Option<GameTime>, to: Option<GameTime>| {
            from.is_some_and(|from| from <= time) && to.is_none_or(|to| time < to)
        };
        match self.kind {
            Kind::StormCell(_) => inside(start, end),
            _ => inside(start, full) || inside(fading, end),
        }
    }

    /// Beginning, full strength, last full strength, end.
    fn bounds(&self) -> [Option<GameTime>; 4] {
        let full = self.start.plus_us(self.fade_in_us);
        let fading = self.end.map(|end| end.plus_us(-self.fade_out_us));
        [Some(self.start), Some(full), fading, self.end]
    }

    fn edges(&self) -> impl Iterator<Item = GameTime> + '_ {
        let lifts = self.lifted.iter().flat_map(|lift| [Some(lift.from), lift.to]);
        self.bounds().into_iter().chain(lifts).flatten()
    }
}

impl Lift {
    /// Lasts, from `time` or before, in all of some regions, or everywhere if none is named.
    fn holds_in(&self, regions: &[String], time: GameTime) -> bool {
        let all =
            |ids: &[String]| !ids.is_empty() && ids.iter().all(|id| self.regions.contains(id));
        self.from <= time && self.to.is_none() && (self.regions.is_empty() || all(regions))
    }

    fn covers(&self, region: &str, time: GameTime) -> bool {
        let here = self.regions.is_empty() || self.regions.iter().any(|id| id == region);
        here && self.from <= time && self.to.is_none_or(|to| time < to)
    }
}

impl Overrides {
    /// The records, lowest revision first.
    pub fn records(&self) -> &[Override] {
        &self.records
    }

    /// Takes a record in; one of a known revision is replaced. Ends and fades are rounded up to
    /// whole game seconds, and a moving cell ends where its path does.
    ///
    /// # Errors
    /// See [`OverrideError`]; nothing has changed then.
    pub fn insert(&mut self, mut record: Override) -> Result<(), OverrideError> {
        record.settle();
        record.check()?;
        self.spans.forget();
        match self.records.binary_search_by_key(&record.rev, |r| r.rev) {
            Ok(at) => {
                self.records[at] = record;
                self.open = Open::all(self.records.len());
            }
            Err(_) if self.records.len() >= OVERRIDE_COUNT_MAX => {
                return Err(OverrideError::TooMany);
            }
            Err(at) if at == self.records.len() => {
                self.records.push(record);
                self.open.places.push(at);
            }
            Err(at) => {
                self.records.insert(at, record);
                self.open = Open::all(self.records.len());
            }
        }
        Ok(())
    }

    /// Takes in a record of a set that was taken before, behind all others.
    fn push(&mut self, record: Override) {
        self.open.places.push(self.records.len());
        self.records.push(record);
        self.spans.forget();
    }

    /// From `time` on takes out of force what counts in some regions, or in all if none is
    /// named; returns how many records that were. A record that is out of force there already keeps
    /// the lift that it has: so a record has few lifts, however many commands come after it.
    /// Lifts are to be reverted last one first.
    pub fn lift(&mut self, rev: u64, regions: &[String], time: GameTime) -> usize {
        self.spans.forget();
        self.close(time);
        let any = |r: &Override| regions.is_empty() || regions.iter().any(|id| r.concerns(id));
        let lifted = |r: &Override| r.lifted.iter().any(|lift| lift.holds_in(regions, time));
        let lift = Lift { rev, regions: regions.to_vec(), from: time, to: None };
        let mut count = 0;
        for &at in &self.open.places {
            let record = &mut self.records[at];
            if any(record) && !lifted(record) {
                record.lifted.push(lift.clone());
                count += 1;
            }
        }
        count
    }

    /// Leaves open what may be in force somewhere from an instant on.
    fn close(&mut self, time: GameTime) {
        // Game time may be set back: then what was lifted later counts again.
        if time < self.open.from {
            self.open = Open::all(self.records.len());
        }
        let records = &self.records;
        self.open.places.retain(|at| !records[*at].over(time));
        self.open.from = time;
    }

    /// How many records a lift looks at.
    #[cfg(test)]
    pub(super) fn open_count(&self) -> usize {
        self.open.places.len()
    }

    /// The overrides of a region by when they are in force.
    pub(super) fn spans(&self, region: &str) -> Arc<Spans> {
        self.spans.of(&self.records, region)
    }

    /// From `time` on takes one record out of force. False without a record of that revision.
    pub fn lift_one(&mut self, rev: u64, record: u64, time: GameTime) -> bool {
        self.spans.forget();
        let Ok(at) = self.records.binary_search_by_key(&record, |r| r.rev) else { return false };
        let lift = Lift { rev, regions: Vec::new(), from: time, to: None };
        self.records[at].lifted.push(lift);
        true
    }

    /// From `time` on makes undone what a revision did: its record is lifted, what it lifted is
    /// in force again.
    pub fn revert(&mut self, rev: u64, reverted: u64, time: GameTime) {
        self.open = Open::all(self.records.len());
        self.spans.forget();
        for lift in self.records.iter_mut().flat_map(|record| &mut record.lifted) {
            if lift.rev == reverted && lift.to.is_none() {
                lift.to = Some(time);
            }
        }
        self.lift_one(rev, reverted, time);
    }

    /// Forgets what ended before `time`. The weather before `time` is no longer answered right.
    pub fn prune(&mut self, time: GameTime) {
        let gone = |r: &Override| r.over(time);
        let rev = self.records.iter().filter(|r| gone(r)).map(|r| r.rev).max();
        self.pruned_rev = self.pruned_rev.max(rev.unwrap_or(0));
        self.records.retain(|r| !gone(r));
        self.open = Open::all(self.records.len());
        self.spans.forget();
    }

    /// What is in force in a region at an instant, bottom first.
    pub fn in_force(&self, region: &str, time: GameTime) -> Vec<&Override> {
        self.spans(region).in_force(&self.records, time)
    }

    /// The highest revision of all that began at `time` or before, 0 if none did.
    pub fn rev_at(&self, time: GameTime) -> u64 {
        let begun = self.records.iter().rev().find(|r| r.start <= time);
        begun.map_or(0, |r| r.rev).max(self.pruned_rev)
    }

    /// The instants in (`after`, `until`] at which states of any region may change between
    /// whole hours, each once, in order: where an override begins, ends or is at full strength,
    /// and every five game minutes while something fades or a cell moves.
    pub fn instants(&self, after: GameTime, until: GameTime) -> Vec<GameTime> {
        let mut instants = Vec::new();
        let mut at = after;
        while let Some(next) = self.next_instant(at).filter(|next| *next <= until) {
            instants.push(next);
            at = next;
        }
        instants
    }

    /// The first of those instants after `after`, if any is known.
    pub fn next_instant(&self, after: GameTime) -> Option<GameTime> {
        let edge = edge_after(self.records.iter(), after);
        let step = self.records.iter().any(|r| r.stirs(after)).then(|| step_after(after));
        edge.into_iter().chain(step).min()
    }
}

/// The first edge of some records after an instant.
fn edge_after<'a>(
    records: impl Iterator<Item = &'a Override>,
    after: GameTime,
) -> Option<GameTime> {
    records.flat_map(Override::edges).filter(|edge| *edge > after).min()
}

/// The next of the instants at which what stirs is looked at.
pub(super) fn step_after(time: GameTime) -> GameTime {
    GameTime((time.0.div_euclid(STEP_US)).saturating_add(1).saturating_mul(STEP_US))
}

/// The strength of some record that is in force changes with time in a place.
pub(super) fn stirs(in_force: &[&Override], place: Spot, time: GameTime) -> bool {
    in_force.iter().any(|record| {
        let near = match &record.kind {
            Kind::StormCell(cell) => cell.passes(place),
            _ => true,
        };
        record.stirs(time) && near
    })
}

/// The part of a fade that has passed, smoothed at both ends, of [`WHOLE`].
fn ramp(part_us: i64, whole_us: i64) -> i64 {
    if part_us >= whole_us {
        return WHOLE;
    }
    (smooth(part_us.max(0) as f64 / whole_us as f64) * WHOLE as f64) as i64
}

fn smooth(part: f64) -> f64 {
    part * part * (3.0 - 2.0 * part)
}

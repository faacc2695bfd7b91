//! What is scheduled in game time on one clock: as it is kept, and when it is due by the clock's
//! segments, a pure function, so that every instance finds the same. Not here: the grammar and the
//! calendar (`world`), requests (`rest`, `grpc`), events (`agenda`).

use serde::{Deserialize, Serialize};

use worldbus_simulated::commands::By;
use worldbus_world::{Calendar, Clock, GameTime, Plan, Segment, Span, WallTime};

/// Schedules of a clock at a time.
pub const SCHEDULE_COUNT_MAX: usize = 256;
/// Bytes of the payload of a scheduled event.
pub const SCHEDULE_PAYLOAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes that all schedules of a clock take in the state store.
pub const SCHEDULES_BYTES_MAX: usize = 96 * 1024;
/// Cancelled schedules are kept this long, for an instance that makes up for a downtime.
const CANCELLED_KEPT_US: i64 = 86_400_000_000;

/// The schedules of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedules {
    /// Numbers that were given: none is given again.
    given: u64,
    list: Vec<Schedule>,
}

/// An event that is published when the clock reaches its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    pub(crate) number: u64,
    /// As it was written.
    pub(crate) text: String,
    pub(crate) plan: Plan,
    /// It counts from this wall time on.
    pub(crate) from: WallTime,
    /// It was cancelled, and counts no more from this wall time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<WallTime>,
    pub(crate) event: Scheduled,
    pub(crate) by: By,
}

/// The event of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scheduled {
    pub(crate) event_type: u32,
    pub(crate) name: String,
    pub(crate) topic: String,
    pub(crate) entity: Option<String>,
    #[serde(with = "in_base64")]
    pub(crate) payload: Vec<u8>,
}

/// A moment at which a schedule is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) epoch: u32,
    /// When it was to be, and when it is: later if the clock jumped over it.
    pub(crate) due: GameTime,
    pub(crate) game: GameTime,
    pub(crate) wall: WallTime,
}

impl Schedules {
    pub(crate) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn list(&self) -> &[Schedule] {
        &self.list
    }

    /// Takes a schedule and gives it its number; none if there are too many.
    pub(crate) fn add(&mut self, schedule: Schedule) -> Option<u64> {
        let number = self.given + 1;
        self.list.push(Schedule { number, ..schedule });
        let bytes = serde_json::to_vec(&self.list).map_or(usize::MAX, |bytes| bytes.len());
        if self.list.len() > SCHEDULE_COUNT_MAX || bytes > SCHEDULES_BYTES_MAX {
            self.list.pop();
            return None;
        }
        self.given = number;
        Some(number)
    }

    /// Ends a schedule at a wall time; none if it does not exist or has ended.
    pub(crate) fn cancel(&mut self, number: u64, at: WallTime) -> Option<&Schedule> {
        let live = |s: &&mut Schedule| s.number == number && s.until.is_none();
        let schedule = self.list.iter_mut().find(live)?;
        schedule.until = Some(at);
        Some(schedule)
    }

    /// What was to begin or to end later does at this wall time: the clock was ahead.
    pub(crate) fn begin_by(&mut self, wall: WallTime) {
        for schedule in &mut self.list {
            schedule.from = schedule.from.min(wall);
            schedule.until = schedule.until.map(|until| until.min(wall));
        }
    }

    /// Forgets what is over: due once and published, or cancelled long ago.
    pub(crate) fn prune(&mut self, clock: &Clock, published: WallTime) {
        self.list.retain(|schedule| match schedule.until {
            Some(until) => until > published.plus_us(-CANCELLED_KEPT_US),
            None => schedule.came(clock, published).is_none(),
        });
    }
}

impl Schedule {
    pub(crate) fn id(&self) -> String {
        self.number.to_string()
    }

    /// When a schedule that is due once is due, if that is until a wall time: when the clock
    /// first shows its time or a later one, be it by a jump.
    pub(crate) fn once(&self, clock: &Clock, until: WallTime) -> Option<Due> {
        let found = self.came(clock, until)??;
        self.counts_at(found.wall).then_some(found)
    }

    /// The same as far as the clock goes; `Some(None)` if a clock that was ahead came to it, which
    /// the present one continues: then it was published.
    fn came(&self, clock: &Clock, until: WallTime) -> Option<Option<Due>> {
        let Plan::Once(due) = self.plan else { return None };
        let found = clock.spans(self.from.plus_us(-1), until).find_map(|span| {
            let Segment { epoch, anchor_game, anchor_wall, paused, .. } = span.segment;
            let wall = anchor_wall.max(self.from);
            let reached = span.segment.game_at(wall);
            let passed = due < anchor_game || (paused && due == anchor_game);
            if span.segment.continues.is_some() && passed && wall == anchor_wall {
                return Some(None);
            }
            if reached >= due {
                return Some(Some(Due { epoch, due, game: reached, wall }));
            }
            let wall = span.segment.wall_at(due).filter(|_| (span.from..span.to).contains(&due))?;
            Some(Some(Due { epoch, due, game: due, wall }))
        })?;
        found.is_none_or(|due| due.wall <= until).then_some(found)
    }

    /// When a recurring schedule is due in a span of the clock. A jump is over what it jumps.
    pub(crate) fn recurring<'a>(
        &'a self,
        span: &'a Span,
        calendar: &'a Calendar,
    ) -> impl Iterator<Item = Due> + 'a {
        // Each may be far away: neither what is before its time nor behind it is walked over.
        let begun = span.segment.game_at(self.from);
        let mut from = Some(span.from.max(begun)).filter(|_| !self.plan.is_once());
        let next = move || {
            let due = self.plan.next(from?, calendar).filter(|due| *due < span.to)?;
            from = due.0.checked_add(1).map(GameTime);
            let wall = span.segment.wall_at(due)?;
            Some(Due { epoch: span.segment.epoch, due, game: due, wall })
        };
        let over = |due: &Due| self.until.is_some_and(|until| due.wall >= until);
        let all = std::iter::from_fn(next).skip_while(|due| due.wall < self.from);
        all.take_while(move |due| !over(due))
    }

    /// When a recurring schedule is due last in a span, and how often it is.
    pub(crate) fn latest(&self, span: &Span, calendar: &Calendar) -> Option<(Due, u64)> {
        let Plan::Every { first, step_us } = self.plan else {
            let all = self.recurring(span, calendar);
            return all.fold(None, |latest, due| {
                Some((due, latest.map_or(1, |(_, count): (Due, u64)| count + 1)))
            });
        };
        let begin = self.recurring(span, calendar).next()?;
        // `first` is due, or later than the last that is.
        let last = span.to.0.saturating_sub(1).saturating_sub(first.0) / step_us;
        let due = first.plus_us(last.saturating_mul(step_us)).max(begin.due);
        let count = (due.0 - begin.due.0) / step_us + 1;
        let wall = span.segment.wall_at(due)?;
        let latest = Due { due, game: due, wall, ..begin };
        self.counts_at(wall).then_some((latest, count.unsigned_abs()))
    }

    /// When it is due next after a wall time, by the segments known now.
    pub(crate) fn next(&self, clock: &Clock, calendar: &Calendar, after: WallTime) -> Option<Due> {
        let end = WallTime(i64::MAX);
        if self.plan.is_once() {
            return self.once(clock, end).filter(|due| due.wall > after);
        }
        let after = after.max(self.from.plus_us(-1));
        let spans: Vec<_> = clock.spans(after, end).collect();
        spans.iter().find_map(|span| self.recurring(span, calendar).next())
    }

    fn counts_at(&self, wall: WallTime) -> bool {
        wall >= self.from && self.until.is_none_or(|until| wall < until)
    }
}

mod in_base64 {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64_STANDARD.decode(text).map_err(D::Error::custom)
    }
}

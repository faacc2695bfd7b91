//! Where who publishes a clock's boundaries goes on: after downtime, after a segment that came
//! late, at the beginning of a segment, and after a wall clock that was ahead. Not here: what was
//! published before (the services keep it).

use super::{Clock, Segment, Span};
use crate::time::{GameTime, WallTime};

impl Clock {
    /// After which wall time events are still to be published by who published all of this clock as
    /// it was at an epoch, up to a wall time: a segment that is new to them and began before that
    /// brings its boundaries nevertheless. Without anything published: from the first segment on.
    pub fn unpublished_after(&self, published: Option<(u32, WallTime)>) -> WallTime {
        let news =
            self.segments.iter().filter(|s| published.is_none_or(|(epoch, _)| s.epoch > epoch));
        let begun = news.map(|s| s.anchor_wall.plus_us(-1)).min();
        let reached = published.map(|(_, wall)| wall);
        begun.into_iter().chain(reached).min().unwrap_or_default()
    }

    /// After which wall time in (`after`, `now`] the last `game_us_max` of game time are.
    pub fn last_stretch(&self, after: WallTime, now: WallTime, game_us_max: i64) -> WallTime {
        let mut left = game_us_max;
        let spans: Vec<_> = self.spans(after, now).collect();
        for span in spans.iter().rev() {
            let length = span.to.0.saturating_sub(span.from.0);
            if length > left {
                let from = span.segment.wall_at(span.to.plus_us(-left)).unwrap_or(after);
                return from.plus_us(-1).max(after);
            }
            left -= length;
        }
        after
    }

    /// The segment by which a clock goes on at `now` from where it stood at `reached`, although
    /// that wall time has not come: the wall clock was ahead. What was to begin by then has begun.
    pub fn resume(&self, reached: WallTime, now: WallTime) -> Segment {
        let last = self.last();
        let reached = reached.max(last.anchor_wall);
        let game = last.game_at(reached);
        Segment {
            epoch: last.epoch.wrapping_add(1),
            rev: last.rev + 1,
            anchor_wall: now,
            // What comes at that very instant was published.
            anchor_game: if last.paused { game } else { game.plus_us(1) },
            rest: 0,
            continues: Some(reached),
            ..*last
        }
    }

    /// The clock as it was before a segment that continues it and is new to who published all of it
    /// up to an epoch and a wall time; and until when events of that clock are to be published
    /// first, as others published them, with the same ids.
    pub fn before_resuming(&self, published: Option<(u32, WallTime)>) -> Option<(Self, WallTime)> {
        let (epoch, wall) = published?;
        let news = |s: &Segment| s.epoch > epoch && s.continues.is_some_and(|until| until > wall);
        let at = self.segments.iter().position(news)?;
        let until = self.segments[at].continues?;
        let before = Self { segments: self.segments[..at].to_vec() };
        (at > 0).then_some((before, until))
    }

    /// Whether the clock was resumed after an epoch: then what is known of wall times that had come
    /// by the wrong clock counts no more.
    pub fn is_resumed_after(&self, epoch: u32) -> bool {
        self.segments.iter().any(|s| s.epoch > epoch && s.continues.is_some())
    }

    /// When what was to begin at a wall time of a clock of that epoch begins: at once where the
    /// clock was resumed before.
    pub fn begins(&self, epoch: u32, wall: WallTime) -> WallTime {
        let later = self.segments.iter().filter(|s| s.epoch > epoch && s.continues.is_some());
        later.map(|s| s.anchor_wall).fold(wall, WallTime::min)
    }

    /// The game time of what was published last before the segment of a span began; none at the
    /// world's beginning, or if the segments before are forgotten.
    pub fn published_before(&self, span: &Span) -> Option<GameTime> {
        let before = span.before?;
        if span.segment.continues.is_some() {
            return Some(if span.segment.paused { before } else { before.plus_us(-1) });
        }
        let earlier = self.segments.iter().rfind(|s| s.epoch < span.segment.epoch)?;
        // The earlier segment covered what is before `before`; if that is nothing, its anchor.
        let covered = !earlier.paused && before > earlier.anchor_game;
        Some(if covered { before.plus_us(-1) } else { before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Scale};

    const SECOND: i64 = 1_000_000;

    /// A game minute a second from second 0 on, set to game day 1 at second 60.
    fn clock() -> Clock {
        let scale: Scale = "60".parse().unwrap();
        let mut clock = Clock::new(scale, WallTime(0), GameTime(0));
        let day = Change::Set(GameTime(GameTime::DAY_US));
        clock.insert(clock.change(day, WallTime(60 * SECOND))).unwrap();
        clock
    }

    #[test]
    fn segment_that_is_received_late_is_published_from_its_beginning() {
        let clock = clock();
        let late = Some((0, WallTime(90 * SECOND)));
        assert_eq!(clock.unpublished_after(late), WallTime(60 * SECOND - 1));
        let known = Some((1, WallTime(90 * SECOND)));
        assert_eq!(clock.unpublished_after(known), WallTime(90 * SECOND));
        let early = Some((0, WallTime(30 * SECOND)));
        assert_eq!(clock.unpublished_after(early), WallTime(30 * SECOND));
        assert_eq!(clock.unpublished_after(None), WallTime(-1));
    }

    #[test]
    fn last_stretch_is_of_game_time_over_segments() {
        let (clock, now) = (clock(), WallTime(100 * SECOND));
        let stretch = |minutes| clock.last_stretch(WallTime(0), now, minutes * GameTime::MINUTE_US);
        let minutes_after = |after| clock.boundaries(after, now, GameTime::MINUTE_US).count();
        assert_eq!(minutes_after(stretch(10)), 10);
        assert_eq!(minutes_after(stretch(50)), 50);
        assert_eq!(stretch(1_000), WallTime(0), "there is no more than that");
    }

    #[test]
    fn last_published_is_just_before_the_jump_and_nothing_at_the_beginning() {
        let clock = clock();
        let spans: Vec<_> = clock.spans(WallTime(-1), WallTime(100 * SECOND)).collect();
        let published: Vec<_> = spans.iter().map(|span| clock.published_before(span)).collect();
        let hour = GameTime::from_hours(1).plus_us(-1);
        assert_eq!(published, [None, Some(hour)]);
    }

    /// The same by a machine that was an hour ahead, published there and resumed at second 70.
    fn resumed() -> Clock {
        let mut clock = clock();
        let ahead = WallTime(3_610 * SECOND);
        clock.insert(clock.change(Change::Skip(GameTime::DAY_US), ahead.plus_us(-5))).unwrap();
        clock.insert(clock.resume(ahead, WallTime(70 * SECOND))).unwrap();
        clock
    }

    #[test]
    fn resumed_clock_goes_on_from_where_it_stood_and_never_shows_what_was_to_come() {
        let (clock, before) = (resumed(), clock());
        let ahead = WallTime(3_610 * SECOND);
        let stood = before.game_at(ahead).plus_us(GameTime::DAY_US);
        assert_eq!(clock.game_at(WallTime(70 * SECOND)), stood.plus_us(1));
        assert_eq!(clock.game_at(WallTime(71 * SECOND)), stood.plus_us(1 + 60 * SECOND));
        assert!(clock.game_at(ahead) > stood);
        let epochs = |after, until| {
            let spans = clock.spans(WallTime(after * SECOND), WallTime(until * SECOND));
            spans.map(|span| span.segment.epoch).collect::<Vec<_>>()
        };
        assert_eq!(epochs(65, 69), [1]);
        assert_eq!(epochs(71, 4_000), [3], "the skip of an hour ahead is over");
        let later = clock.change(Change::Pause, WallTime(80 * SECOND));
        assert_eq!((later.epoch, later.continues), (4, None));
    }

    #[test]
    fn what_was_published_by_a_clock_that_was_ahead_is_not_published_again() {
        let clock = resumed();
        let spans: Vec<_> = clock.spans(WallTime(69 * SECOND), WallTime(75 * SECOND)).collect();
        let resumed = spans.last().unwrap();
        assert_eq!(resumed.before, Some(resumed.segment.anchor_game));
        assert_eq!(clock.published_before(resumed), Some(resumed.segment.anchor_game.plus_us(-1)));
        let boundaries = clock.boundaries(WallTime(70 * SECOND), WallTime(75 * SECOND), 1);
        assert!(boundaries.take(3).all(|boundary| boundary.epoch == 3));
    }

    #[test]
    fn who_lags_publishes_the_rest_by_the_clock_before() {
        let clock = resumed();
        let ahead = 3_610 * SECOND;
        let (before, until) = clock.before_resuming(Some((1, WallTime(65 * SECOND)))).unwrap();
        assert_eq!((before.last().epoch, until), (2, WallTime(ahead)));
        assert_eq!(clock.before_resuming(Some((2, WallTime(ahead)))), None);
        assert_eq!(clock.before_resuming(Some((3, WallTime(0)))), None);
        assert_eq!(clock.before_resuming(None), None);
        let after = clock.unpublished_after(Some((2, WallTime(ahead))));
        assert_eq!(after, WallTime(70 * SECOND - 1));
    }

    #[test]
    fn what_a_clock_that_was_ahead_put_off_begins_where_it_is_resumed() {
        let clock = resumed();
        let later = WallTime(3_605 * SECOND);
        assert_eq!(clock.begins(1, later), WallTime(70 * SECOND));
        assert_eq!(clock.begins(1, WallTime(65 * SECOND)), WallTime(65 * SECOND));
        assert_eq!(clock.begins(3, later), later);
    }

    #[test]
    fn segments_of_a_resumed_clock_come_in_any_order() {
        let clock = resumed();
        let mut all = clock.segments().to_vec();
        all.reverse();
        assert_eq!(Clock::from_segments(all).unwrap(), clock);
        let text = serde_json::to_string(&clock).unwrap();
        assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
    }
}

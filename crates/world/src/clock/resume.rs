//! Where who tells a clock's boundaries goes on: after downtime, after a segment that was heard
//! late, and at the beginning of a segment. Not here: what was told before (the services keep it).

use super::{Clock, Span};
use crate::time::{GameTime, WallTime};

impl Clock {
    /// After which wall time something is still to be told by who told all of this clock as it was
    /// at an epoch, up to a wall time: a segment that is new to them and began before that brings
    /// its boundaries nevertheless. Without anything told: from the first segment on.
    pub fn untold_after(&self, told: Option<(u32, WallTime)>) -> WallTime {
        let news = self.segments.iter().filter(|s| told.is_none_or(|(epoch, _)| s.epoch > epoch));
        let begun = news.map(|s| s.anchor_wall.plus_us(-1)).min();
        let reached = told.map(|(_, wall)| wall);
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

    /// The game time that was told last before the segment of a span began; none at the world's
    /// beginning, or if the segments before are forgotten.
    pub fn told_before(&self, span: &Span) -> Option<GameTime> {
        let before = span.before?;
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
    fn segment_that_is_heard_late_is_told_from_its_beginning() {
        let clock = clock();
        let late = Some((0, WallTime(90 * SECOND)));
        assert_eq!(clock.untold_after(late), WallTime(60 * SECOND - 1));
        let known = Some((1, WallTime(90 * SECOND)));
        assert_eq!(clock.untold_after(known), WallTime(90 * SECOND));
        let early = Some((0, WallTime(30 * SECOND)));
        assert_eq!(clock.untold_after(early), WallTime(30 * SECOND));
        assert_eq!(clock.untold_after(None), WallTime(-1));
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
    fn told_last_is_just_before_the_jump_and_nothing_at_the_beginning() {
        let clock = clock();
        let spans: Vec<_> = clock.spans(WallTime(-1), WallTime(100 * SECOND)).collect();
        let told: Vec<_> = spans.iter().map(|span| clock.told_before(span)).collect();
        let hour = GameTime::from_hours(1).plus_us(-1);
        assert_eq!(told, [None, Some(hour)]);
    }
}

//! Claims about clocks, against an independent model in integers and over random histories.

use proptest::prelude::*;

use super::*;
use crate::calendar::{Calendar, DateTime, Phase};

mod year;

const SECOND: i64 = 1_000_000;

fn scale(text: &str) -> Scale {
    text.parse().unwrap()
}

/// A clock that counts game time in a fixed fraction of a microsecond and never rounds.
struct Model {
    wall: i128,
    /// Game microseconds times `unit`.
    game: i128,
    unit: i128,
    per_us: i128,
    running: bool,
}

impl Model {
    fn new(hundredths: i128) -> Self {
        // One wall microsecond is 360,000 / hundredths game microseconds.
        Self { wall: 0, game: 0, unit: hundredths, per_us: 360_000, running: true }
    }

    fn advance(&mut self, wall: i64) {
        if self.running {
            self.game += (i128::from(wall) - self.wall) * self.per_us;
        }
        self.wall = i128::from(wall);
    }

    fn seconds(&self) -> i64 {
        (self.game / self.unit / 1_000_000) as i64
    }
}

#[test]
fn clock_is_right_to_the_game_second_after_a_week_of_pauses_and_sets() {
    for (text, hundredths) in
        [("25", 2500), ("60", 6000), ("75", 7500), ("3600", 360_000), ("59.94", 5994)]
    {
        let mut clock = Clock::new(scale(text), WallTime(0), GameTime(0));
        let mut model = Model::new(hundredths);
        let (mut wall, mut chance) = (0, 12_345_u64);
        while clock.game_at(WallTime(wall)) < GameTime::from_hours(7 * 24) || !model.running {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            wall += (chance >> 33) as i64 % (1000 * SECOND) + 1;
            model.advance(wall);
            let change = match chance >> 61 {
                0..4 if model.running => Change::Pause,
                4 => Change::Set(clock.game_at(WallTime(wall)).plus_us(1800 * SECOND)),
                _ => Change::Start,
            };
            match change {
                Change::Pause => model.running = false,
                Change::Start => model.running = true,
                // A jump starts from whole microseconds; so does every segment of the clock.
                _ => model.game += 1800 * i128::from(SECOND) * model.unit,
            }
            let segment = clock.change(change, WallTime(wall));
            clock.insert(segment).unwrap();
            let drift = (clock.game_at(WallTime(wall)).seconds() - model.seconds()).abs();
            // Each segment rounds down by less than a microsecond.
            let behind = model.game / model.unit - i128::from(clock.game_at(WallTime(wall)).0);
            assert!(drift <= 1 && (0..1000).contains(&behind), "{text}: {drift} s, {behind} us");
        }
        assert_eq!(clock.game_at(WallTime(wall)).seconds(), model.seconds(), "{text}");
    }
}

#[test]
fn a_week_without_commands_is_exact() {
    for text in ["25", "60", "75", "3600", "59.94"] {
        let clock = Clock::new(scale(text), WallTime(77), GameTime(5));
        let week = GameTime(5).plus_us(7 * GameTime::DAY_US);
        let hundredths = (text.parse::<f64>().unwrap() * 100.0).round() as i64;
        let wall = WallTime(77).plus_us(7 * 24 * hundredths * 10_000);
        assert_eq!(clock.game_at(wall), week, "{text}");
        assert_eq!(clock.last().wall_at(week), Some(wall), "{text}");
    }
}

#[test]
fn scale_is_the_exact_decimal_of_its_text() {
    assert_eq!(scale("59.94").rate(), (20_000, 333));
    assert_eq!(Scale::from_f64(59.94).unwrap(), scale("59.94"));
    assert_eq!(scale("25.50").to_string(), "25.5");
    for text in ["0.01", "25", "59.94", "86400", "33.33333333333333"] {
        let scale = scale(text);
        let (num, den) = scale.rate();
        assert_eq!(scale.to_string(), text);
        assert_eq!(Scale::from_rate(num, den), Some(scale), "{text}");
    }
}

#[test]
fn scale_out_of_range_is_refused_with_what_was_expected() {
    for text in ["0", "-1", "0.009", "86400.1", "1e3", "", ".5", "nan", "9".repeat(40).as_str()] {
        let error = text.parse::<Scale>().unwrap_err().to_string();
        assert!(error.contains("from 0.01 to 86400"), "{text}: {error}");
    }
    for number in [0.0, -0.0, -25.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
        assert!(Scale::from_f64(number).is_err(), "{number}");
    }
}

#[test]
fn pause_keeps_the_scale_for_the_next_start() {
    let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
    let commands = [Change::Pause, Change::Scale(scale("25")), Change::Start];
    for (at, change) in (1..).zip(commands) {
        clock.insert(clock.change(change, WallTime(at * 60 * SECOND))).unwrap();
    }
    assert_eq!(clock.game_at(WallTime(180 * SECOND)), GameTime::from_hours(1));
    assert_eq!(clock.game_at(WallTime(205 * SECOND)), GameTime::from_hours(2));
    assert_eq!(clock.last().scale(), Some(scale("25")));
}

#[test]
fn wall_time_before_the_first_segment_is_clamped() {
    let clock = Clock::new(scale("60"), WallTime(100), GameTime(7));
    assert_eq!(clock.game_at(WallTime(-5)), GameTime(7));
}

#[test]
fn history_is_bounded_and_segments_are_taken_in_any_order() {
    let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
    let mut all = vec![*clock.last()];
    for at in 1..200 {
        let segment = clock.change(Change::Scale(scale("25")), WallTime(at));
        assert_eq!(clock.insert(segment), Ok(true));
        assert_eq!(clock.insert(segment), Ok(false), "received again");
        all.push(segment);
    }
    assert_eq!(clock.segments().len(), SEGMENT_COUNT_MAX);
    all.reverse();
    assert_eq!(Clock::from_segments(all).unwrap(), clock);
    let text = serde_json::to_string(&clock).unwrap();
    assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
}

#[test]
fn impossible_segments_are_refused() {
    let mut clock = Clock::new(scale("60"), WallTime(100), GameTime(0));
    let next = clock.change(Change::Pause, WallTime(200));
    let zero = Segment { den: 0, ..next };
    assert!(matches!(clock.insert(zero), Err(ClockError::BadScale { .. })));
    assert_eq!(Clock::from_segments([]), Err(ClockError::Empty));
}

#[test]
fn next_boundary_looks_over_a_pause() {
    let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
    clock.insert(clock.change(Change::Pause, WallTime(SECOND / 2))).unwrap();
    assert_eq!(clock.next_boundary(WallTime(0), GameTime::MINUTE_US), None);
    clock.insert(clock.change(Change::Start, WallTime(9 * SECOND))).unwrap();
    let next = clock.next_boundary(WallTime(0), GameTime::MINUTE_US).unwrap();
    assert_eq!((next.number, next.epoch, next.wall), (1, 2, WallTime(9 * SECOND + SECOND / 2)));
}

fn changes() -> impl Strategy<Value = Vec<(i64, Change)>> {
    let change = prop_oneof![
        Just(Change::Start),
        Just(Change::Pause),
        (1..500_000_u32)
            .prop_map(|s| Change::Scale(Scale::from_f64(f64::from(s) / 100.0 + 0.01).unwrap())),
    ];
    proptest::collection::vec((0..200 * SECOND, change), 0..12)
}

proptest! {
    #[test]
    fn continuous_changes_neither_skip_nor_double_a_boundary(
        changes in changes(),
        mut looks in proptest::collection::vec(0..3000 * SECOND, 1..30),
    ) {
        let mut clock = Clock::new(scale("25"), WallTime(0), GameTime(-1));
        let mut wall = 0;
        for (later, change) in changes {
            wall += later;
            clock.insert(clock.change(change, WallTime(wall))).unwrap();
        }
        looks.sort_unstable();
        let mut seen = Vec::new();
        let mut after = WallTime(-1);
        for look in looks {
            let until = WallTime(look);
            for boundary in clock.boundaries(after, until, GameTime::MINUTE_US) {
                prop_assert!(boundary.wall > after && boundary.wall <= until);
                prop_assert!(clock.game_at(boundary.wall) >= boundary.game);
                prop_assert!(clock.game_at(WallTime(boundary.wall.0 - 1)) < boundary.game
                    || boundary.wall == clock.segment_at(boundary.wall).anchor_wall);
                seen.push(boundary.number);
            }
            after = until;
        }
        // The last game minute shown may belong to a running segment that begins right there.
        let last = clock.game_at(after).minutes();
        let count = seen.len() as i64;
        prop_assert_eq!(&seen, &(0..count).collect::<Vec<_>>());
        prop_assert!(count == last + 1 || count == last, "{} boundaries, minute {}", count, last);
    }

    #[test]
    fn boundaries_do_not_depend_on_how_often_one_looks(
        changes in changes(),
        sets in proptest::collection::vec((0..100 * SECOND, -9000..9000_i64), 0..4),
        cut in 0..3000 * SECOND,
    ) {
        let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
        let mut wall = 0;
        let sets = sets.into_iter().map(|(w, m)| (w, Change::Set(GameTime::from_seconds(m))));
        for (later, change) in changes.into_iter().chain(sets) {
            wall += later;
            clock.insert(clock.change(change, WallTime(wall))).unwrap();
        }
        let all = |from, to| clock.boundaries(WallTime(from), WallTime(to), GameTime::MINUTE_US);
        let whole: Vec<_> = all(-1, 3000 * SECOND).collect();
        let parts: Vec<_> = all(-1, cut).chain(all(cut, 3000 * SECOND)).collect();
        prop_assert_eq!(whole, parts);
        let starts = clock.spans(WallTime(-1), WallTime(i64::MAX)).filter(|s| s.starts).count();
        prop_assert_eq!(starts, clock.segments().len());
    }
}

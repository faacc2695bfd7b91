//! A year of pauses at awkward scales, right to the microsecond: against models that count in a
//! fraction of a microsecond of which everything is a multiple, and never round.

use super::*;

const YEAR: GameTime = GameTime(365 * GameTime::DAY_US);
const SCALES: [(&str, i128); 4] = [("7", 700), ("59.94", 5_994), ("61", 6_100), ("3601", 360_100)];

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((u128::from(self.0) * end as u128) >> 64) as i64
    }
}

#[test]
fn clock_is_right_to_the_microsecond_after_a_year_of_random_pauses() {
    for (text, hundredths) in SCALES {
        let mut clock = Clock::new(scale(text), WallTime(0), GameTime(0));
        let mut model = Model::new(hundredths);
        let (mut wall, mut chance, mut pauses) = (0, Chance(hundredths as u64), 0);
        // Some eight looks a game day.
        let longest = 2 * (hundredths as i64) * 10_000 * 3;
        while clock.game_at(WallTime(wall)) < YEAR {
            wall += 1 + chance.below(longest);
            model.advance(wall);
            let shown = clock.game_at(WallTime(wall));
            assert_eq!(i128::from(shown.0), model.game / model.unit, "{text} at {wall}");
            if chance.below(3) == 0 {
                continue;
            }
            let change = if model.running { Change::Pause } else { Change::Start };
            model.running = !model.running;
            pauses += 1;
            clock.insert(clock.change(change, WallTime(wall))).unwrap();
        }
        assert!(pauses > 1_500, "{text}: {pauses}");
    }
}

#[test]
fn each_hour_of_a_year_comes_at_the_first_microsecond_that_shows_it() {
    for (text, hundredths) in SCALES {
        let mut clock = Clock::new(scale(text), WallTime(5), GameTime(0));
        let mut chance = Chance(1);
        // A rest beyond the anchor's microsecond counts, too.
        for pause in 0..20 {
            let wall = clock.last().anchor_wall.plus_us(1 + chance.below(99_999_999));
            let change = if pause % 2 == 0 { Change::Pause } else { Change::Start };
            clock.insert(clock.change(change, wall)).unwrap();
        }
        let from = clock.last().anchor_wall;
        let until = from.plus_us(365 * 24 * (hundredths as i64) * 10_000);
        let hours: Vec<_> = clock.boundaries(from, until, GameTime::HOUR_US).collect();
        assert!(hours.len() >= 365 * 24 - 1, "{text}: {}", hours.len());
        for hour in hours {
            assert!(clock.game_at(hour.wall) >= hour.game, "{text}: {hour:?}");
            assert!(clock.game_at(hour.wall.plus_us(-1)) < hour.game, "{text}: {hour:?}");
        }
    }
}

/// Counts wall time in `3600 * COMMON`ths and game time in `hundredths * COMMON`ths of a
/// microsecond: in a phase of a speed of `s` hundredths one of those is `s` of these.
struct Phased {
    /// Hours since midnight at which each phase begins, with its speed in hundredths.
    phases: [(i128, i128); 4],
    hour: i128,
    unit: i128,
    game: i128,
    wall: i128,
    running: bool,
}

const COMMON: i128 = 400;

impl Phased {
    fn new(speeds: [i128; 4], hundredths: i128, hour: i128) -> Self {
        let phases = [(5, speeds[0]), (7, speeds[1]), (18, speeds[2]), (20, speeds[3])];
        let unit = hundredths * COMMON;
        Self { phases, hour: hour * 3_600_000_000 * unit, unit, game: 0, wall: 0, running: true }
    }

    fn advance(&mut self, wall: i64) {
        let wall = i128::from(wall) * 3_600 * COMMON;
        let mut left = wall - self.wall;
        self.wall = wall;
        let hour = 3_600_000_000 * self.unit;
        while self.running && left > 0 {
            let at = (self.game + self.hour).rem_euclid(24 * hour);
            let index = self.phases.iter().rposition(|(start, _)| start * hour <= at);
            let speed = self.phases[index.unwrap_or(3)].1;
            let end = match index {
                None => 5,
                Some(3) => 29,
                Some(index) => self.phases[index + 1].0,
            };
            let needed = end * hour - at;
            assert_eq!(needed % speed, 0, "the model rounds");
            let passed = left.min(needed / speed);
            self.game += passed * speed;
            left -= passed;
        }
    }
}

fn calendar(hour: u8) -> Calendar {
    let epoch = DateTime { year: 2024, month: 3, day: 1, hour, minute: 0, second: 0 };
    Calendar::new(epoch).unwrap()
}

fn speeds(list: [f64; 4]) -> PhaseSpeeds {
    let phases = [Phase::Dawn, Phase::Day, Phase::Dusk, Phase::Night];
    let with = |speeds: PhaseSpeeds, (phase, speed)| speeds.with(phase, speed).unwrap();
    phases.into_iter().zip(list).fold(PhaseSpeeds::default(), with)
}

#[test]
fn clock_with_fast_nights_is_right_to_the_microsecond_after_a_year_of_random_pauses() {
    for (text, hundredths) in SCALES {
        for (list, begin) in [([1.0, 1.0, 1.0, 4.0], 6), ([0.5, 2.0, 0.25, 1.0], 23)] {
            let curve = speeds(list).curve(&calendar(begin)).unwrap();
            let mut clock = Clock::new(scale(text), WallTime(0), GameTime(0));
            let start = clock.change(Change::Curve(scale(text), curve), WallTime(0));
            clock.insert(start).unwrap();
            let list = list.map(|speed| (speed * 100.0) as i128);
            let mut model = Phased::new(list, hundredths, i128::from(begin));
            let (mut wall, mut chance) = (0, Chance(hundredths as u64));
            let longest = 2 * (hundredths as i64) * 10_000 * 5;
            while clock.game_at(WallTime(wall)) < YEAR {
                wall += 1 + chance.below(longest);
                model.advance(wall);
                let shown = clock.game_at(WallTime(wall));
                assert_eq!(i128::from(shown.0), model.game / model.unit, "{text} at {wall}");
                if chance.below(3) > 0 {
                    let change = if model.running { Change::Pause } else { Change::Start };
                    model.running = !model.running;
                    clock.insert(clock.change(change, WallTime(wall))).unwrap();
                }
            }
        }
    }
}

#[test]
fn curve_is_the_inverse_of_its_inverse_and_neither_skips_nor_doubles_a_minute() {
    let curve = speeds([0.75, 1.5, 3.0, 0.07]).curve(&calendar(6)).unwrap();
    let mut clock = Clock::new(scale("59.94"), WallTime(0), GameTime(0));
    clock.insert(clock.change(Change::Curve(scale("59.94"), curve), WallTime(0))).unwrap();
    let day: Vec<_> = clock
        .boundaries(WallTime(0), WallTime(40_000 * SECOND), GameTime::MINUTE_US)
        .take(3 * 1440)
        .collect();
    assert_eq!(day.len(), 3 * 1440);
    for (minute, number) in day.iter().zip(1..) {
        assert_eq!(minute.number, number);
        assert!(clock.game_at(minute.wall) >= minute.game);
        assert!(clock.game_at(minute.wall.plus_us(-1)) < minute.game);
    }
    // 2 h at 0.75, 11 h at 1.5, 2 h at 3, 9 h at 0.07.
    let hours = 2.0 / 0.75 + 11.0 / 1.5 + 2.0 / 3.0 + 9.0 / 0.07;
    let passed = day[1440 + 1439].wall.0 - day[1439].wall.0;
    assert!((passed as f64 - hours * 59.94e6).abs() < 2.0, "{passed}");
    assert!((curve.unwrap().stretch() * 24.0 - hours).abs() < 1e-9);
}

#[test]
fn curve_survives_pauses_scales_skips_and_the_state_store() {
    let curve = speeds([1.0, 1.0, 1.0, 2.0]).curve(&calendar(6)).unwrap();
    let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
    let changes = [
        Change::Curve(scale("60"), curve),
        Change::Pause,
        Change::Scale(scale("30")),
        Change::Start,
        Change::Skip(14 * GameTime::HOUR_US),
    ];
    for change in changes {
        clock.insert(clock.change(change, WallTime(0))).unwrap();
    }
    // 20:00, 30 s an hour, and nights twice as fast: 15 s an hour until 05:00.
    assert_eq!(clock.game_at(WallTime(0)), GameTime::from_hours(14));
    assert_eq!(clock.game_at(WallTime(9 * 15 * SECOND)), GameTime::from_hours(23));
    assert_eq!(clock.game_at(WallTime((9 * 15 + 60) * SECOND)), GameTime::from_hours(25));
    let text = serde_json::to_string(&clock).unwrap();
    assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
    let even = clock.change(Change::Curve(scale("30"), None), WallTime(1));
    assert_eq!(even.curve, None);
}

#[test]
fn impossible_speeds_and_curves_are_refused_with_what_was_expected() {
    for bad in [0.0, -1.0, 0.001, 100.01, 1.005, f64::NAN, f64::INFINITY] {
        let error = PhaseSpeeds::default().with(Phase::Night, bad).unwrap_err();
        assert!(error.to_string().starts_with("night: expected a speed from 0.01 to 100"));
    }
    let odd = speeds([97.03, 89.01, 83.09, 79.01]).curve(&calendar(6)).unwrap_err();
    assert!(odd.to_string().contains("up to 1000000 units"), "{odd}");
    assert_eq!(speeds([1.0; 4]).curve(&calendar(6)), Ok(None));
    let piece = |start_us, slope| Piece { start_us, slope };
    let cases: [(i64, i64, u64, &[Piece]); 8] = [
        (0, 0, 1, &[piece(0, 1)]),
        (10, 10, 1, &[piece(0, 1)]),
        (10, 0, 0, &[piece(0, 1)]),
        (10, 0, 1, &[]),
        (10, 0, 1, &[piece(1, 1)]),
        (10, 0, 1, &[piece(0, 1), piece(0, 1)]),
        (10, 0, 1, &[piece(0, 1), piece(10, 1)]),
        (10, 0, 1, &[piece(0, 0)]),
    ];
    for (cycle, offset, units, pieces) in cases {
        assert!(Curve::new(cycle, offset, units, pieces).is_err(), "{pieces:?}");
    }
    let fine = Change::Curve(
        scale("33.33333333333333"),
        speeds([1.0, 1.0, 1.0, 3.0]).curve(&calendar(6)).unwrap(),
    );
    let mut clock = Clock::new(scale("60"), WallTime(0), GameTime(0));
    let segment = clock.change(fine, WallTime(1));
    assert!(matches!(clock.insert(segment), Err(ClockError::TooFine { .. })));
    let rest = Segment { rest: segment.den, ..clock.change(Change::Pause, WallTime(1)) };
    assert!(matches!(clock.insert(rest), Err(ClockError::BadRest { .. })));
}

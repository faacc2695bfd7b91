//! Claims about announcements: nothing is lost on the way, a set counts when it is whole, and what
//! no weather-manager publishes is refused.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;
use worldbus_events::limits::PAYLOAD_BYTES_MAX;
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{self, WeatherCommand, WeatherOverride};
use worldbus_testkit::Dice;
use worldbus_world::{Cell, Effective, Kind, Override, Waypoint};

const REGIONS: [&str; 4] = ["paris", "vienna", "oslo", "brussels"];

fn kind(dice: &mut Dice) -> Kind {
    let state = dice.pick(&WeatherState::ALL);
    let mut number = |least: i64, most: i64| least + dice.below((most - least + 1) as u64) as i64;
    match number(0, 4) {
        0 => Kind::SetState { state, intensity_permille: number(0, 1000) as u16 },
        1 => Kind::Offset {
            temperature_dc: number(-600, 600) as i16,
            wind_dmps: number(-500, 500) as i16,
            rain_permille: number(0, 10_000) as u32,
        },
        2 => Kind::Lock,
        3 => Kind::SeasonShift { days: number(-366, 366) as i16 },
        _ => {
            let count = number(1, 32);
            let mut point = |_| Waypoint {
                latitude_mdeg: number(-90_000, 90_000) as i32,
                longitude_mdeg: number(-180_000, 180_000) as i32,
            };
            let path = (0..count).map(&mut point).collect();
            let (radius_m, speed_mph) = (number(1_000, 2_000_000), number(0, 2_000_000));
            Kind::StormCell(Cell {
                path,
                radius_m: radius_m as u32,
                speed_mph: speed_mph as u32,
                state,
                intensity_permille: number(0, 1000) as u16,
            })
        }
    }
}

fn regions(dice: &mut Dice) -> Vec<String> {
    let some = REGIONS.iter().filter(|_| dice.below(3) == 0);
    some.map(|id| (*id).to_owned()).collect()
}

/// What so many commands lead to.
fn timeline(seed: u64, count: u64) -> Timeline {
    let mut dice = Dice(seed);
    let mut timeline = Timeline { rev: count, forgotten_rev: seed % 3, ..Timeline::default() };
    for rev in 1..=count {
        let game = GameTime(rev as i64 * GameTime::HOUR_US + dice.below(1_000_000) as i64);
        let overrides = &mut timeline.overrides;
        let mut undone = None;
        match dice.below(6) {
            0 => drop(overrides.lift(rev, &regions(&mut dice), game)),
            1 => {
                let reverted = 1 + dice.below(rev);
                overrides.revert(rev, reverted, game);
                undone = Some(reverted);
            }
            2 => drop(overrides.lift_one(rev, 1 + dice.below(rev), game)),
            _ => {
                let end = (dice.below(3) > 0)
                    .then(|| game.plus_us((300 + dice.below(50) as i64) * GameTime::HOUR_US));
                let fade_out_us =
                    if end.is_some() { dice.below(GameTime::HOUR_US as u64) as i64 } else { 0 };
                let record = Override {
                    id: format!("all-{rev}"),
                    rev,
                    // A cell that ends soon has no room for fades.
                    fade_in_us: 0,
                    fade_out_us,
                    priority: dice.below(1 << 16) as u16 as i16,
                    author: "ä".repeat(dice.below(64) as usize),
                    ..Override::new(regions(&mut dice), kind(&mut dice), game, end)
                };
                if !matches!(record.kind, Kind::StormCell(_)) {
                    let fade_in_us = dice.below(GameTime::HOUR_US as u64) as i64;
                    overrides.insert(Override { fade_in_us, ..record }).unwrap();
                } else {
                    overrides.insert(Override { fade_out_us: 0, ..record }).unwrap();
                }
            }
        }
        let wall = WallTime(rev as i64 * 1_000_007);
        timeline.commands.push(Effective { rev, wall, undone });
    }
    timeline
}

fn shuffled<T>(dice: &mut Dice, mut items: Vec<T>) -> Vec<T> {
    let mut shuffled = Vec::new();
    while !items.is_empty() {
        shuffled.push(items.swap_remove(dice.below(items.len() as u64) as usize));
    }
    shuffled
}

#[test]
fn set_is_the_same_behind_its_announcement_whatever_order_its_parts_come_in() {
    for seed in 0..60 {
        let before = timeline(seed, 1 + seed * 10);
        let parts = announce(&before, 3, WallTime(5));
        let mut dice = Dice(seed);
        let twice = shuffled(&mut dice, [parts.clone(), parts.clone()].concat());
        let mut follower = OverridesFollower::default();
        let mut times = 0;
        for part in twice {
            // As it is on the wire.
            let part = WeatherOverridesAnnounced::decode(&part.encode_to_vec()[..]).unwrap();
            times += u32::from(follower.receive(part).unwrap());
        }
        assert_eq!((times, follower.timeline()), (1, Some(&before)), "{seed}");
        assert!(follower.incomplete.is_empty());
        for wall in (0..=before.rev as i64 + 1).map(|rev| WallTime(rev * 1_000_007)) {
            let after = follower.timeline().unwrap();
            assert_eq!(after.overrides(wall), before.overrides(wall));
            assert_eq!(after.rev_at(wall), before.rev_at(wall));
        }
    }
}

#[test]
fn hundreds_of_overrides_come_in_parts_of_bounded_size_and_count_when_all_are_there() {
    let before = timeline(1, 1_500);
    let parts = announce(&before, 0, WallTime(0));
    assert!((2..=PART_COUNT_MAX as usize).contains(&parts.len()), "{}", parts.len());
    for part in &parts {
        assert!(part.encoded_len() <= PART_BYTES_MAX, "{}", part.encoded_len());
        assert_eq!(part.part_count as usize, parts.len());
    }
    const { assert!(PART_BYTES_MAX < PAYLOAD_BYTES_MAX) };
    let mut follower = OverridesFollower::default();
    let count = parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        assert_eq!(follower.timeline(), None, "not whole");
        assert_eq!(follower.receive(part), Ok(number + 1 == count));
    }
    assert_eq!(follower.timeline(), Some(&before));
}

#[test]
fn later_announcement_counts_and_parts_of_two_are_never_mixed() {
    let (old, new) = (timeline(1, 1_500), timeline(2, 1_501));
    let (old, new) = (announce(&old, 0, WallTime(0)), announce(&new, 0, WallTime(0)));
    let mut follower = OverridesFollower::default();
    for (old, new) in old.iter().zip(&new).skip(1) {
        assert!(!follower.receive(old.clone()).unwrap() && !follower.receive(new.clone()).unwrap());
    }
    for part in &new {
        follower.receive(part.clone()).unwrap();
    }
    assert_eq!(follower.timeline().unwrap().rev, 1_501);
    assert!(!follower.receive(old[0].clone()).unwrap() && follower.incomplete.is_empty());
    // Of one revision the higher epoch, then the later.
    let named = |epoch, wall| {
        let named = |part: &WeatherOverridesAnnounced| WeatherOverridesAnnounced {
            epoch,
            announced_wall_us: wall,
            ..part.clone()
        };
        new.iter().map(named).collect::<Vec<_>>()
    };
    for (epoch, wall, counts) in [(1, -5, true), (1, -6, false), (0, 9, false), (1, -4, true)] {
        let parts = named(epoch, wall).into_iter();
        let whole = parts.map(|part| follower.receive(part).unwrap());
        assert_eq!(whole.filter(|whole| *whole).count() == 1, counts, "{epoch} {wall}");
    }
    // What never becomes whole is not kept for ever.
    for wall in 0..3 * INCOMPLETE_COUNT_MAX as i64 {
        follower.receive(named(2, wall).swap_remove(0)).unwrap();
        assert!(follower.incomplete.len() <= INCOMPLETE_COUNT_MAX);
    }
}

#[test]
fn announcement_that_no_weather_manager_publishes_is_refused() {
    let whole = |more: WeatherOverridesAnnounced| {
        let part = WeatherOverridesAnnounced { revision: 1, part_count: 1, ..more };
        OverridesFollower::default().receive(part)
    };
    let of = |record: WeatherOverride| {
        whole(WeatherOverridesAnnounced { overrides: vec![record], ..Default::default() })
    };
    let sound = |seed| announce(&timeline(seed, 20), 0, WallTime(0)).swap_remove(0).overrides;
    let record = WeatherOverride { lift_indexes: Vec::new(), ..sound(7).swap_remove(0) };
    let record = WeatherOverride { region_indexes: Vec::new(), ..record };
    assert_eq!(of(record.clone()), Ok(true));
    for wrong in [
        WeatherOverride { effect: None, ..record.clone() },
        WeatherOverride { region_indexes: vec![0], ..record.clone() },
        WeatherOverride { lift_indexes: vec![0], ..record.clone() },
        WeatherOverride { priority: 1 << 20, ..record.clone() },
        WeatherOverride { fade_in_us: -1, ..record.clone() },
    ] {
        assert!(of(wrong.clone()).is_err(), "{wrong:?}");
    }
    let numbered = |part, part_count| WeatherOverridesAnnounced {
        part,
        part_count,
        ..WeatherOverridesAnnounced::default()
    };
    for (part, count) in [(0, 0), (1, 1), (0, PART_COUNT_MAX + 1), (u32::MAX, u32::MAX)] {
        let refused = OverridesFollower::default().receive(numbered(part, count));
        assert!(refused.is_err(), "{part} of {count}");
    }
    let mut follower = OverridesFollower::default();
    follower.receive(numbered(0, 2)).unwrap();
    assert!(follower.receive(numbered(1, 3)).is_err(), "another count of parts");
    // A few bytes that name a great many regions.
    let lift = v1::WeatherLift { region_indexes: vec![0; 60_000], ..Default::default() };
    let bomb = WeatherOverridesAnnounced {
        region_ids: vec!["paris".to_owned()],
        overrides: vec![WeatherOverride { lift_indexes: vec![0; 60_000], ..record }],
        lifts: vec![lift],
        ..Default::default()
    };
    assert!(whole(bomb).unwrap_err().to_string().contains("lifts of"));
}

#[test]
fn noise_never_panics() {
    let mut dice = Dice(3);
    for seed in 0..2_000 {
        let mut bytes = announce(&timeline(seed % 20, 12), 0, WallTime(0))[0].encode_to_vec();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.below(256) as u8;
        }
        let Ok(part) = WeatherOverridesAnnounced::decode(&bytes[..]) else { continue };
        let mut follower = OverridesFollower::default();
        if follower.receive(part) == Ok(true) {
            let timeline = follower.timeline().unwrap();
            timeline.overrides(WallTime(dice.below(1 << 40) as i64));
        }
    }
}

#[test]
fn weather_is_known_with_the_clock_and_the_overrides() {
    let world = World::sample();
    let mut follower = WeatherFollower::new(&world);
    let none = WeatherOverridesAnnounced { part_count: 1, ..Default::default() };
    let clock = ClockChanged {
        anchor_wall_us: 1_000,
        scale_numerator: 144,
        scale_denominator: 1,
        ..Default::default()
    };
    let invalid = ClockChanged { scale_denominator: 0, ..clock.clone() };
    assert!(follower.clock_changed(&invalid).is_err());
    assert!(follower.overrides_announced(none).unwrap());
    assert_eq!(follower.conditions(0, WallTime(2_000)), None);
    assert!(follower.clock_changed(&clock).unwrap() && !follower.clock_changed(&clock).unwrap());
    let plan = Weather::new(&world).conditions(0, GameTime(144_000), &Overrides::default());
    assert_eq!(follower.conditions(0, WallTime(2_000)), Some(plan));
    assert_eq!(follower.state(0, WallTime(2_000)), Some(plan.state));
    let command = WeatherCommand { revision: 4, effective_wall_us: 2_500, undone_revision: 0 };
    let one = WeatherOverridesAnnounced {
        revision: 4,
        part_count: 1,
        forgotten_revision: 3,
        commands: vec![command],
        ..Default::default()
    };
    assert!(follower.overrides_announced(one).unwrap());
    let rev = |wall| follower.basis(WallTime(wall)).unwrap().rev;
    assert_eq!([rev(2_499), rev(2_500)], [3, 4]);
}

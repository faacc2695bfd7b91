//! Claims about hundreds of overrides: who looks at how many of them. Counted, not timed.

use super::super::overrides::LOOKS;
use super::*;

const COUNT: u64 = 800;

fn minute(minutes: u64) -> GameTime {
    GameTime::from_minutes(minutes as i64)
}

fn storm(rev: u64, region: &str) -> Override {
    let kind = Kind::SetState { state: WeatherState::Storm, intensity_permille: 500 };
    Override { regions: vec![region.to_owned()], ..record(rev, kind, minute(rev), None) }
}

/// Sets the storm of a region again each game minute.
fn set_each_minute(overrides: &mut Overrides, region: impl Fn(u64) -> &'static str) {
    for rev in 1..=COUNT {
        let record = storm(rev, region(rev));
        overrides.lift(rev, &record.regions, record.start);
        overrides.insert(record).unwrap();
    }
}

fn looks(of: impl FnOnce()) -> usize {
    let before = LOOKS.get();
    of();
    LOOKS.get() - before
}

#[test]
fn lift_looks_at_what_may_be_in_force_alone() {
    let mut overrides = Overrides::default();
    let region = |rev| if rev == 1 { "vienna" } else { "brussels" };
    set_each_minute(&mut overrides, region);
    assert!(overrides.open_count() <= 3, "{}", overrides.open_count());
    let revs = |region| -> Vec<u64> {
        overrides.in_force(region, minute(COUNT)).iter().map(|record| record.rev).collect()
    };
    assert_eq!((revs("vienna"), revs("brussels")), (vec![1], vec![COUNT]));
}

#[test]
fn look_costs_what_is_in_force_and_a_spell_what_lies_in_it() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    set_each_minute(&mut overrides, |_| "brussels");
    let brussels = weather.region_ids.iter().position(|id| id == "brussels").unwrap();
    let at = minute(COUNT / 2);
    let one = looks(|| assert_eq!(weather.state(brussels, at, &overrides), WeatherState::Storm));
    assert!(one <= 4, "{one}");
    let spell = looks(|| {
        let spell = weather.spell_at(brussels, at, &overrides).unwrap();
        assert!(spell.onset <= minute(1) && spell.forced);
    });
    assert!(spell <= 20 * COUNT as usize, "{spell}");
}

#[test]
fn conditions_at_a_whole_hour_take_one_look_as_the_state_does() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    overrides.insert(record(1, Kind::Lock, minute(1), None)).unwrap();
    let region = weather.region_ids.iter().position(|id| overrides.records()[0].concerns(id));
    let (region, at) = (region.unwrap(), GameTime::from_hours(50));
    let state = looks(|| assert!(!weather.state(region, at, &overrides).name().is_empty()));
    let conditions = looks(|| assert!(weather.conditions(region, at, &overrides).forced));
    assert_eq!(conditions, state);
}

#[test]
fn locks_that_fade_together_are_followed_so_often_and_no_more() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    for rev in 1..=200 {
        let lock = record(rev, Kind::Lock, minute(rev), None);
        overrides.insert(Override { fade_in_us: 100 * GameTime::HOUR_US, ..lock }).unwrap();
    }
    let region = weather.region_ids.iter().position(|id| overrides.records()[0].concerns(id));
    let looks = looks(|| {
        let at = GameTime::from_hours(50);
        assert!(weather.conditions(region.unwrap(), at, &overrides).forced);
    });
    assert!(looks < 2_000, "{looks}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn spans_say_what_each_override_states_of_itself(
        acts in proptest::collection::vec((0..4_u8, 0..3_usize, 0..60_i64, 1..30_i64), 1..40),
    ) {
        let regions = ["brussels", "vienna", "paris"];
        let mut overrides = Overrides::default();
        for (rev, (act, region, start, length)) in (1..).zip(acts) {
            let named = if length % 5 == 0 { vec![] } else { vec![regions[region].to_owned()] };
            let at = GameTime::from_hours(start);
            match act {
                0 => { overrides.lift(rev, &named, at); }
                1 => overrides.revert(rev, length as u64, at),
                _ => {
                    let end = (length % 3 > 0).then(|| GameTime::from_hours(start + length));
                    let kind = Kind::SeasonShift { days: 9 };
                    let priority = (length % 4) as i16;
                    let plain = record(rev, kind, at, end);
                    overrides.insert(Override { regions: named, priority, ..plain }).unwrap();
                }
            }
            for region in regions.into_iter().chain(["oslo"]) {
                for hour in -1..95 {
                    let time = GameTime::from_hours(hour);
                    let mut covering: Vec<&Override> =
                        overrides.records().iter().filter(|r| r.covers(region, time)).collect();
                    covering.sort_by_key(|record| (record.priority, record.rev));
                    prop_assert_eq!(overrides.in_force(region, time), covering);
                }
            }
        }
    }
}

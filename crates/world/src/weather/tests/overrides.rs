//! Claims about overrides: what they change and what they leave, which one counts, which are
//! refused, and that state and numbers agree under any of them.

use super::*;

const HOUR: i64 = GameTime::HOUR_US;

fn hour(hours: i64) -> GameTime {
    GameTime::from_hours(hours)
}

fn set(state: WeatherState, intensity_permille: u16) -> Kind {
    Kind::SetState { state, intensity_permille }
}

fn point(latitude: f64, longitude: f64) -> Waypoint {
    let mdeg = |degrees: f64| (degrees * 1000.0) as i32;
    Waypoint { latitude_mdeg: mdeg(latitude), longitude_mdeg: mdeg(longitude) }
}

/// A storm from the Channel to the Alps.
fn cell() -> Cell {
    Cell {
        path: vec![point(50.9, 0.0), point(50.8, 4.3), point(47.0, 11.0)],
        radius_m: 150_000,
        speed_mph: 60_000,
        state: WeatherState::Storm,
        intensity_permille: 700,
    }
}

fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<_> = WeatherState::ALL.into_iter().map(|state| set(state, 800)).collect();
    for (temperature_dc, wind_dmps, rain_permille) in
        [(0, 0, 1000), (150, 0, 1000), (-200, 150, 3000), (600, -500, 0), (-600, 500, 10_000)]
    {
        kinds.push(Kind::Offset { temperature_dc, wind_dmps, rain_permille });
    }
    kinds.extend([Kind::Lock, Kind::SeasonShift { days: 180 }, Kind::SeasonShift { days: -90 }]);
    kinds.push(Kind::StormCell(cell()));
    kinds
}

#[test]
fn only_the_overridden_span_and_regions_differ_from_the_plan() {
    let (_, weather) = weather();
    let none = Overrides::default();
    for kind in kinds() {
        let (start, end) = (GameTime(2000 * HOUR + HOUR / 3), hour(2031));
        let mut record = record(1, kind, start, Some(end));
        (record.fade_in_us, record.fade_out_us) = (2 * HOUR, 2 * HOUR);
        if matches!(record.kind, Kind::StormCell(_)) {
            record.regions.clear();
        }
        let mut overrides = Overrides::default();
        overrides.insert(record.clone()).unwrap();
        let ended = overrides.records()[0].end.unwrap();
        for region in 0..weather.region_count() {
            for step in 0..40 * 4 {
                let time = GameTime(1996 * HOUR + step * HOUR / 4);
                let (plan, now) = (
                    weather.conditions(region, time, &none),
                    weather.conditions(region, time, &overrides),
                );
                let inside = start <= time
                    && time < ended
                    && overrides.records()[0].concerns(&weather.region_ids[region]);
                assert!(inside || plan == now, "{record:?} at {time:?}: {now:?}");
                assert_eq!(weather.state(region, time, &overrides), now.state);
            }
        }
    }
}

#[test]
fn a_fade_moves_in_small_steps_and_the_state_follows_the_numbers() {
    let (_, weather) = weather();
    let mut record = record(1, set(WeatherState::HeavySnow, 900), hour(4000), Some(hour(4024)));
    (record.fade_in_us, record.fade_out_us) = (6 * HOUR, 6 * HOUR);
    let mut overrides = Overrides::default();
    overrides.insert(record).unwrap();
    let at = |time| weather.conditions(0, time, &overrides);
    let mut steps = Vec::new();
    for minute in -10..6 * 60 + 20 {
        let time = GameTime(4000 * HOUR + minute * GameTime::MINUTE_US);
        let (c, next) = (at(time), at(time.plus_us(GameTime::MINUTE_US)));
        assert_agrees_at_change(&weather, &c, time, &overrides);
        steps.push((next.temperature_dc - c.temperature_dc).abs());
    }
    assert!(steps.iter().all(|step| *step <= 20), "{steps:?}");
    let full = at(hour(4012));
    assert_eq!((full.state, full.intensity_permille), (WeatherState::HeavySnow, 900));
    assert!(!at(hour(4000).plus_us(-1)).forced && at(hour(4003)).forced);
}

/// At instants at which states may change, the state is that of the numbers.
#[track_caller]
fn assert_agrees_at_change(weather: &Weather, c: &Conditions, at: GameTime, o: &Overrides) {
    assert_agrees(c, &weather.climate(0).preset);
    assert_eq!(weather.state(0, at, o), c.state);
}

#[test]
fn the_higher_priority_counts_then_the_later_revision() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    let mut low = record(3, set(WeatherState::Fog, 0), hour(0), None);
    low.priority = -1;
    overrides.insert(record(1, set(WeatherState::Rain, 0), hour(0), None)).unwrap();
    overrides.insert(record(2, set(WeatherState::Storm, 0), hour(2), Some(hour(3)))).unwrap();
    overrides.insert(low).unwrap();
    let state = |overrides: &Overrides, h| weather.state(0, hour(h), overrides);
    assert_eq!([1, 2, 3].map(|h| state(&overrides, h)), {
        use WeatherState::{Rain, Storm};
        [Rain, Storm, Rain]
    });
    let revs =
        |o: &Overrides| o.in_force("brussels", hour(2)).iter().map(|r| r.rev).collect::<Vec<_>>();
    assert_eq!(revs(&overrides), [3, 1, 2], "bottom first");
    assert_eq!(overrides.instants(hour(0), hour(9)), [2, 3].map(hour));
    assert_eq!([0, 1, 2, 9].map(|h| overrides.rev_at(hour(h))), [3; 4]);
    overrides.prune(hour(6));
    assert_eq!(revs(&overrides), [3, 1]);
}

#[test]
fn an_offset_works_on_what_lies_beneath_it_and_a_lock_holds_it() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    overrides.insert(record(1, set(WeatherState::Rain, 500), hour(100), None)).unwrap();
    let colder = Kind::Offset { temperature_dc: -600, wind_dmps: 0, rain_permille: 1000 };
    overrides.insert(record(2, colder, hour(101), None)).unwrap();
    assert_eq!(weather.state(0, hour(100), &overrides), WeatherState::Rain);
    assert!(weather.state(0, hour(101), &overrides).is_snowy(), "rain that gets cold is snow");
    overrides.insert(record(3, Kind::Lock, GameTime(101 * HOUR + 5), None)).unwrap();
    let held = weather.conditions(0, GameTime(101 * HOUR + 5), &overrides);
    for h in 102..140 {
        assert_eq!(weather.conditions(0, hour(h), &overrides), held);
    }
}

#[test]
fn a_season_shift_changes_the_plan_beneath_all_others() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    let mean = |overrides: &Overrides| {
        let at = |h| i64::from(weather.conditions(0, hour(h), overrides).temperature_dc);
        (0..24 * 14).map(at).sum::<i64>() / (24 * 14)
    };
    let plan = mean(&overrides);
    let mut shift = record(1, Kind::SeasonShift { days: 183 }, hour(0), None);
    shift.priority = 9;
    overrides.insert(shift).unwrap();
    let shifted = mean(&overrides);
    assert!((plan - shifted).abs() > 50, "{plan} and {shifted}");
    let warmer = Kind::Offset { temperature_dc: 100, wind_dmps: 0, rain_permille: 1000 };
    overrides.insert(record(2, warmer, hour(0), None)).unwrap();
    let both = mean(&overrides) - shifted;
    assert!((90..=100).contains(&both), "an offset of lower priority lies above it: {both}");
}

#[test]
fn a_storm_cell_reaches_one_region_after_another_and_ends_with_its_path() {
    let (world, weather) = weather();
    let mut overrides = Overrides::default();
    let mut record = record(1, Kind::StormCell(cell()), hour(500), None);
    record.regions.clear();
    overrides.insert(record).unwrap();
    let end = overrides.records()[0].end.unwrap();
    assert!((10..30).contains(&(end.hours() - 500)), "{end:?}");
    let first = |region: &str| {
        let region = world.region_index(region).unwrap();
        let mut steps = (0..).map(|step| hour(500).plus_us(step * HOUR / 12));
        steps.find(|t| *t >= end || weather.conditions(region, *t, &overrides).forced).unwrap()
    };
    assert!(hour(500) < first("brussels") && first("brussels") < end);
    assert!(first("dublin") >= end, "far from the path");
    let middle = (500..end.hours()).map(|h| weather.state(0, hour(h), &overrides));
    assert!(middle.into_iter().any(|state| state == WeatherState::Storm));
}

#[test]
fn a_lift_takes_out_of_force_where_it_states_and_a_revert_brings_back() {
    let (_, weather) = weather();
    let mut overrides = Overrides::default();
    let mut both = record(1, set(WeatherState::Fog, 500), hour(0), None);
    both.regions.push("paris".to_owned());
    overrides.insert(both).unwrap();
    let state = |o: &Overrides, id: &str, h| {
        let region = weather.region_ids.iter().position(|r| r == id).unwrap();
        weather.conditions(region, hour(h), o).forced
    };
    assert_eq!(overrides.lift(2, &["paris".to_owned()], hour(5)), 1);
    assert_eq!([4, 5, 9].map(|h| state(&overrides, "paris", h)), [true, false, false]);
    assert_eq!([4, 5, 9].map(|h| state(&overrides, "brussels", h)), [true; 3]);
    overrides.revert(3, 2, hour(7));
    assert_eq!([4, 5, 7].map(|h| state(&overrides, "paris", h)), [true, false, true]);
    overrides.revert(4, 1, hour(8));
    assert_eq!([7, 8].map(|h| state(&overrides, "brussels", h)), [true, false]);
    assert_eq!(overrides.instants(hour(0), hour(9)), [5, 7, 8].map(hour));
}

#[test]
fn a_record_keeps_few_lifts_however_often_its_region_is_set() {
    let mut overrides = Overrides::default();
    let region = ["brussels".to_owned()];
    for rev in 1..=600 {
        let at = hour(rev as i64);
        overrides.lift(rev, &region, at);
        overrides.insert(record(rev, set(WeatherState::Fog, 500), at, None)).unwrap();
    }
    let lifts = overrides.records().iter().map(|record| record.lifted.len()).max();
    assert_eq!(lifts, Some(1));
    // Set back, what was lifted later would count again: it is lifted there, too.
    let mut back = overrides.clone();
    back.lift(601, &region, hour(10));
    assert!(back.in_force(&region[0], hour(10)).is_empty());
    // Undone last one first, each brings back the one before it.
    for (undone, at) in [(600, 601), (599, 602), (598, 603)] {
        overrides.revert(at as u64, undone, hour(at));
        let revs: Vec<u64> =
            overrides.in_force(&region[0], hour(at)).iter().map(|r| r.rev).collect();
        assert_eq!(revs, [undone - 1]);
    }
}

#[test]
fn wrong_overrides_are_refused_with_the_field() {
    let mut overrides = Overrides::default();
    let mut refused = |name: &str, wrong: &dyn Fn(&mut Override)| {
        let mut record = record(1, set(WeatherState::Fog, 5), GameTime(5), None);
        wrong(&mut record);
        match overrides.insert(record).unwrap_err() {
            OverrideError::Field { field, .. } => assert_eq!(field, name),
            OverrideError::Fades { .. } => assert_eq!(name, "fades"),
            OverrideError::EndlessFade => assert_eq!(name, "endless"),
            error @ OverrideError::TooMany => panic!("{error}"),
        }
    };
    refused("end", &|r| r.end = Some(GameTime(-1_000_001)));
    refused("intensity_permille", &|r| r.kind = set(WeatherState::Fog, 1001));
    refused("fade_in_us", &|r| r.fade_in_us = -1);
    refused("endless", &|r| r.fade_out_us = HOUR);
    refused("fades", &|r| (r.end, r.fade_in_us) = (Some(hour(1)), 2 * HOUR));
    refused("fade_in_us", &|r| r.fade_in_us = i64::MAX);
    refused("regions", &|r| r.regions = vec![String::new(); REGIONS_OF_OVERRIDE_MAX + 1]);
    refused("days", &|r| r.kind = Kind::SeasonShift { days: 367 });
    refused("radius_m", &|r| r.kind = Kind::StormCell(Cell { radius_m: 0, ..cell() }));
    refused("speed_mph", &|r| r.kind = Kind::StormCell(Cell { speed_mph: u32::MAX, ..cell() }));
    refused("path", &|r| r.kind = Kind::StormCell(Cell { path: vec![], ..cell() }));
    let beyond = vec![point(91.0, 0.0)];
    refused("latitude_mdeg", &|r| {
        r.kind = Kind::StormCell(Cell { path: beyond.clone(), ..cell() });
    });
    let hot = |temperature_dc, wind_dmps, rain_permille| Kind::Offset {
        temperature_dc,
        wind_dmps,
        rain_permille,
    };
    refused("temperature_dc", &|r| r.kind = hot(601, 0, 0));
    refused("wind_dmps", &|r| r.kind = hot(0, -501, 0));
    refused("rain_permille", &|r| r.kind = hot(0, 0, 10_001));
}

#[test]
fn a_world_has_no_more_overrides_than_its_bound() {
    let mut overrides = Overrides::default();
    let mut record = record(1, Kind::Lock, GameTime(5), None);
    for rev in 0..OVERRIDE_COUNT_MAX as u64 {
        record.rev = rev;
        overrides.insert(record.clone()).unwrap();
    }
    record.rev = u64::MAX;
    assert_eq!(overrides.insert(record), Err(OverrideError::TooMany));
}

#[test]
fn shuffled_evaluation_equals_ordered_evaluation_under_overrides() {
    let (_, weather) = weather();
    let overrides = everything();
    let at = |i: i64| {
        let time = GameTime(3000 * HOUR + i * HOUR / 7);
        weather.conditions((i % 12) as usize, time, &overrides)
    };
    let ordered: Vec<_> = (0..1500).map(at).collect();
    for i in 0..1500 {
        let shuffled = i * 1009 % 1500;
        assert_eq!(at(shuffled), ordered[shuffled as usize]);
    }
}

/// Overrides of every kind, one upon the other, around hour 3000.
fn everything() -> Overrides {
    let mut overrides = Overrides::default();
    for (i, kind) in kinds().into_iter().enumerate() {
        let start = GameTime(3000 * HOUR + i as i64 * 9 * HOUR + 1234);
        let mut record = record(i as u64 + 1, kind, start, Some(start.plus_us(15 * HOUR)));
        record.regions.clear();
        (record.fade_in_us, record.fade_out_us) = (2 * HOUR, 3 * HOUR);
        record.priority = i as i16 % 3;
        overrides.insert(record).unwrap();
    }
    overrides
}

#[test]
fn the_state_changes_at_published_instants_only() {
    let (_, weather) = weather();
    let overrides = everything();
    let mut state = weather.state(3, hour(3000), &overrides);
    let mut at = hour(3000);
    while at < hour(3220) {
        let next = weather.next_change(3, at, &overrides);
        assert_eq!(weather.last_change(3, next, &overrides), at);
        assert_eq!(weather.state(3, next.plus_us(-1), &overrides), state, "{at:?}");
        let published = next.0 % HOUR == 0
            || overrides.instants(at, next).last() == Some(&next)
                && weather.may_change(3, next, &overrides);
        assert!(published, "{next:?}");
        at = next;
        state = weather.state(3, at, &overrides);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn state_and_numbers_agree_under_any_overrides(
        base in -40_000..400_000_i64,
        picks in proptest::collection::vec((0..23_usize, -20..10_i64, 0..5_i64, 0..3_i16), 1..5),
        region in 0..12_usize,
    ) {
        let (_, weather) = weather();
        let mut overrides = Overrides::default();
        for (rev, (kind, from, fade, priority)) in (1..).zip(picks) {
            let kind = kinds()[kind].clone();
            let mut record = record(rev, kind, hour(base + from), Some(hour(base + from + 30)));
            record.regions.clear();
            (record.fade_in_us, record.fade_out_us) = (fade * HOUR, fade * HOUR);
            record.priority = priority;
            // A cell may be over before its fades: then it does not count here.
            let _ = overrides.insert(record);
        }
        for step in 0..60 {
            let time = GameTime(base * HOUR + step * HOUR / 6 + step * 7_000_001);
            let c = weather.conditions(region, time, &overrides);
            assert_agrees(&c, &weather.climate(region).preset);
            prop_assert_eq!(weather.state(region, time, &overrides), c.state);
        }
    }
}

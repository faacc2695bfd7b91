//! Claims about what begins next.

use proptest::prelude::*;

use super::{built_in, date};
use crate::calendar::{Calendar, DateTime, Hemisphere, Holiday, MoonPhase, NAMES};
use crate::time::GameTime;

fn begins(calendar: &Calendar, at: Option<GameTime>) -> DateTime {
    calendar.at(at.unwrap())
}

#[test]
fn days_seasons_and_years_begin_at_midnight() {
    let calendar = built_in("gregorian", date(2024, 2, 28, 6));
    let now = GameTime::from_hours(1);
    assert_eq!(begins(&calendar, calendar.next_day(now)), date(2024, 2, 29, 0));
    assert_eq!(begins(&calendar, calendar.next_year(now)), date(2025, 1, 1, 0));
    let december = calendar.game_time(&date(2024, 12, 1, 0)).unwrap();
    assert_eq!(calendar.season(december, Hemisphere::South).id, "summer");
    assert_eq!(calendar.season(december.plus_us(-1), Hemisphere::South).id, "spring");
    let (at, phase) = calendar.next_phase(now).unwrap();
    assert_eq!((calendar.at(at), phase.name()), (date(2024, 2, 28, 18), "dusk"));
}

#[test]
fn phases_of_a_short_day_begin_after_the_same_share_of_it() {
    let calendar = built_in("short-year", date(1, 1, 1, 0));
    let (dawn, _) = calendar.next_phase(GameTime(0)).unwrap();
    assert_eq!(dawn, GameTime(20 * GameTime::HOUR_US * 5 / 24));
    assert_eq!(calendar.phase(dawn).name(), "dawn");
    assert_eq!(calendar.phase(dawn.plus_us(-1)).name(), "night");
}

#[test]
fn holidays_come_on_their_days() {
    let calendar = built_in("twin-moons", date(900, 1, 1, 0));
    let days = (1..).map(|day| GameTime(day * calendar.day_us()));
    let begun = days.flat_map(|at| {
        let [before, day] = [at.plus_us(-1), at].map(|game| calendar.day(game));
        let new = |h: &&Holiday| !calendar.holidays(&before).any(|old| old.id == h.id);
        let new: Vec<_> = calendar.holidays(&day).filter(new).collect();
        new.into_iter().map(move |h| (h.id.clone(), day)).collect::<Vec<_>>()
    });
    let found = begun.map(|(id, day)| format!("{id} on {}", calendar.day_name(&day))).take(6);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            "sowing-eve on 30 Thaw",
            "midsummer on 15 Highsun",
            "great-market on 3 Harvest",
            "harvest-moon on 16 Leaffall",
            "last-rest on 30 Longnight",
            "sowing-eve on 30 Thaw",
        ]
    );
    // Midsummer lasts three days.
    let holidays = |day| {
        let at = calendar.game_time(&date(900, 6, day, 12)).unwrap();
        calendar.holidays(&calendar.day(at)).count()
    };
    assert_eq!([14, 15, 16, 17, 18].map(holidays), [0, 1, 1, 1, 0]);
    let short = built_in("short-year", date(1, 1, 1, 0));
    let stray = (0..).map(|day| short.day(GameTime(day * short.day_us())));
    let stray = stray.take(500).filter(|d| short.holidays(d).any(|h| h.id == "stray-day"));
    let years: Vec<_> = stray.map(|day| day.year).collect();
    assert_eq!(years, [3]);
}

proptest! {
    #[test]
    fn nothing_begins_before_its_boundary(
        name in prop::sample::select(&NAMES[..]),
        us in -100_000_000_000_000_000..100_000_000_000_000_000_i64,
    ) {
        let calendar = built_in(name, date(1024, 3, 1, 6));
        let now = GameTime(us);
        let day = |game| calendar.day(game);
        let check = |next: Option<GameTime>, of: &dyn Fn(GameTime) -> i64| {
            let next = next.unwrap();
            assert!(next > now);
            assert_eq!(of(next.plus_us(-1)), of(now));
            assert_ne!(of(next), of(now));
        };
        check(calendar.next_phase(now).map(|(at, _)| at), &|game| calendar.phase(game) as i64);
        check(calendar.next_day(now), &|game| day(game).number);
        check(calendar.next_year(now), &|game| i64::from(day(game).year));
        for moon in 0..calendar.rules().moons().len() {
            let phase = |game| calendar.moons(game).nth(moon).unwrap().1.phase as i64;
            check(calendar.next_moon_phase(moon, now), &phase);
        }
        prop_assert_eq!(calendar.next_moon_phase(9, now), None);
    }
}

#[test]
fn a_moon_phase_lasts_an_eighth_of_its_cycle() {
    let calendar = built_in("twin-moons", date(1, 1, 1, 0));
    let mut now = GameTime(0);
    for phase in MoonPhase::ALL.into_iter().cycle().skip(1).take(16) {
        let next = calendar.next_moon_phase(0, now).unwrap();
        assert_eq!(calendar.moons(next).next().unwrap().1.phase, phase);
        now = next;
    }
    assert_eq!(now.0, 60 * GameTime::DAY_US - 30 * GameTime::DAY_US / 16);
    assert_eq!(MoonPhase::by_name("full"), Some(MoonPhase::Full));
}

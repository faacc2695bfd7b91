//! Claims about the calendar.

mod boundaries;
mod refusals;

use proptest::prelude::*;

use super::*;

fn date(year: i32, month: u8, day: u8, hour: u8) -> DateTime {
    DateTime { year, month, day, hour, minute: 0, second: 0 }
}

fn calendar() -> Calendar {
    Calendar::new(date(2024, 3, 1, 6)).unwrap()
}

fn built_in(name: &str, epoch: DateTime) -> Calendar {
    Calendar::with_rules(CalendarRules::built_in(name).unwrap(), epoch).unwrap()
}

#[test]
fn known_dates_are_right() {
    let calendar = calendar();
    assert_eq!(calendar.at(GameTime(0)), date(2024, 3, 1, 6));
    assert_eq!(calendar.at(GameTime(-1)).to_string(), "2024-03-01T05:59:59");
    assert_eq!(calendar.at(GameTime::from_hours(-24)), date(2024, 2, 29, 6));
    let days = (calendar.game_time(&date(2000, 3, 1, 6)).unwrap().0) / GameTime::DAY_US;
    assert_eq!(days, -(24 * 365 + 6));
}

#[test]
fn earths_weekdays_eras_and_moon_are_right() {
    let calendar = calendar();
    let day =
        |year, month, day| calendar.day(calendar.game_time(&date(year, month, day, 0)).unwrap());
    let weekday = |d| calendar.weekday_name(&d).unwrap().to_owned();
    assert_eq!(weekday(day(1969, 7, 20)), "Sunday");
    assert_eq!(weekday(day(2024, 2, 29)), "Thursday");
    assert_eq!(weekday(day(-43, 3, 15)), "Friday");
    assert_eq!((day(2024, 12, 31).day_of_year, day(2024, 12, 31).year_days), (366, 366));
    let era = |year| calendar.rules().era(year).map(|(era, count)| (era.name.as_str(), count));
    assert_eq!((era(2024), era(1), era(0), era(-43)), {
        (Some(("CE", 2024)), Some(("CE", 1)), Some(("BCE", 1)), Some(("BCE", 44)))
    });
    // Full on 2024-03-25 at 7:00, new on 2024-04-08 at 18:21.
    let phase = |month, day, hour| {
        let game = calendar.game_time(&date(2024, month, day, hour)).unwrap();
        calendar.moons(game).next().unwrap().1
    };
    assert_eq!(phase(3, 25, 7).phase, MoonPhase::Full);
    assert!(phase(3, 25, 7).lit_permille > 990);
    assert_eq!(phase(4, 8, 18).phase, MoonPhase::New);
    assert_eq!(phase(4, 15, 19).phase, MoonPhase::FirstQuarter);
}

#[test]
fn intercalary_days_are_outside_months_and_weeks() {
    let calendar = built_in("short-year", date(1, 1, 1, 0));
    let number = |month, day| calendar.day(calendar.game_time(&date(3, month, day, 0)).unwrap());
    let (last, between, first) = (number(1, 22), number(1, 23), number(2, 1));
    assert_eq!([last.number + 1, between.number + 1], [between.number, first.number]);
    assert_eq!((between.intercalary, between.weekday), (Some(0), None));
    assert_eq!(calendar.day_name(&between), "Sowing Day");
    assert_eq!(calendar.day_name(&first), "1 Leaf");
    assert_eq!((last.weekday.unwrap() + 1) % 5, first.weekday.unwrap());
    // Each third year but no thirtieth has a day more.
    let days = |year| calendar.day_of_number(calendar.rules().years.number(year, 1, 1)).year_days;
    assert_eq!([days(1), days(3), days(-3), days(30), days(33)], [92, 93, 93, 92, 93]);
    let stray = calendar.game_time(&date(3, 4, 24, 19)).unwrap();
    assert_eq!(calendar.at(stray.plus_us(GameTime::HOUR_US)), date(4, 1, 1, 0));
    assert!(calendar.game_time(&date(4, 4, 24, 0)).is_err());
    assert!(calendar.game_time(&date(3, 4, 24, 20)).is_err());
}

#[test]
fn two_moons_keep_their_own_time() {
    let calendar = built_in("twin-moons", date(1, 1, 1, 0));
    let phases = |days: i64| {
        let at = calendar.day_begins(calendar.day_number(GameTime(0)) + days).unwrap();
        calendar.moons(at).map(|(moon, state)| (moon.name.clone(), state.phase)).collect::<Vec<_>>()
    };
    assert_eq!(phases(0)[0], ("Selva".to_owned(), MoonPhase::New));
    assert_eq!(phases(0)[1], ("Orrin".to_owned(), MoonPhase::Full));
    assert_eq!(phases(15)[0].1, MoonPhase::Full);
    assert_eq!(phases(45)[1].1, MoonPhase::Full);
    let state = calendar.moons(GameTime(0)).map(|(_, s)| s.lit_permille).collect::<Vec<_>>();
    assert_eq!(state, [0, 1000]);
}

#[test]
fn wrong_fields_are_named_with_what_was_expected() {
    let wish = |hour, day, month| SetTime { hour, day, month, ..SetTime::default() };
    let error = |wish| calendar().resolve(GameTime(0), &wish).unwrap_err().to_string();
    assert_eq!(error(wish(25, None, None)), "hour: expected a number from 0 to 23, found 25");
    assert_eq!(
        error(wish(1, Some(30), Some(2))),
        "day: expected a day from 1 to 29, the length of 2024-02, found 30"
    );
    assert_eq!(error(wish(1, None, Some(13))), "month: expected a number from 1 to 12, found 13");
    let far = SetTime { year: Some(i64::MAX), ..SetTime::default() };
    assert!(error(far).starts_with("year: expected"));
    let minute = SetTime { minute: Some(-1), ..SetTime::default() };
    assert_eq!(error(minute), "minute: expected a number from 0 to 59, found -1");
    let short = built_in("short-year", date(1, 1, 1, 0));
    let error = short.resolve(GameTime(0), &wish(1, Some(24), Some(1))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "day: expected a day from 1 to 23, the length of 0001-01 and of what follows it, found 24"
    );
}

#[test]
fn what_a_wish_leaves_out_is_today() {
    let wish = SetTime { hour: 5, ..SetTime::default() };
    let game = calendar().resolve(GameTime::from_hours(30), &wish).unwrap();
    assert_eq!(calendar().at(game), date(2024, 3, 2, 5));
}

#[test]
fn phases_begin_at_five_seven_eighteen_and_twenty() {
    let calendar = calendar();
    let at = |hour| calendar.phase(calendar.game_time(&date(2024, 3, 1, hour)).unwrap()).name();
    let names: Vec<_> = (0..24).map(at).collect();
    assert_eq!(names[4..8], ["night", "dawn", "dawn", "day"]);
    assert_eq!(names[17..21], ["day", "dusk", "dusk", "night"]);
    assert_eq!(names[0], "night");
    for minute in 0..3 * 1440 {
        let game = GameTime::from_minutes(minute);
        assert_eq!(calendar.phase(game).name(), names[usize::from(calendar.at(game).hour)]);
    }
}

#[test]
fn seasons_are_opposite_in_the_south() {
    let by_month = |month: u8, half| {
        let shift = if half == Hemisphere::South { 2 } else { 0 };
        Season::ALL[((usize::from(month) + 9) % 12 / 3 + shift) % 4]
    };
    assert_eq!(by_month(1, Hemisphere::North), Season::Winter);
    assert_eq!(by_month(3, Hemisphere::North), Season::Spring);
    assert_eq!(by_month(8, Hemisphere::North), Season::Summer);
    assert_eq!(by_month(12, Hemisphere::South), Season::Summer);
    assert_eq!(by_month(11, Hemisphere::South), Season::Spring);
    let calendar = calendar();
    for day in 0..800 {
        let game = GameTime(day * GameTime::DAY_US);
        for half in [Hemisphere::North, Hemisphere::South] {
            let by_month = by_month(calendar.at(game).month, half);
            assert_eq!(calendar.season(game, half).kind, Some(by_month));
        }
    }
}

/// What the Gregorian calendar was computed by before it was data: Howard Hinnant's
/// "chrono-compatible low-level date algorithms".
fn gregorian(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let (era, doe) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let day_of_year = doe - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * march_month + 2) / 5 + 1) as u8;
    let month = ((march_month + 2) % 12 + 1) as u8;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

/// Years either way that claims are made about.
const YEARS: i64 = 250_000;

proptest! {
    #[test]
    fn gregorian_dates_are_those_of_the_known_algorithm(days in -91_000_000..91_000_000_i64) {
        let calendar = Calendar::new(date(1970, 1, 1, 0)).unwrap();
        let day = calendar.day(GameTime(days * GameTime::DAY_US));
        prop_assert_eq!((day.year, day.month, day.day), gregorian(days));
        prop_assert_eq!(i64::from(day.weekday.unwrap()), (days + 3).rem_euclid(7));
    }

    #[test]
    fn dates_of_every_calendar_round_trip_and_rise_over_a_quarter_of_a_million_years(
        name in prop::sample::select(&NAMES[..]),
        part in -1.0..1.0_f64,
    ) {
        let calendar = built_in(name, date(1024, 3, 1, 6));
        let year_days = f64::from(calendar.day(GameTime(0)).year_days);
        let reach = YEARS as f64 * year_days * calendar.day_us() as f64 / 1e6;
        let game = GameTime::from_seconds((part * reach) as i64);
        let date = calendar.at(game);
        prop_assert_eq!(calendar.game_time(&date), Ok(game));
        prop_assert!(calendar.at(game.plus_us(GameTime::SECOND_US)) > date);
        prop_assert_eq!(calendar.day_begins(calendar.day_number(game)),
            Some(game.plus_us(-calendar.time_of_day_us(game))));
    }

    #[test]
    fn each_day_of_every_calendar_follows_the_one_before(
        name in prop::sample::select(&NAMES[..]),
        year in -YEARS..YEARS,
        ahead in 0..400_i64,
    ) {
        let calendar = built_in(name, date(1024, 3, 1, 6));
        let number = calendar.rules().years.number(year as i32, 1, 1) + ahead;
        let (today, next) = (calendar.day_of_number(number), calendar.day_of_number(number + 1));
        let same = (next.year, next.month, next.day) == (today.year, today.month, today.day + 1);
        let (days, more) = calendar.rules().years.month_days(today.year, today.month);
        let month = next.day == 1 && today.day == days + more
            && (next.month == today.month + 1 || (next.month == 1 && next.year == today.year + 1));
        prop_assert!(same || month, "{:?} {:?}", today, next);
        prop_assert_eq!(next.day_of_year == 1, today.day_of_year == today.year_days);
        // Weeks go on behind days that are outside of them.
        let week = calendar.rules().weekdays.len() as u8;
        let last = (0..9).find_map(|back| calendar.day_of_number(number - back).weekday);
        if let Some(weekday) = next.weekday {
            prop_assert_eq!(weekday, (last.unwrap() + 1) % week);
        }
    }
}

#[test]
fn text_of_a_date_is_read_as_it_is_written() {
    let read = |text: &str| text.parse::<DateTime>().map(|date| date.to_string());
    for text in [
        "2024-03-01T06:07:08",
        "-1234-40-90T29:59:59",
        "-0005-06-16T00:00:00",
        "0000-01-01T00:00:00",
    ] {
        assert_eq!(read(text).as_deref(), Ok(text));
    }
    assert_eq!(read("2024-03-01").as_deref(), Ok("2024-03-01T00:00:00"));
    assert_eq!(read("2024-03-01T06:30").as_deref(), Ok("2024-03-01T06:30:00"));
    for text in [
        "",
        "T",
        "2024-03",
        "2024-03-01T",
        "2024-03-01T06",
        "2024-03-01T6:",
        "2024-03-256",
        "2024-+3-01",
        "--1-03-01",
        "99999999999-01-01",
        "2024-03-01T06:00:00Z",
        "2024-03-01 06:00",
        "2024-03-01T06:00:00:00",
    ] {
        assert_eq!(read(text), Err(super::NoDate), "{text}");
    }
}

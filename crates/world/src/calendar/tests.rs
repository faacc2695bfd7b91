//! Claims about the calendar.

use proptest::prelude::*;

use super::*;

fn date(year: i32, month: u8, day: u8, hour: u8) -> DateTime {
    DateTime { year, month, day, hour, minute: 0, second: 0 }
}

fn calendar() -> Calendar {
    Calendar::new(date(2024, 3, 1, 6)).unwrap()
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
}

#[test]
fn what_a_wish_leaves_out_is_today() {
    let wish = SetTime { hour: 5, ..SetTime::default() };
    let game = calendar().resolve(GameTime::from_hours(30), &wish).unwrap();
    assert_eq!(calendar().at(game), date(2024, 3, 2, 5));
}

#[test]
fn phases_begin_at_five_seven_eighteen_and_twenty() {
    let names: Vec<_> = (0..24).map(|h| Phase::at_hour(h).name()).collect();
    assert_eq!(names[4..8], ["night", "dawn", "dawn", "day"]);
    assert_eq!(names[17..21], ["day", "dusk", "dusk", "night"]);
    assert_eq!(names[0], "night");
}

#[test]
fn seasons_are_opposite_in_the_south() {
    assert_eq!(Season::at_month(1, Hemisphere::North), Season::Winter);
    assert_eq!(Season::at_month(3, Hemisphere::North), Season::Spring);
    assert_eq!(Season::at_month(8, Hemisphere::North), Season::Summer);
    assert_eq!(Season::at_month(12, Hemisphere::South), Season::Summer);
    assert_eq!(Season::at_month(11, Hemisphere::South), Season::Spring);
}

proptest! {
    #[test]
    fn dates_round_trip_over_a_quarter_of_a_million_years(
        seconds in -7_889_400_000_000..7_889_400_000_000_i64,
    ) {
        let game = GameTime::from_seconds(seconds);
        let date = calendar().at(game);
        prop_assert_eq!(calendar().game_time(&date), Ok(game));
        prop_assert!(calendar().at(game.plus_us(GameTime::SECOND_US)) > date);
    }

    #[test]
    fn next_day_is_the_next_of_its_month_or_the_first(days in -91_000_000..91_000_000_i64) {
        let at = |d: i64| calendar().at(GameTime::from_hours(d * 24));
        let (today, next) = (at(days), at(days + 1));
        let same = next.month == today.month && next.day == today.day + 1;
        let first = next.day == 1 && today.day == days_in_month(today.year, today.month);
        prop_assert!(same || first);
    }
}

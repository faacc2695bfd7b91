//! Claims about schedules: what is read, when it is due, and where a fault is found.

use super::*;
use crate::World;
use crate::calendar::{CalendarRules, DateTime};

/// Friday, 2024-03-01, 06:00 is game time 0 of the sample world.
fn plan(text: &str) -> Plan {
    Plan::parse(text, GameTime(0), &World::sample().calendar()).unwrap_or_else(|e| {
        panic!("{text}: {e}");
    })
}

fn first(text: &str, count: usize) -> Vec<String> {
    let (plan, calendar) = (plan(text), World::sample().calendar());
    let mut from = GameTime(0);
    let mut all = Vec::new();
    while let Some(due) = plan.next(from, &calendar).filter(|_| all.len() < count) {
        let date = calendar.at(due).to_string();
        all.push(date[..16].to_owned());
        from = due.plus_us(1);
    }
    all
}

#[test]
fn each_form_is_due_when_it_states() {
    let cases: [(&str, &[&str]); 20] = [
        ("in 3 hours", &["2024-03-01T09:00"]),
        ("in 3 game hours", &["2024-03-01T09:00"]),
        ("in 1 day and 30 minutes", &["2024-03-02T06:30"]),
        ("in 1 week 1 hour", &["2024-03-08T07:00"]),
        ("at 06:30", &["2024-03-01T06:30"]),
        ("at 06:00", &["2024-03-02T06:00"]),
        ("at noon", &["2024-03-01T12:00"]),
        ("at 2024-05-01", &["2024-05-01T00:00"]),
        ("at 2024-05-01 dusk", &["2024-05-01T18:00"]),
        ("at 2024-05-01T06:30", &["2024-05-01T06:30"]),
        ("at 2024-05-01T06:30:00", &["2024-05-01T06:30"]),
        ("every month on day 30", &["2024-03-30T00:00", "2024-04-30T00:00", "2024-05-30T00:00"]),
        ("every 2 hours", &["2024-03-01T08:00", "2024-03-01T10:00"]),
        ("every hour", &["2024-03-01T07:00", "2024-03-01T08:00"]),
        ("every day 06:30", &["2024-03-01T06:30", "2024-03-02T06:30"]),
        ("Every Day at 5:00", &["2024-03-02T05:00", "2024-03-03T05:00"]),
        ("dusk each Monday", &["2024-03-04T18:00", "2024-03-11T18:00"]),
        ("sunday noon", &["2024-03-03T12:00", "2024-03-10T12:00"]),
        ("midnight every month on day 31", &["2024-03-31T00:00", "2024-05-31T00:00"]),
        ("every month", &["2024-04-01T00:00", "2024-05-01T00:00"]),
    ];
    for (text, due) in cases {
        assert_eq!(first(text, due.len().max(if plan(text).is_once() { 2 } else { 0 })), due);
    }
}

#[test]
fn name_of_a_day_may_be_written_with_spaces_or_without() {
    let rules = CalendarRules::built_in("twin-moons").unwrap();
    let epoch = DateTime { year: 901, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    let calendar = Calendar::with_rules(rules, epoch).unwrap();
    let plan = |text| Plan::parse(text, GameTime(0), &calendar);
    let market = plan("dusk each marketday").unwrap();
    assert!(matches!(market, Plan::Days { days: Days::Weekday(2), .. }), "{market:?}");
    assert_eq!(plan("dusk each market day"), Ok(market));
    assert_eq!(plan("greatmarket noon"), plan("Great Market at noon"));
    // The longest name that fits: `market` alone is not one.
    let error = plan("dusk each market").unwrap_err();
    assert_eq!((error.at, error.length), (10, 6), "{error}");
    assert_eq!(plan("dusk each market daydream").unwrap_err().at, 10);
}

#[test]
fn fault_is_found_where_it_is() {
    let cases = [
        ("", 0, 1, "in 3 hours"),
        ("sometimes", 0, 9, "in 3 hours"),
        ("in", 2, 1, "a number of minutes"),
        ("in three hours", 3, 5, "a number of minutes"),
        ("in 3 moons", 5, 5, "`minutes`, `hours`"),
        ("in 0 hours", 3, 1, "from a minute"),
        ("in 9999999999999 weeks", 3, 13, "from a minute"),
        ("in 3 hours later", 11, 5, "nothing more"),
        ("at 25:00", 3, 5, "from 0:00 to 23:59"),
        ("at 2024-02-30", 3, 10, "a day from 1 to 29"),
        ("at 2023-02-20 06:00", 3, 10, "a time to come (it is 2024-03-01T06:00:00)"),
        ("at teatime", 3, 7, "a date such as"),
        ("every", 5, 1, "`day`, `month on day 15`"),
        ("every moonday", 6, 7, "Monday, Tuesday"),
        ("every day at", 12, 1, "a time of day such as 06:30"),
        ("every day 6.30", 10, 4, "a time of day such as 06:30"),
        ("every month on day 0", 19, 1, "a day of the month, 1 to 31"),
        ("every month on day 40", 19, 2, "a day of the month, 1 to 31"),
        ("every month on day 400", 19, 3, "a day of the month, 1 to 31"),
        ("at 2024-05-01T25:30", 14, 5, "from 0:00 to 23:59"),
        ("at 2024-05-01T", 14, 1, "a time of day such as 06:30"),
        ("at 2024-05-01T06:30:61", 14, 8, "from 0:00 to 23:59"),
        ("dusk", 4, 1, "`each` or `every`"),
        ("dusk each", 9, 1, "Monday"),
        ("every 0 minutes", 6, 1, "from a minute"),
        ("тьма", 0, 4, "in 3 hours"),
    ];
    for (text, at, length, expected) in cases {
        let error = Plan::parse(text, GameTime(0), &World::sample().calendar()).unwrap_err();
        assert_eq!((error.at, error.length), (at, length), "{text}: {error}");
        assert!(error.expected.contains(expected), "{text}: {error}");
    }
    let long = "every ".repeat(50);
    let error = Plan::parse(&long, GameTime(0), &World::sample().calendar()).unwrap_err();
    assert!(error.expected.contains("at most 200 bytes"));
}

#[test]
fn what_is_kept_is_read_again_as_it_was() {
    for text in ["in 3 hours", "every 2 hours", "dusk each monday", "every month on day 3"] {
        let kept = serde_json::to_string(&plan(text)).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&kept).unwrap(), plan(text), "{kept}");
    }
}

#[test]
fn no_step_and_no_fitting_day_are_never_due() {
    let calendar = World::sample().calendar();
    let stuck = Plan::Every { first: GameTime(0), step_us: 0 };
    assert_eq!(stuck.next(GameTime(5), &calendar), None);
    let none = Plan::Days { days: Days::MonthDay(99), at_us: 0 };
    assert_eq!(none.next(GameTime(5), &calendar), None);
    assert_eq!(none.next(GameTime(i64::MAX - 1), &calendar), None);
}

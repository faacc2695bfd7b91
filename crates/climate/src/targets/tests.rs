//! The file round-trips, and what is wrong in it is reported by line.

use super::*;
use crate::observations::Day;

fn targets() -> Targets {
    let day = |n: u8| Day {
        year: 2001,
        month: 1,
        day: n,
        tmin_c: -f64::from(n) / 3.0,
        tmax_c: 4.0,
        precip_mm: Some(f64::from(n % 3)),
    };
    let place =
        Place { name: "here".into(), source: "us".into(), latitude: 50.8, elevation_m: 100.0 };
    Targets::of(&Record::of_days((1..=31).map(day).collect()), place)
}

#[test]
fn text_is_read_back_as_it_was_but_for_rounding() {
    let targets = targets();
    let again = Targets::parse("t.toml", &targets.to_text()).unwrap();
    assert_eq!(again.to_text(), targets.to_text());
    assert_eq!((again.days, again.years), (31, 1));
    let (before, after) =
        (targets.figures.year("diurnal_range"), again.figures.year("diurnal_range"));
    assert!((before.unwrap() - after.unwrap()).abs() < 0.01);
    assert!(again.figures.months("tmax_month").unwrap()[1].is_nan(), "no day in February");
}

#[test]
fn mistakes_are_reported_by_line() {
    let text = targets().to_text();
    let cases = [
        (text.replace("latitude", "lattitude"), "t.toml:4: unknown field `lattitude`"),
        (text.replace("years = 1", "years = 0"), "t.toml:6: years: expected 1 or more, found 0"),
        (
            text.clone() + "x = { value = [1.0, 2.0] }\n",
            "figures.x: expected a value or twelve, found 2",
        ),
        (text.clone() + "x = { value = [inf] }\n", "figures.x: expected a finite number"),
        (
            text.clone() + "x = { value = [1.0], error = [1.0, 2.0] }\n",
            "expected 1 errors, found 2",
        ),
        (
            text.clone() + "x = { value = [1.0], error = [-1.0] }\n",
            "expected a finite number, found -1",
        ),
        (text + "x = 3\n", "invalid type: integer"),
    ];
    for (text, message) in cases {
        let error = Targets::parse("t.toml", &text).unwrap_err().to_string();
        assert!(error.starts_with("t.toml:") && error.contains(message), "{error}");
        assert!(!error.starts_with("t.toml:1:"), "{error}");
    }
}

//! The fields of a payload in the words and units of people: `temperature=12.3°C` instead of
//! `temperature_decicelsius=123`, `new_state=mist`, `expected_end=+3h20m`.
//!
//! The unit stands at the end of a field's name (docs/reference/contract.md), so that a studio's
//! own types are shown the same way. For reading only: JSON has the exact fields.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use worldbus_world::Year;

/// Suffix of the name, how many of its units make one that people read, decimals, and that unit.
const UNITS: [(&str, f64, usize, &str); 12] = [
    ("_decicelsius", 10.0, 1, "°C"),
    ("_centidegrees", 100.0, 1, "°"),
    ("_degrees", 1.0, 0, "°"),
    ("_permille", 10.0, 0, "%"),
    ("_dmps", 10.0, 1, "m/s"),
    ("_umph", 1000.0, 1, "mm/h"),
    ("_dhpa", 10.0, 1, "hPa"),
    ("_mm", 1.0, 0, "mm"),
    ("_um", 1000.0, 1, "mm"),
    ("_km", 1.0, 0, "km"),
    ("_ms", 1.0, 0, "ms"),
    ("_m", 1.0, 0, "m"),
];
const GAME_INSTANT: &str = "game_us";
const GAME_SPAN: &str = "_game_seconds";
const US: i64 = 1_000_000;

/// Appends `name=value` of one field; `now_us` is the game time now, if it is known.
pub(super) fn field(out: &mut String, name: &str, value: &Value, now_us: Option<i64>) {
    // Writing to a String cannot fail.
    let _ = match readable(name, value, now_us) {
        Some((name, value)) => write!(out, "{name}={value}"),
        None => write!(out, "{name}={}", plain(value)),
    };
}

/// The name without its unit, and the value with one.
fn readable<'a>(name: &'a str, value: &Value, now_us: Option<i64>) -> Option<(&'a str, String)> {
    if let Some(name) = game_instant(name) {
        // Without a clock since the world's epoch.
        let since = if now_us.is_some() { "" } else { "epoch" };
        let us = integer(value)?.checked_sub(now_us.unwrap_or(0))?;
        let sign = if us <= -US { '-' } else { '+' };
        return Some((name, format!("{since}{sign}{}", span(us.unsigned_abs() / US as u64))));
    }
    if let Some(name) = name.strip_suffix(GAME_SPAN) {
        return Some((name, span(u64::try_from(integer(value)?).ok()?)));
    }
    let (name, &(_, parts, decimals, unit)) = UNITS
        .iter()
        .find_map(|unit| Some((name.strip_suffix(unit.0)?, unit)))
        .filter(|(name, _)| !name.is_empty())?;
    let number = value.as_f64().or_else(|| integer(value).map(|value| value as f64))?;
    Some((name, format!("{:.decimals$}{unit}", number / parts)))
}

/// `onset` of `onset_game_us`, and `game` of `game_us`.
fn game_instant(name: &str) -> Option<&str> {
    match name.strip_suffix(GAME_INSTANT)? {
        "" => Some("game"),
        name => name.strip_suffix('_'),
    }
}

/// Seconds as `3h20m`, `45m` or `30s`. Hours are the largest unit: days are the calendar's.
fn span(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    }
}

/// 64-bit integers are texts in proto3 JSON.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// A value without the quotes of JSON: a date as a date, `{a=1 b=2}`, `[x y]`.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => date(fields).unwrap_or_else(|| {
            let mut out = String::from("{");
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { " " });
                field(&mut out, name, value, None);
            }
            out + "}"
        }),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            format!("[{}]", values.join(" "))
        }
        other => other.to_string(),
    }
}

fn date(fields: &Map<String, Value>) -> Option<String> {
    let part = |name: &str| fields.get(name)?.as_i64();
    let (year, month, day) = (part("year")?, part("month")?, part("day")?);
    (fields.len() == 3).then(|| format!("{}-{month:02}-{day:02}", Year(year)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(name: &str, value: Value, now_us: Option<i64>) -> String {
        let mut out = String::new();
        field(&mut out, name, &value, now_us);
        out
    }

    #[test]
    fn units_of_names_become_units_of_people() {
        for (name, value, expected) in [
            ("temperature_decicelsius", json!(-3), "temperature=-0.3°C"),
            ("wind_speed_dmps", json!(125), "wind_speed=12.5m/s"),
            ("relative_humidity_permille", json!(840), "relative_humidity=84%"),
            ("precipitation_rate_umph", json!(1240), "precipitation_rate=1.2mm/h"),
            ("pressure_dhpa", json!(10132), "pressure=1013.2hPa"),
            ("visibility_m", json!(800), "visibility=800m"),
            ("sun_altitude_centidegrees", json!(-633), "sun_altitude=-6.3°"),
            ("fade_in_game_seconds", json!(5400), "fade_in=1h30m"),
            ("hour", json!(7), "hour=7"),
            ("date", json!({"year": 2024, "month": 3, "day": 1}), "date=2024-03-01"),
            ("date", json!({"year": -5, "month": 6, "day": 16}), "date=-0005-06-16"),
            ("_m", json!(1), "_m=1"),
            ("note_m", json!("text"), "note_m=text"),
        ] {
            assert_eq!(shown(name, value, None), expected);
        }
    }

    #[test]
    fn lists_and_messages_within_have_units_of_people_too() {
        let moons = json!([{"cycle_permille": 546, "moon": "Selene"}, {"moon": "Mani"}]);
        let shown = shown("moons", moons, None);
        assert_eq!(shown, "moons=[{cycle=55% moon=Selene} {moon=Mani}]");
        assert_eq!(super::plain(&json!(["a", 1])), "[a 1]");
    }

    #[test]
    fn game_instants_are_relative_to_the_game_clock_once_it_is_known() {
        let value = || json!("7200000000");
        assert_eq!(shown("onset_game_us", value(), Some(600_000_000)), "onset=+1h50m");
        assert_eq!(shown("onset_game_us", value(), Some(7_230_000_000)), "onset=-30s");
        assert_eq!(shown("onset_game_us", value(), None), "onset=epoch+2h");
        assert_eq!(shown("onset_game_us", value(), Some(7_200_000_001)), "onset=+0s");
        assert_eq!(shown("game_us", json!("-60000000"), None), "game=epoch-1m");
        assert_eq!(shown("endgame_us", json!("5"), None), "endgame_us=5");
        let far = json!(i64::MIN.to_string());
        assert_eq!(shown("a_game_us", far, Some(1)), format!("a_game_us={}", i64::MIN));
    }
}

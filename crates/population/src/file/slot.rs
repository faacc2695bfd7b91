//! A slot of a routine as people write it: `06:30 eat`, `sunrise+30 work field if fair`,
//! `17:00 free`. Not here: whether slots fit each other (`roles`).

use super::texts::{minute, shown};
use crate::activity::Activity;
use crate::routine::{At, Does, Mark, SkyIs, Slot};
use worldbus_world::WeatherState;

const FORM: &str = "TIME ACTIVITY [KIND] [if WEATHER]";
const MARKS: [(&str, Mark); 5] = [
    ("dawn", Mark::Dawn),
    ("sunrise", Mark::Sunrise),
    ("noon", Mark::Noon),
    ("sunset", Mark::Sunset),
    ("dusk", Mark::Dusk),
];
/// Minutes that a slot may be before or after an instant of the sun.
const LATER_MINUTES_MAX: i64 = 720;

/// A slot; `day` is hours and minutes of the calendar.
pub(super) fn read(text: &str, kinds: &[String], day: (i64, i64)) -> Result<Slot, String> {
    let (text, only_if) = match text.split_once(" if ") {
        Some((text, sky)) => (text, Some(condition(sky.trim())?)),
        None => (text, None),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (at, does, kind) = match words[..] {
        [at, does] => (at, does, None),
        [at, does, kind] => (at, does, Some(kind)),
        _ => return Err(format!("expected {FORM}, found {:?}", shown(text))),
    };
    let (at, does) = (time(at, day)?, activity(does)?);
    let kind = kind.map(|name| {
        let known = kinds.iter().position(|kind| kind == name);
        known.ok_or_else(|| {
            format!("expected a kind of places ({}), found {:?}", kinds.join(", "), shown(name))
        })
    });
    let kind = kind.transpose()?;
    if does == Does::Free && kind.is_some() {
        return Err("expected no kind of place behind free, found one".to_owned());
    }
    Ok(Slot { at, does, kind, only_if })
}

fn time(text: &str, day: (i64, i64)) -> Result<At, String> {
    if let Some(minute) = minute(text, day).filter(|minute| *minute < day.0 * day.1) {
        return Ok(At::Clock(minute));
    }
    let wrong = || {
        format!(
            "expected a time such as 06:30, sunrise or sunset-45, found {:?} (of the sun: dawn, \
             sunrise, noon, sunset, dusk, and up to {LATER_MINUTES_MAX} minutes around them)",
            shown(text)
        )
    };
    let found = MARKS.iter().find_map(|(name, mark)| Some((*mark, text.strip_prefix(name)?)));
    let (mark, later) = found.ok_or_else(wrong)?;
    if later.is_empty() {
        return Ok(At::Sun(mark, 0));
    }
    let signed = later.starts_with(['+', '-']);
    let minutes = later.parse::<i64>().ok().filter(|_| signed);
    let minutes = minutes.filter(|minutes| minutes.abs() <= LATER_MINUTES_MAX);
    Ok(At::Sun(mark, minutes.ok_or_else(wrong)?))
}

fn activity(text: &str) -> Result<Does, String> {
    if text == "free" {
        return Ok(Does::Free);
    }
    let activity: Activity = text.parse().map_err(|error| format!("{error}, or free"))?;
    match activity {
        Activity::Travel | Activity::Shelter => {
            Err(format!("expected what one does at a place, found {activity}: it comes by itself"))
        }
        _ => Ok(Does::One(activity)),
    }
}

fn condition(text: &str) -> Result<SkyIs, String> {
    match text {
        "fair" => Ok(SkyIs::Fair),
        "wet" => Ok(SkyIs::Wet),
        "snowy" => Ok(SkyIs::Snowy),
        _ => text.parse::<WeatherState>().map(SkyIs::State).map_err(|error| {
            format!(
                "expected fair, wet or snowy; or {}",
                error.to_string().replace("expected ", "")
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: (i64, i64) = (24, 60);

    fn slot(text: &str) -> Result<Slot, String> {
        read(text, &["home".to_owned(), "field".to_owned()], DAY)
    }

    #[test]
    fn slots_are_by_the_clock_or_the_sun_with_a_kind_and_a_condition() {
        let plain =
            Slot { at: At::Clock(390), does: Does::One(Activity::Eat), kind: None, only_if: None };
        assert_eq!(slot("06:30 eat"), Ok(plain.clone()));
        let field = Slot {
            at: At::Sun(Mark::Sunrise, 30),
            does: Does::One(Activity::Work),
            kind: Some(1),
            only_if: Some(SkyIs::Fair),
        };
        assert_eq!(slot("sunrise+30 work field if fair"), Ok(field));
        assert_eq!(slot("sunset-45 free").unwrap().at, At::Sun(Mark::Sunset, -45));
        let storm = slot("6:30 eat if storm").unwrap();
        assert_eq!(storm.only_if, Some(SkyIs::State(WeatherState::Storm)));
    }

    #[test]
    fn what_is_no_slot_states_what_was_expected() {
        for (text, wanted) in [
            ("", "expected TIME ACTIVITY"),
            ("06:30", "expected TIME ACTIVITY"),
            ("24:00 eat", "expected a time"),
            ("6:60 eat", "expected a time"),
            ("sunrise30 eat", "expected a time"),
            ("sunrise+9999 eat", "expected a time"),
            ("06:30 fly", "expected an activity"),
            ("06:30 travel", "it comes by itself"),
            ("06:30 work mine", "expected a kind of places (home, field), found \"mine\""),
            ("06:30 free field", "expected no kind"),
            ("06:30 eat if hungry", "expected fair, wet or snowy; or a weather state"),
        ] {
            let error = slot(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}

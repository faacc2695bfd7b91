//! The calendar that a world file names or describes, and the date that its game time begins at.
//! Not here: what a calendar's table states (`calendar::parse`).

use toml::de::DeValue;
use toml::value::Datetime;

use crate::calendar::{Calendar, CalendarRules, DateTime, KEYS, NAMES, parse_table, with_holidays};
use crate::source::{self, Table, WorldFileError};

/// Reads `calendar`, by default Gregorian, the `holidays` that are added to it, and `epoch`.
pub(super) fn calendar(root: &mut Table<'_>) -> Result<Calendar, WorldFileError> {
    let rules = if !root.has("calendar") {
        CalendarRules::gregorian()
    } else if root.spanned("calendar")?.get_ref().is_table() {
        parse_table(root.table("calendar", KEYS)?)?.into()
    } else {
        root.with("calendar", |value| {
            let known = value.as_str().and_then(CalendarRules::built_in);
            let wanted =
                || format!("one of the calendars {}, or a table [calendar]", NAMES.join(", "));
            known.ok_or_else(|| source::expected(&wanted(), value))
        })?
    };
    let rules = with_holidays(root, rules)?;
    root.with("epoch", |value| {
        let epoch = epoch(value).ok_or_else(|| source::expected(WANTED, value))?;
        Calendar::with_rules(rules, epoch).map_err(|e| e.to_string())
    })
}

const WANTED: &str = "a local date and whole hour such as 2024-03-01T06:00:00, as a text where \
                      Earth has no such date";

fn epoch(value: &DeValue<'_>) -> Option<DateTime> {
    match value.as_str() {
        Some(text) => of_text(text),
        None => of_datetime(value.as_datetime()?),
    }
}

fn of_datetime(value: &Datetime) -> Option<DateTime> {
    let (date, time) = (value.date?, value.time?);
    let whole =
        time.minute == 0 && time.second.unwrap_or(0) == 0 && time.nanosecond.unwrap_or(0) == 0;
    let (year, month, day) = (i32::from(date.year), date.month, date.day);
    let epoch = DateTime { year, month, day, hour: time.hour, minute: 0, second: 0 };
    (whole && value.offset.is_none()).then_some(epoch)
}

/// The same form without a limit of months, days and hours, and with years below 0.
fn of_text(text: &str) -> Option<DateTime> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let year: i32 = date.next()?.parse().ok()?;
    let (month, day) = (date.next()?.parse().ok()?, date.next()?.parse().ok()?);
    let (hour, rest) = time.split_once(':')?;
    let whole = rest.split(':').all(|part| part == "00");
    let year = if negative { -year } else { year };
    let epoch = DateTime { year, month, day, hour: hour.parse().ok()?, minute: 0, second: 0 };
    whole.then_some(epoch)
}

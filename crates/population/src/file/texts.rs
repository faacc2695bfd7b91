//! Lists of texts in a table, each read into something, with an error at its own place.

use worldbus_world::WorldFileError;
use worldbus_world::source::{Table, expected};

/// The texts of a list, 1 to `count_max`, each made into something by `read`.
pub(super) fn list<T>(
    table: &mut Table<'_>,
    key: &'static str,
    count_max: usize,
    mut read: impl FnMut(&str) -> Result<T, String>,
) -> Result<Vec<T>, WorldFileError> {
    let value = table.spanned(key)?;
    let wanted = format!("1 to {count_max} texts");
    let items = value.get_ref().as_array().filter(|a| (1..=count_max).contains(&a.len()));
    let items = items.ok_or_else(|| table.error(key, expected(&wanted, value.get_ref())))?;
    let item = |(at, item): (usize, &toml::Spanned<toml::de::DeValue<'_>>)| {
        let text = item.get_ref().as_str().ok_or_else(|| expected("a text", item.get_ref()));
        let read = text.and_then(&mut read);
        read.map_err(|message| table.error_at(item.span().start, &format!("{key}[{at}]"), message))
    };
    items.iter().enumerate().map(item).collect()
}

/// A minute of the day written as `06:30`; 24:00 is the end of a day of 24 hours.
pub(super) fn minute(text: &str, (hours, minutes): (i64, i64)) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * minutes + minute;
    (minute < minutes && total <= hours * minutes).then_some(total)
}

/// A text cut for an error.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

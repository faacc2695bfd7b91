//! A calendar from a table of TOML, checked: every mistake names file, line, key and what was
//! expected. Not here: what follows from the rules.

mod days;
mod feasts;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::holiday::Holiday;
use super::parts::{Intercalary, Leap, Month};
use super::rules::CalendarRules;
use super::years::{self, CYCLE_YEARS_MAX, Years};
use crate::source::{self, Keys, Source, Table, WorldFileError};

/// The calendars that are built in.
pub const NAMES: [&str; 3] = ["gregorian", "twin-moons", "short-year"];

const FILES: [&str; 3] = [
    include_str!("../../../../worlds/calendars/gregorian.toml"),
    include_str!("../../../../worlds/calendars/twin-moons.toml"),
    include_str!("../../../../worlds/calendars/short-year.toml"),
];

const NAME_CHARS_MAX: usize = 60;
/// Parts of a calendar of one kind: months, weekdays, holidays.
pub(super) const PART_COUNT_MAX: usize = 64;
/// Days of Earth's months.
const EARTH_DAYS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

pub(crate) const KEYS: Keys = &[
    "name",
    "hours_per_day",
    "minutes_per_hour",
    "months",
    "leap",
    "intercalary",
    "weekdays",
    "epoch_weekday",
    "eras",
    "seasons",
    "opposite_in_south",
    "moons",
    "holidays",
];

type Parsed<T> = Result<T, WorldFileError>;

impl CalendarRules {
    /// The Gregorian calendar.
    pub fn gregorian() -> Arc<Self> {
        #[expect(clippy::expect_used, reason = "it is the first of the names")]
        Self::built_in(NAMES[0]).expect("a name of the list")
    }

    /// A calendar that is built in, by one of [`NAMES`].
    pub fn built_in(name: &str) -> Option<Arc<Self>> {
        static ALL: LazyLock<[Arc<CalendarRules>; 3]> = LazyLock::new(|| {
            #[expect(clippy::expect_used, reason = "a test parses the very same texts")]
            core::array::from_fn(|i| {
                let file = format!("worlds/calendars/{}.toml", NAMES[i]);
                Arc::new(CalendarRules::parse(&file, FILES[i]).expect("a built-in calendar"))
            })
        });
        let index = NAMES.iter().position(|known| *known == name)?;
        Some(Arc::clone(&ALL[index]))
    }

    /// Parses the text of a calendar's file; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake, with file, line, key and what was expected.
    pub fn parse(file: &str, text: &str) -> Result<Self, WorldFileError> {
        let source = Source { file, text };
        let root = source.parse()?;
        table(Table::root(&source, &root, KEYS)?)
    }
}

/// A calendar that is a table.
pub(crate) fn table(mut table: Table<'_>) -> Parsed<CalendarRules> {
    let name = text(&mut table, "name")?;
    let hours_per_day = number_or(&mut table, "hours_per_day", 24, 1, 96)? as u8;
    let minutes_per_hour = number_or(&mut table, "minutes_per_hour", 60, 1, 240)? as u8;
    let minutes = u32::from(hours_per_day) * u32::from(minutes_per_hour);
    if minutes < 60 {
        let message = format!("expected a day of at least 60 minutes, found {minutes}");
        return Err(table.error("hours_per_day", message));
    }
    let months = days::months(&mut table)?;
    let leaps = days::leaps(&mut table, &months)?;
    let intercalary = days::intercalary(&mut table, &months)?;
    let (weekdays, first_weekday) = days::weekdays(&mut table)?;
    let cycle_years = cycle_years(&table, &leaps, &intercalary)?;
    let parts = (&*months, &*leaps, &*intercalary);
    let years = Years::new(parts, cycle_years, weekdays.len(), first_weekday);
    let earthly = months.iter().map(|m| m.days).eq(EARTH_DAYS) && intercalary.is_empty();
    let mut rules = CalendarRules {
        name,
        hours_per_day,
        minutes_per_hour,
        months,
        intercalary,
        weekdays,
        eras: days::eras(&mut table)?,
        seasons: Vec::new(),
        opposite_in_south: true,
        moons: Vec::new(),
        holidays: Vec::new(),
        years,
        twelve_months: earthly,
    };
    (rules.seasons, rules.opposite_in_south) = feasts::seasons(&mut table, &rules)?;
    rules.moons = feasts::moons(&mut table, &rules)?;
    rules.holidays = feasts::holidays(&mut table, &rules)?;
    table.finish()?;
    Ok(rules)
}

/// A calendar with the holidays of a table besides its own.
pub(crate) fn with_holidays(
    table: &mut Table<'_>,
    rules: Arc<CalendarRules>,
) -> Parsed<Arc<CalendarRules>> {
    let more = feasts::holidays(table, &rules)?;
    if more.is_empty() {
        return Ok(rules);
    }
    let taken = |holiday: &Holiday| more.iter().any(|other| other.id == holiday.id);
    if let Some(taken) = rules.holidays.iter().find(|holiday| taken(holiday)) {
        let message = format!("expected each id once, found {:?} in the calendar, too", taken.id);
        return Err(table.error("holidays", message));
    }
    let mut rules = CalendarRules::clone(&rules);
    rules.holidays.extend(more);
    Ok(Arc::new(rules))
}

fn cycle_years(table: &Table<'_>, leaps: &[Leap], days: &[Intercalary]) -> Parsed<i64> {
    let rules = || leaps.iter().map(|l| &l.rule).chain(days.iter().filter_map(|d| d.rule.as_ref()));
    years::cycle_years(rules()).ok_or_else(|| {
        let message = format!(
            "expected leap rules that repeat together within {CYCLE_YEARS_MAX} years; these do not"
        );
        let key = if leaps.is_empty() { "intercalary" } else { "leap" };
        table.error(key, message)
    })
}

fn text(table: &mut Table<'_>, key: &'static str) -> Parsed<String> {
    let wanted = format!("a text of 1 to {NAME_CHARS_MAX} characters");
    let fits = |s: &&str| (1..=NAME_CHARS_MAX).contains(&s.chars().count());
    table.with(key, |v| {
        v.as_str().filter(fits).map(str::to_owned).ok_or_else(|| source::expected(&wanted, v))
    })
}

fn number_or(
    table: &mut Table<'_>,
    key: &'static str,
    default: i64,
    min: i64,
    max: i64,
) -> Parsed<i64> {
    if table.has(key) { table.integer(key, min, max) } else { Ok(default) }
}

/// The tables of a key; none if it is not there.
fn tables<'a>(table: &mut Table<'a>, key: &'static str, keys: Keys) -> Parsed<Vec<Table<'a>>> {
    if table.has(key) { table.tables(key, keys, PART_COUNT_MAX) } else { Ok(Vec::new()) }
}

/// A name that no other has.
fn own(seen: &mut HashSet<String>, table: &Table<'_>, key: &str, name: &str) -> Parsed<()> {
    if seen.insert(name.to_owned()) {
        return Ok(());
    }
    Err(table.error(key, format!("expected each {key} once, found \"{name}\" again")))
}

/// One of the names that are known, by its place.
fn one_of<'n>(
    table: &mut Table<'_>,
    key: &'static str,
    what: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Parsed<u8> {
    table.with(key, |v| {
        let wanted = || {
            let known: Vec<&str> = names.clone().collect();
            if known.is_empty() {
                return format!("{what}, of which there are none");
            }
            format!("{what}, one of {}", known.join(", "))
        };
        let found = v.as_str().and_then(|found| names.clone().position(|name| name == found));
        found.map(|index| index as u8).ok_or_else(|| source::expected(&wanted(), v))
    })
}

fn month(table: &mut Table<'_>, key: &'static str, months: &[Month]) -> Parsed<u8> {
    one_of(table, key, "a month", months.iter().map(|month| month.name.as_str()))
}

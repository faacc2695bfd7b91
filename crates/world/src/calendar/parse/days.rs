//! Months, leap rules, intercalary days, weeks and eras of a calendar's table.

use std::collections::HashSet;

use super::{PART_COUNT_MAX, Parsed, month, number_or, own, tables, text};
use crate::calendar::parts::{Era, Intercalary, Leap, Month, YearRule};
use crate::calendar::years::CYCLE_YEARS_MAX;
use crate::source::{Table, expected};

/// Days of a month; with leap and intercalary days a date still fits.
const MONTH_DAYS_MAX: i64 = 120;
/// Days that one month may gain by leap rules, and intercalary days that may follow it.
const EXTRA_DAYS_MAX: usize = 60;
const YEAR_MAX: i64 = 280_000;

pub(super) fn months(table: &mut Table<'_>) -> Parsed<Vec<Month>> {
    let (mut months, mut seen) = (Vec::new(), HashSet::new());
    for mut table in table.tables("months", &["name", "days"], PART_COUNT_MAX)? {
        let name = text(&mut table, "name")?;
        own(&mut seen, &table, "name", &name)?;
        let days = table.integer("days", 1, MONTH_DAYS_MAX)? as u8;
        table.finish()?;
        months.push(Month { name, days });
    }
    if months.iter().map(|month| u32::from(month.days)).sum::<u32>() < 2 {
        return Err(table.error("months", "expected a year of 2 days at least".to_owned()));
    }
    Ok(months)
}

pub(super) fn leaps(table: &mut Table<'_>, months: &[Month]) -> Parsed<Vec<Leap>> {
    let mut leaps: Vec<Leap> = Vec::new();
    for mut table in tables(table, "leap", &["every", "except_every", "add_day_to"])? {
        let rule = year_rule(&mut table)?;
        let month = month(&mut table, "add_day_to", months)?;
        if leaps.iter().filter(|leap| leap.month == month).count() == EXTRA_DAYS_MAX {
            let message = format!("expected at most {EXTRA_DAYS_MAX} leap rules of one month");
            return Err(table.error("add_day_to", message));
        }
        table.finish()?;
        leaps.push(Leap { rule, month });
    }
    Ok(leaps)
}

pub(super) fn intercalary(table: &mut Table<'_>, months: &[Month]) -> Parsed<Vec<Intercalary>> {
    let (mut days, mut seen) = (Vec::<Intercalary>::new(), HashSet::new());
    for mut table in tables(table, "intercalary", &["name", "after", "every", "except_every"])? {
        let name = text(&mut table, "name")?;
        own(&mut seen, &table, "name", &name)?;
        let month = month(&mut table, "after", months)?;
        if days.iter().filter(|day| day.month == month).count() == EXTRA_DAYS_MAX {
            let message = format!("expected at most {EXTRA_DAYS_MAX} days after one month");
            return Err(table.error("after", message));
        }
        let rule = if table.has("every") { Some(year_rule(&mut table)?) } else { None };
        table.finish()?;
        days.push(Intercalary { name, month, rule });
    }
    Ok(days)
}

fn year_rule(table: &mut Table<'_>) -> Parsed<YearRule> {
    let every = table.integer("every", 1, CYCLE_YEARS_MAX)? as u32;
    let mut except_every = None;
    if table.has("except_every") {
        let except = table.integer("except_every", 1, CYCLE_YEARS_MAX)? as u32;
        if except == every || !except.is_multiple_of(every) {
            let message =
                format!("expected a multiple of every = {every} above it, found {except}");
            return Err(table.error("except_every", message));
        }
        except_every = Some(except);
    }
    Ok(YearRule { every, except_every })
}

/// The weekdays, and that of the first day of year 1.
pub(super) fn weekdays(table: &mut Table<'_>) -> Parsed<(Vec<String>, u8)> {
    if !table.has("weekdays") {
        return Ok((Vec::new(), 0));
    }
    let wanted = format!("1 to {PART_COUNT_MAX} names, each once");
    let names = table.with("weekdays", |v| {
        let array = v.as_array().filter(|a| (1..=PART_COUNT_MAX).contains(&a.len()));
        let names = array.and_then(|array| {
            let name = array.iter().map(|item| item.get_ref().as_str().filter(|s| !s.is_empty()));
            name.map(|name| name.map(str::to_owned)).collect::<Option<Vec<String>>>()
        });
        let names = names.ok_or_else(|| expected(&wanted, v))?;
        let twice = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name));
        match twice {
            Some((_, name)) => Err(format!("expected {wanted}, found \"{name}\" again")),
            None => Ok(names),
        }
    })?;
    let known = names.iter().map(String::as_str);
    let first = super::one_of(table, "epoch_weekday", "the weekday that year 1 begins on", known)?;
    Ok((names, first))
}

pub(super) fn eras(table: &mut Table<'_>) -> Parsed<Vec<Era>> {
    let (mut eras, mut seen) = (Vec::<Era>::new(), HashSet::new());
    for mut table in tables(table, "eras", &["name", "ends", "begins"])? {
        let name = text(&mut table, "name")?;
        own(&mut seen, &table, "name", &name)?;
        let backwards = table.has("ends");
        let key = if backwards { "ends" } else { "begins" };
        let year_one = number_or(&mut table, key, 1, -YEAR_MAX, YEAR_MAX)? as i32;
        if backwards && eras.iter().any(|era| era.backwards) {
            let message = "expected one era that is counted back from its end, found a second";
            return Err(table.error(key, message.to_owned()));
        }
        if eras.iter().any(|era| !era.backwards && !backwards && era.year_one == year_one) {
            let message = format!("expected a first year of its own, found {year_one} again");
            return Err(table.error(key, message));
        }
        table.finish()?;
        eras.push(Era { name, year_one, backwards });
    }
    eras.sort_by_key(|era| (!era.backwards, era.year_one));
    match &eras[..] {
        [back, next, ..] if back.backwards && next.year_one != back.year_one + 1 => {
            let message = format!(
                "expected {} to end in the year before the first of {}, {}",
                back.name, next.name, next.year_one
            );
            Err(table.error("eras", message))
        }
        _ => Ok(eras),
    }
}

//! Seasons, moons and holidays of a calendar's table.

use std::collections::HashSet;

use super::{Parsed, month, number_or, one_of, own, tables, text};
use crate::calendar::holiday::{Holiday, HolidayRule};
use crate::calendar::moon::{Moon, MoonPhase};
use crate::calendar::rules::CalendarRules;
use crate::calendar::season::{NamedSeason, Season};
use crate::source::{Keys, Table, expected};

/// Days that a holiday may last.
const HOLIDAY_DAYS_MAX: i64 = 30;
const PERIOD_DAYS_MAX: f64 = 100_000.0;
const HOLIDAY_KEYS: Keys =
    &["id", "name", "days", "intercalary", "moon", "phase", "month", "day", "weekday", "nth"];
/// Days of Earth's year before its seasons begin, as a calendar without seasons has them too.
const EARTH_SEASONS: [(i64, Season); 4] =
    [(59, Season::Spring), (151, Season::Summer), (243, Season::Autumn), (334, Season::Winter)];

/// The seasons, and whether the other hemisphere has the opposite ones.
pub(super) fn seasons(
    table: &mut Table<'_>,
    rules: &CalendarRules,
) -> Parsed<(Vec<NamedSeason>, bool)> {
    if !table.has("seasons") {
        return Ok((earth_seasons(rules), true));
    }
    let (mut seasons, mut seen) = (Vec::new(), HashSet::new());
    for mut table in tables(table, "seasons", &["id", "name", "month", "day"])? {
        let season = season(&mut table, rules)?;
        own(&mut seen, &table, "id", &season.id)?;
        let earlier = seasons
            .last()
            .is_some_and(|last: &NamedSeason| (last.month, last.day) >= (season.month, season.day));
        if earlier {
            let message = "expected seasons in the order of their first days in a year";
            return Err(table.error("month", message.to_owned()));
        }
        table.finish()?;
        seasons.push(season);
    }
    let opposite = match table.has("opposite_in_south") {
        true => table.with("opposite_in_south", |v| {
            let wanted = "true or false";
            v.as_bool().ok_or_else(|| expected(wanted, v))
        })?,
        false => seasons.len() == 4,
    };
    if opposite && seasons.len() % 2 == 1 {
        let message = format!("expected false with {} seasons: none is opposite", seasons.len());
        return Err(table.error("opposite_in_south", message));
    }
    Ok((seasons, opposite))
}

fn season(table: &mut Table<'_>, rules: &CalendarRules) -> Parsed<NamedSeason> {
    let id = table.id("id")?;
    let name = table.text_or("name", &id, super::NAME_CHARS_MAX)?;
    let month = month(table, "month", &rules.months)?;
    let days = i64::from(rules.months[usize::from(month)].days);
    let day = number_or(table, "day", 1, 1, days)? as u8;
    let kind = Season::ALL.into_iter().find(|season| season.name() == id);
    Ok(NamedSeason { id, name, kind, month: month + 1, day })
}

fn earth_seasons(rules: &CalendarRules) -> Vec<NamedSeason> {
    let year_days = rules.months.iter().map(|m| i64::from(m.days)).sum::<i64>();
    let season = |(before, season): (i64, Season)| {
        let (mut left, mut month) = (before * year_days / 365, 0);
        while left >= i64::from(rules.months[month].days) {
            left -= i64::from(rules.months[month].days);
            month += 1;
        }
        let id = season.name().to_owned();
        let (month, day) = (month as u8 + 1, left as u8 + 1);
        NamedSeason { name: id.clone(), id, kind: Some(season), month, day }
    };
    EARTH_SEASONS.into_iter().map(season).collect()
}

pub(super) fn moons(table: &mut Table<'_>, rules: &CalendarRules) -> Parsed<Vec<Moon>> {
    let (mut moons, mut seen) = (Vec::new(), HashSet::new());
    let day_us = rules.day_us() as f64;
    for mut table in tables(table, "moons", &["name", "period_days", "phase_offset"])? {
        let name = text(&mut table, "name")?;
        own(&mut seen, &table, "name", &name)?;
        let period = table.number("period_days", "days", 1.0, PERIOD_DAYS_MAX)?;
        let phase = match table.has("phase_offset") {
            true => table.number("phase_offset", "cycles", 0.0, 1.0)?,
            false => 0.0,
        };
        table.finish()?;
        let age_us = libm::round(phase * period * day_us) as i64;
        moons.push(Moon { name, period_us: libm::round(period * day_us) as i64, age_us });
    }
    Ok(moons)
}

pub(super) fn holidays(table: &mut Table<'_>, rules: &CalendarRules) -> Parsed<Vec<Holiday>> {
    let (mut holidays, mut seen) = (Vec::new(), HashSet::new());
    for mut table in tables(table, "holidays", HOLIDAY_KEYS)? {
        let id = table.id("id")?;
        own(&mut seen, &table, "id", &id)?;
        let name = table.text_or("name", &id, super::NAME_CHARS_MAX)?;
        let days = number_or(&mut table, "days", 1, 1, HOLIDAY_DAYS_MAX)? as u8;
        let rule = rule(&mut table, rules)?;
        table.finish()?;
        holidays.push(Holiday { id, name, days, rule });
    }
    Ok(holidays)
}

fn rule(table: &mut Table<'_>, rules: &CalendarRules) -> Parsed<HolidayRule> {
    if table.has("intercalary") {
        let names = rules.intercalary.iter().map(|day| day.name.as_str());
        return Ok(HolidayRule::Intercalary(one_of(
            table,
            "intercalary",
            "an intercalary day",
            names,
        )?));
    }
    if table.has("moon") {
        return moon_rule(table, rules);
    }
    let month = month(table, "month", &rules.months)? + 1;
    let days = rules.years.month_days_max(month);
    if !table.has("weekday") {
        let day = table.integer("day", 1, i64::from(days))? as u8;
        return Ok(HolidayRule::Date { month, day });
    }
    let names = rules.weekdays.iter().map(String::as_str);
    let weekday = one_of(table, "weekday", "a weekday", names)?;
    let weeks = u64::from(days).div_ceil(rules.weekdays.len() as u64) as i64;
    let nth = table.integer("nth", -1, weeks)? as i8;
    if nth == 0 {
        let message = format!("expected a number from 1 to {weeks}, or -1 for the last, found 0");
        return Err(table.error("nth", message));
    }
    Ok(HolidayRule::Weekday { month, weekday, nth })
}

fn moon_rule(table: &mut Table<'_>, rules: &CalendarRules) -> Parsed<HolidayRule> {
    let moon = one_of(table, "moon", "a moon", rules.moons.iter().map(|m| m.name.as_str()))?;
    let names = MoonPhase::ALL.map(MoonPhase::name);
    let phase = one_of(table, "phase", "a phase", names.into_iter())?;
    let month = match table.has("month") {
        true => Some(month(table, "month", &rules.months)? + 1),
        false => None,
    };
    Ok(HolidayRule::Moon { moon, phase: MoonPhase::ALL[usize::from(phase)], month })
}

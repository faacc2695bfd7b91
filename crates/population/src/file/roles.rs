//! `[[roles]]`: what people of a kind do day by day. Not here: a slot's text (`slot`).

use super::{slot, texts};
use crate::activity::Activity;
use crate::generate::Draft;
use crate::model::{ROLE_COUNT_MAX, Role};
use crate::routine::{At, Does, Holidays, LAST_CALL_MINUTES, Routine, Slot, When};
use worldbus_world::source::{Keys, Table, expected};
use worldbus_world::{World, WorldFileError};

const KEYS: Keys = &["id", "name", "share", "region", "workplace", "jitter_minutes", "routines"];
const ROUTINE_KEYS: Keys = &["weekdays", "holidays", "seasons", "slots"];
const NAME_CHARS_MAX: usize = 200;
const SHARE_MAX: i64 = 1_000_000;
const JITTER_MINUTES_MAX: i64 = 60;
const JITTER_MINUTES_DEFAULT: i64 = 20;
const ROUTINE_COUNT_MAX: usize = 32;
const SLOT_COUNT_MAX: usize = 32;
const HOLIDAY_COUNT_MAX: usize = 64;
const SEASON_COUNT_MAX: usize = 16;

/// Reads the roles; the tables are for later errors.
pub(super) fn read<'a>(
    root: &mut Table<'a>,
    world: &World,
    draft: &mut Draft,
) -> Result<Vec<Table<'a>>, WorldFileError> {
    let mut tables = root.tables("roles", KEYS, ROLE_COUNT_MAX)?;
    for table in &mut tables {
        let (role, share) = role(table, world, &draft.kinds)?;
        if draft.roles.iter().any(|other| other.id == role.id) {
            let message = format!("expected an id of its own, found {} again", role.id);
            return Err(table.error("id", message));
        }
        draft.roles.push(role);
        draft.shares.push(share);
    }
    Ok(tables)
}

fn role(
    table: &mut Table<'_>,
    world: &World,
    kinds: &[String],
) -> Result<(Role, (u64, Option<usize>)), WorldFileError> {
    let id = table.id("id")?;
    let name = table.text_or("name", &id, NAME_CHARS_MAX)?;
    let share = if table.has("share") { table.integer("share", 0, SHARE_MAX)? as u64 } else { 0 };
    let region =
        if table.has("region") { Some(super::people::region(table, world)?) } else { None };
    let workplace = if table.has("workplace") { Some(workplace(table, kinds)?) } else { None };
    let jitter = match table.has("jitter_minutes") {
        true => table.integer("jitter_minutes", 0, JITTER_MINUTES_MAX)?,
        false => JITTER_MINUTES_DEFAULT,
    };
    let mut routines: Vec<Routine> = Vec::new();
    for mut table in table.tables("routines", ROUTINE_KEYS, ROUTINE_COUNT_MAX)? {
        let routine = routine(&mut table, world, (kinds, workplace), jitter)?;
        if let Some(first) = routines.first()
            && first.slots[0].at != routine.slots[0].at
        {
            let message = "expected all routines of a role to begin at one time, found another";
            return Err(table.error("slots", message.to_owned()));
        }
        routines.push(routine);
    }
    if routines.last().is_some_and(|last| last.when != When::default()) {
        let message = "expected the last routine to be for every day, found conditions";
        return Err(table.error("routines", message.to_owned()));
    }
    let role = Role { id, name, workplace, jitter_minutes: jitter as u16, routines };
    Ok((role, (share, region)))
}

fn workplace(table: &mut Table<'_>, kinds: &[String]) -> Result<usize, WorldFileError> {
    let wanted = format!("a kind of places ({})", kinds.join(", "));
    table.with("workplace", |value| {
        let known = value.as_str().and_then(|name| kinds.iter().position(|kind| kind == name));
        known.ok_or_else(|| expected(&wanted, value))
    })
}

fn routine(
    table: &mut Table<'_>,
    world: &World,
    (kinds, workplace): (&[String], Option<usize>),
    jitter: i64,
) -> Result<Routine, WorldFileError> {
    let when = when(table, world)?;
    let calendar = world.calendar();
    let rules = calendar.rules();
    let day = (i64::from(rules.hours_per_day()), i64::from(rules.minutes_per_hour()));
    let slots = texts::list(table, "slots", SLOT_COUNT_MAX, |text| {
        let slot = slot::read(text, kinds, day)?;
        has_place(&slot, kinds, workplace)?;
        Ok(slot)
    })?;
    check(&slots, day.0 * day.1, jitter).map_err(|message| table.error("slots", message))?;
    Ok(Routine { when, slots })
}

/// Refuses a slot that no place is for.
fn has_place(slot: &Slot, kinds: &[String], workplace: Option<usize>) -> Result<(), String> {
    let Does::One(activity) = slot.does else { return Ok(()) };
    let missing = match (slot.kind, activity.kind()) {
        (Some(_), _) => None,
        (None, None) if workplace.is_none() => Some("the key workplace"),
        (None, Some(kind)) if !kinds.iter().any(|known| known == kind) => Some(kind),
        _ => None,
    };
    match missing {
        Some(missing) => {
            Err(format!("expected {missing} among the places for {activity}, found none"))
        }
        None => Ok(()),
    }
}

/// Refuses slots that are no day: one that begins and ends at home, and ends.
fn check(slots: &[Slot], day_minutes: i64, jitter: i64) -> Result<(), String> {
    let [first, .., last] = slots else {
        return Err(format!("expected at least 2 slots, found {}", slots.len()));
    };
    let is_home = |slot: &Slot| {
        matches!(slot.does, Does::One(Activity::Sleep | Activity::Rest)) && slot.kind.is_none()
    };
    let At::Clock(begins) = first.at else {
        return Err("expected the first slot at a time of the clock, found the sun's".to_owned());
    };
    if !is_home(first) || !is_home(last) {
        let message = "expected the first and the last slot to be sleep or rest at home, found \
                       another: everyone is at home when a day begins";
        return Err(message.to_owned());
    }
    if first.only_if.is_some() || last.only_if.is_some() {
        return Err("expected no weather for the first and the last slot, found some".to_owned());
    }

    // By the clock each slot is later than the one before; over midnight the next day's counts.
    let mut latest = 0;
    for (number, slot) in slots.iter().enumerate() {
        let At::Clock(minute) = slot.at else { continue };
        let since = (minute - begins).rem_euclid(day_minutes);
        if number > 0 && since <= latest {
            return Err(format!(
                "expected slot {} later than the one before and within a day of the first, found \
                 it earlier: the routine never ends",
                number + 1
            ));
        }
        latest = since;
    }
    let most = day_minutes - LAST_CALL_MINUTES - jitter - 10;
    let At::Clock(_) = last.at else {
        return Err("expected the last slot at a time of the clock, found the sun's".to_owned());
    };
    if latest > most {
        return Err(format!(
            "expected the last slot at least {} minutes before the first of the next day, so that \
             everyone is home by then, found {}",
            day_minutes - most,
            day_minutes - latest
        ));
    }
    Ok(())
}

fn when(table: &mut Table<'_>, world: &World) -> Result<When, WorldFileError> {
    let calendar = world.calendar();
    let rules = calendar.rules();
    let mut when = When::default();
    if table.has("weekdays") {
        let most = rules.weekdays().len().max(1);
        when.weekdays = Some(texts::list(table, "weekdays", most, |name| weekday(world, name))?);
    }
    if table.has("holidays") {
        let any = table.with("holidays", |value| Ok(value.as_bool() == Some(true)))?;
        when.holidays = Some(match any {
            true => Holidays::Any,
            false => Holidays::These(texts::list(table, "holidays", HOLIDAY_COUNT_MAX, |id| {
                let ids = rules.holidays().iter().map(|holiday| holiday.id.as_str());
                known(id, ids, "a holiday of the calendar")
            })?),
        });
    }
    if table.has("seasons") {
        when.seasons = Some(texts::list(table, "seasons", SEASON_COUNT_MAX, |id| {
            known(id, rules.seasons().iter().map(|season| season.id.as_str()), "a season")
        })?);
    }
    Ok(when)
}

/// The number of a weekday by name.
pub(super) fn weekday(world: &World, name: &str) -> Result<u8, String> {
    let calendar = world.calendar();
    let weekdays = calendar.rules().weekdays();
    let found = weekdays.iter().position(|weekday| weekday == name);
    found.map(|number| number as u8).ok_or_else(|| {
        format!("expected a weekday ({}), found {:?}", weekdays.join(", "), texts::shown(name))
    })
}

fn known<'n>(
    id: &str,
    mut ids: impl Iterator<Item = &'n str> + Clone,
    what: &str,
) -> Result<String, String> {
    if ids.clone().any(|known| known == id) {
        return Ok(id.to_owned());
    }
    let all: Vec<&str> = ids.by_ref().collect();
    Err(format!("expected {what} ({}), found {:?}", all.join(", "), texts::shown(id)))
}

//! `[people]`: how many there are in each region, the names that they have, and those that are
//! named. Not here: the names that are built in (`worlds/names`).

use toml::de::DeValue;

use super::texts;
use crate::generate::Draft;
use crate::model::{CHARACTER_MAX, Names, PERSON_COUNT_MAX};
use crate::names::{check_id, check_name};
use crate::newcomer::Newcomer;
use worldbus_world::source::{Keys, Source, Table, expected};
use worldbus_world::{World, WorldFileError};

const KEYS: Keys = &["per_region", "in_region", "named"];
const NAMED_KEYS: Keys = &[
    "id",
    "name",
    "region",
    "role",
    "home",
    "workplace",
    "sociable",
    "devout",
    "hardy",
    "diligent",
];
const NAMES_KEYS: Keys = &["given", "family"];
const NAME_COUNT_MAX: usize = 10_000;
const NAMED_COUNT_MAX: usize = 10_000;
const BUILT_IN_NAME: &str = "worlds/names/european.toml";
const BUILT_IN: &str = include_str!("../../../../worlds/names/european.toml");

/// How many people there are in each region.
pub(super) fn counts(root: &mut Table<'_>, world: &World) -> Result<Vec<usize>, WorldFileError> {
    let mut table = root.table("people", KEYS)?;
    let most = PERSON_COUNT_MAX as i64;
    let each = if table.has("per_region") { table.integer("per_region", 0, most)? } else { 0 };
    let mut counts = vec![each as usize; world.regions.len()];
    if !table.has("in_region") {
        return Ok(counts);
    }
    table.with("in_region", |value| {
        let wanted = format!("a table such as {{ {} = 120 }}", world.regions[0].id);
        let of = value.as_table().ok_or_else(|| expected(&wanted, value))?;
        for (region, count) in of {
            let id: &str = region.get_ref();
            let rank = world.region_index(id);
            let rank =
                rank.ok_or_else(|| format!("expected a region, found {:?}", texts::shown(id)))?;
            let number = whole(count.get_ref()).filter(|count| (0..=most).contains(count));
            let wanted = format!("a whole number from 0 to {most} for {id}");
            counts[rank] = number.ok_or_else(|| expected(&wanted, count.get_ref()))? as usize;
        }
        Ok(())
    })?;
    Ok(counts)
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok())
}

/// The region that a table names.
pub(super) fn region(table: &mut Table<'_>, world: &World) -> Result<usize, WorldFileError> {
    table.with("region", |value| {
        let known = value.as_str().and_then(|id| world.region_index(id));
        known.ok_or_else(|| expected("the id of a region", value))
    })
}

pub(super) fn read(
    root: &mut Table<'_>,
    world: &World,
    draft: &mut Draft,
) -> Result<(), WorldFileError> {
    draft.names = match root.has("names") {
        true => names(&mut root.table("names", NAMES_KEYS)?)?,
        false => built_in()?,
    };
    let mut table = root.table("people", KEYS)?;
    if table.has("named") {
        for mut table in table.tables("named", NAMED_KEYS, NAMED_COUNT_MAX)? {
            let named = named(&mut table, world, draft)?;
            if draft.named.iter().any(|other| other.id == named.id) {
                let message = format!("expected an id of its own, found {} again", named.id);
                return Err(table.error("id", message));
            }
            draft.named.push(named);
        }
    }
    let alone = draft.shares.iter().all(|(share, _)| *share == 0);
    if alone && draft.counts.iter().any(|count| *count > 0) {
        let message = "expected a role with a share above 0 for the people, found none";
        return Err(root.error("roles", message.to_owned()));
    }
    Ok(())
}

fn built_in() -> Result<Names, WorldFileError> {
    let source = Source { file: BUILT_IN_NAME, text: BUILT_IN };
    let root = source.parse()?;
    names(&mut Table::root(&source, &root, NAMES_KEYS)?)
}

fn names(table: &mut Table<'_>) -> Result<Names, WorldFileError> {
    let mut list = |key| {
        texts::list(table, key, NAME_COUNT_MAX, |name| {
            let found = texts::shown(name);
            check_name(name).map_err(|expected| format!("{expected}, found {found:?}"))?;
            Ok(name.to_owned())
        })
    };
    Ok(Names { given: list("given")?, family: list("family")? })
}

fn named(table: &mut Table<'_>, world: &World, draft: &Draft) -> Result<Newcomer, WorldFileError> {
    let id = text(table, "id", |id| check_id(world, id))?;
    let name = if table.has("name") { text(table, "name", check_name)? } else { id.clone() };
    let region = region(table, world)?;
    let role = table.with("role", |value| {
        let known = value.as_str().and_then(|id| draft.roles.iter().position(|r| r.id == id));
        known.ok_or_else(|| expected("the id of a role", value))
    })?;
    let mut place = |key, kind: Option<usize>| {
        if !table.has(key) {
            return Ok(None);
        }
        table.with(key, |value| {
            let fits = |place: &crate::Place| place.region == region && Some(place.kind) == kind;
            let known = value.as_str().and_then(|id| draft.titles.rank(id));
            let known = known.filter(|place| fits(&draft.places[*place]));
            let wanted = "the id of a place of its region and of the kind that fits";
            known.map(Some).ok_or_else(|| expected(wanted, value))
        })
    };
    let home = place("home", draft.kinds.iter().position(|kind| kind == "home"))?;
    let work = place("workplace", draft.roles[role].workplace)?;
    let mut character = [None; 4];
    for (value, key) in character.iter_mut().zip(["sociable", "devout", "hardy", "diligent"]) {
        if table.has(key) {
            *value = Some(table.integer(key, 0, CHARACTER_MAX.into())? as u16);
        }
    }
    Ok(Newcomer { id, name, region, role, home, work, haunts: Vec::new(), character })
}

/// A text that a check lets through.
fn text(
    table: &mut Table<'_>,
    key: &'static str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, WorldFileError> {
    table.with(key, |value| {
        let text = value.as_str().ok_or_else(|| expected("a text", value))?;
        let found = texts::shown(text);
        check(text).map_err(|expected| format!("{expected}; found {found:?}"))?;
        Ok(text.to_owned())
    })
}

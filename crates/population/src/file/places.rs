//! `[[places]]`: one place, or one of a kind in every region. Not here: who goes there.

use std::sync::Arc;

use super::texts;
use crate::chance::{Chance, Draw};
use crate::generate::Draft;
use crate::model::titles::{Series, Titles};
use crate::model::{KIND_COUNT_MAX, PLACE_COUNT_MAX, Place};
use crate::routine::Hours;
use worldbus_world::source::{Keys, Table, expected};
use worldbus_world::{World, WorldFileError};

const KEYS: Keys = &[
    "id",
    "name",
    "kind",
    "region",
    "count",
    "people_per",
    "at",
    "within_m",
    "capacity",
    "roof_permille",
    "open",
    "closed",
];
const TABLE_COUNT_MAX: usize = 10_000;
const NAME_CHARS_MAX: usize = 200;
const COUNT_MAX: i64 = 100_000;
const CAPACITY_MAX: i64 = 1_000_000;
/// A region's places are within so many metres of its middle, east and north.
const REACH_M: i64 = 1_000;
const WITHIN_M_DEFAULT: i64 = 500;

/// What a table states, for the places of a region.
struct Template {
    id: String,
    name: String,
    kind: usize,
    region: Option<usize>,
    amount: Amount,
    at: Option<[i32; 2]>,
    within_m: i64,
    capacity: u32,
    roof_permille: u16,
    open: Arc<Hours>,
}

#[derive(Clone, Copy)]
enum Amount {
    One,
    Count(usize),
    PeoplePer(usize),
}

pub(super) fn read(
    root: &mut Table<'_>,
    world: &World,
    draft: &mut Draft,
) -> Result<(), WorldFileError> {
    draft.counts = super::people::counts(root, world)?;
    let mut templates = Vec::new();
    for mut table in root.tables("places", KEYS, TABLE_COUNT_MAX)? {
        templates.push((template(&mut table, world, &mut draft.kinds)?, table));
    }
    let chance = Chance::new(world.seed);
    let (mut all, mut tables) = (Vec::new(), Vec::new());
    for (region, count) in draft.counts.iter().enumerate() {
        for (template, table) in &templates {
            if template.region.is_some_and(|only| only != region) {
                continue;
            }
            let series = template.series(world, region, draft.places.len(), *count);
            if draft.places.len() + series.count > PLACE_COUNT_MAX {
                let message = format!("expected at most {PLACE_COUNT_MAX} places, found more");
                return Err(table.error("id", message));
            }
            draft
                .places
                .extend((0..series.count).map(|number| {
                    template.place(&series.id(number + 1), (region, number), chance)
                }));
            if series.count > 0 {
                all.push(series);
                tables.push(table);
            }
        }
    }
    draft.titles = Titles::new(all).map_err(|(series, id)| {
        tables[series].error("id", format!("expected an id of its own, found {id} again"))
    })?;
    Ok(())
}

fn template(
    table: &mut Table<'_>,
    world: &World,
    kinds: &mut Vec<String>,
) -> Result<Template, WorldFileError> {
    let id = table.id("id")?;
    let name = table.text_or("name", &id, NAME_CHARS_MAX)?;
    let kind = kind(table, kinds)?;
    let region =
        if table.has("region") { Some(super::people::region(table, world)?) } else { None };
    let amount = match (table.has("count"), table.has("people_per")) {
        (true, true) => {
            let message = "expected count or people_per, found both".to_owned();
            return Err(table.error("people_per", message));
        }
        (true, false) => Amount::Count(table.integer("count", 1, COUNT_MAX)? as usize),
        (false, true) => Amount::PeoplePer(table.integer("people_per", 1, COUNT_MAX)? as usize),
        (false, false) => Amount::One,
    };
    let at = if table.has("at") { Some(position(table)?) } else { None };
    let within_m = match table.has("within_m") {
        true => table.integer("within_m", 0, REACH_M)?,
        false => WITHIN_M_DEFAULT,
    };
    let capacity = table.integer("capacity", 1, CAPACITY_MAX)? as u32;
    let roof_permille = table.integer("roof_permille", 0, 1000)? as u16;
    let open = Arc::new(hours(table, world)?);
    Ok(Template { id, name, kind, region, amount, at, within_m, capacity, roof_permille, open })
}

fn kind(table: &mut Table<'_>, kinds: &mut Vec<String>) -> Result<usize, WorldFileError> {
    let kind = table.id("kind")?;
    if let Some(known) = kinds.iter().position(|known| *known == kind) {
        return Ok(known);
    }
    if kinds.len() == KIND_COUNT_MAX {
        let message = format!("expected at most {KIND_COUNT_MAX} kinds, found one more: {kind}");
        return Err(table.error("kind", message));
    }
    kinds.push(kind);
    Ok(kinds.len() - 1)
}

fn position(table: &mut Table<'_>) -> Result<[i32; 2], WorldFileError> {
    table.with("at", |value| {
        let wanted = format!("[east, north] in metres from -{REACH_M} to {REACH_M}");
        let number = |item: &toml::Spanned<toml::de::DeValue<'_>>| {
            let text = worldbus_world::source::number_text(item.get_ref())?;
            text.parse::<i32>().ok().filter(|m| i64::from(*m).abs() <= REACH_M)
        };
        let numbers =
            value.as_array().and_then(|a| a.iter().map(number).collect::<Option<Vec<_>>>());
        let both = numbers.and_then(|numbers| <[i32; 2]>::try_from(numbers).ok());
        both.ok_or_else(|| expected(&wanted, value))
    })
}

fn hours(table: &mut Table<'_>, world: &World) -> Result<Hours, WorldFileError> {
    let mut hours = Hours::default();
    let calendar = world.calendar();
    let rules = calendar.rules();
    let day = (i64::from(rules.hours_per_day()), i64::from(rules.minutes_per_hour()));
    if table.has("open") {
        hours.daily = Some(table.with("open", |value| {
            let both = value.as_str().and_then(|text| text.split_once('-'));
            let read = |text: &str| texts::minute(text.trim(), day);
            let both = both.and_then(|(from, to)| Some((read(from)?, read(to)?)));
            both.ok_or_else(|| expected("hours such as \"06:00-18:00\"", value))
        })?);
    }
    if table.has("closed") {
        let names = rules.weekdays().len();
        hours.closed =
            texts::list(table, "closed", names.max(1), |name| super::roles::weekday(world, name))?;
    }
    Ok(hours)
}

impl Template {
    fn count(&self, people: usize) -> usize {
        match self.amount {
            Amount::One => 1,
            Amount::Count(count) => count,
            Amount::PeoplePer(per) => people.div_ceil(per),
        }
    }

    /// What its places in a region are called, of which the first has a rank.
    fn series(&self, world: &World, region: usize, first: usize, people: usize) -> Series {
        let of = &world.regions[region];
        let id = match self.region {
            Some(_) => self.id.clone(),
            None => format!("{}-{}", of.id, self.id),
        };
        let name = self.name.replace("{region}", &of.name);
        Series { first, count: self.count(people), id, name }
    }

    fn place(&self, id: &str, (region, number): (usize, usize), chance: Chance) -> Place {
        let key = (region as u64) << 32 | number as u64;
        let kind = id.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        let draw =
            |axis: u64| chance.around(Draw::Position, key, kind ^ axis, self.within_m) as i32;
        let [east_m, north_m] = self.at.unwrap_or([draw(1), draw(2)]);
        Place {
            region,
            kind: self.kind,
            east_m,
            north_m,
            capacity: self.capacity,
            roof_permille: self.roof_permille,
            open: Arc::clone(&self.open),
        }
    }
}

//! Reading the arcs of a file of rules. Not here: what an open arc does (`ledger`).

use super::texts::strings;
use super::{Reading, on, when};
use crate::grammar::{Shape, Template};
use crate::observe::{Kind, common_shape};
use crate::rules::arcs::{ArcRule, Per, Stage, Step, arc_shape};
use worldbus_world::source::{Keys, Table};
use worldbus_world::{GameTime, WorldFileError};

pub(super) const KEYS: Keys = &["kind", "per", "title", "stages", "steps"];
const STAGE_KEYS: Keys =
    &["name", "hidden", "last", "timeout_hours", "then", "significance", "terms", "texts"];
const STEP_KEYS: Keys =
    &["from", "on", "when", "to", "add", "peak", "keep", "significance", "terms", "texts"];

const STAGE_COUNT_MAX: usize = 16;
const STEP_COUNT_MAX: usize = 40;
/// Ten years.
const TIMEOUT_HOURS_MAX: i64 = 10 * 8_784;
const COUNT_MAX: i64 = 1_000;

pub(super) fn arc(
    reading: &Reading<'_>,
    mut table: Table<'_>,
    before: &[ArcRule],
) -> Result<ArcRule, WorldFileError> {
    let kind = table.id("kind")?;
    if before.iter().any(|arc| arc.kind == kind) {
        return Err(table.error("kind", format!("expected a new kind, found {kind:?} again")));
    }
    let per = per(&mut table)?;
    let title = table.with("title", |value| {
        let title = Template::parse(value.as_str().unwrap_or_default())?;
        let known = |field: &str| (field == "region").then_some(Shape::Text);
        title.check(reading.phrases, &known).map(|()| title)
    })?;
    let found = table.tables("stages", STAGE_KEYS, STAGE_COUNT_MAX)?;
    let names = found.into_iter().map(|mut stage| stage.id("name"));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let mut stages = Vec::new();
    for within in table.tables("stages", STAGE_KEYS, STAGE_COUNT_MAX)? {
        stages.push(stage(reading, within, &names)?);
    }
    let mut steps = Vec::new();
    for within in table.tables("steps", STEP_KEYS, STEP_COUNT_MAX)? {
        steps.push(step(reading, within, &stages)?);
    }
    table.finish()?;
    Ok(ArcRule { kind, per, title, stages, steps })
}

fn per(table: &mut Table<'_>) -> Result<Per, WorldFileError> {
    table.with("per", |value| match value.as_str() {
        Some("region") => Ok(Per::Region),
        Some("entity") => Ok(Per::Entity),
        Some("world") => Ok(Per::World),
        _ => Err("expected region, entity or world".to_owned()),
    })
}

fn flag(table: &mut Table<'_>, key: &'static str) -> Result<bool, WorldFileError> {
    if !table.has(key) {
        return Ok(false);
    }
    table.with(key, |value| value.as_bool().ok_or_else(|| "expected true or false".to_owned()))
}

/// The rank of a stage by name.
fn rank(names: &[String], name: &str) -> Result<usize, String> {
    let found = names.iter().position(|stage| stage == name);
    found.ok_or_else(|| format!("expected one of the stages {}, found {name:?}", names.join(", ")))
}

fn stage(
    reading: &Reading<'_>,
    mut table: Table<'_>,
    names: &[String],
) -> Result<Stage, WorldFileError> {
    let name = table.id("name")?;
    let (hidden, last) = (flag(&mut table, "hidden")?, flag(&mut table, "last")?);
    let mut stage = Stage { name, hidden, last, timeout_us: None, then: None, prose: None };
    if table.has("timeout_hours") {
        let hours = table.integer("timeout_hours", 1, TIMEOUT_HOURS_MAX)?;
        stage.timeout_us = Some(hours * GameTime::HOUR_US);
        if table.has("then") {
            let then = table.with("then", |value| rank(names, value.as_str().unwrap_or_default()));
            stage.then = Some(then?);
        }
        if table.has("texts") {
            stage.prose = Some(reading.prose(&mut table, &of_arc_alone)?);
        }
    }
    table.finish()?;
    Ok(stage)
}

/// What a text of a time-out knows: no event.
fn of_arc_alone(field: &str) -> Option<Shape> {
    match field {
        "entity" => None,
        _ => common_shape(field).or_else(|| arc_shape(field)),
    }
}

fn step(
    reading: &Reading<'_>,
    mut table: Table<'_>,
    stages: &[Stage],
) -> Result<Step, WorldFileError> {
    let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let mut from = Vec::new();
    if table.has("from") {
        for (offset, name) in strings(&mut table, "from", STAGE_COUNT_MAX)? {
            let found = rank(&names, name);
            from.push(found.map_err(|error| table.error_at(offset, "from", error))?);
        }
    }
    let kind = on(&mut table)?;
    let shape_of = |field: &str| {
        common_shape(field).or_else(|| arc_shape(field)).or_else(|| kind.shape(field))
    };
    let conditions = when(&mut table, &shape_of)?;
    let (when_arc, when) = conditions.into_iter().partition(|condition| condition.is_of_arc());
    let to = table.with("to", |value| rank(&names, value.as_str().unwrap_or_default()))?;
    let add = if table.has("add") { table.integer("add", 0, COUNT_MAX)? } else { 0 };
    let peak = field(&mut table, "peak", kind, Shape::Number)?;
    let keep = field(&mut table, "keep", kind, Shape::Text)?;
    let prose = if table.has("texts") { Some(reading.prose(&mut table, &shape_of)?) } else { None };
    if prose.is_some() && stages[to].hidden {
        return Err(table.error("to", "expected a stage that is shown: it has texts".to_owned()));
    }
    table.finish()?;
    Ok(Step { from, on: kind.name.to_owned(), when, when_arc, to, add, peak, keep, prose })
}

/// A field of the event of a shape, if the key is there.
fn field(
    table: &mut Table<'_>,
    key: &'static str,
    kind: &Kind,
    shape: Shape,
) -> Result<Option<String>, WorldFileError> {
    if !table.has(key) {
        return Ok(None);
    }
    let name = table.with(key, |value| {
        let name = value.as_str().unwrap_or_default();
        match kind.shape(name) {
            Some(found) if found == shape => Ok(name.to_owned()),
            _ => Err(format!("expected a field that is {}, found {name:?}", shape.name())),
        }
    })?;
    Ok(Some(name))
}

//! Reading a file of rules, strictly. Not here: what rules mean.

mod arcs;
mod director;
mod texts;

use super::condition::Condition;
use super::prose::{Prose, SIGNIFICANCE_MAX, Significance, Term};
use super::{ARC_COUNT_MAX, RULE_COUNT_MAX, Rule, Rules};
use crate::grammar::{Phrases, Shape};
use crate::observe::{Kind, RECEIVED, common_shape, kind};
use texts::strings;
use worldbus_world::WorldFileError;
use worldbus_world::source::{Keys, Source, Table};

const KEYS: Keys = &["grace_ms", "phrases", "rules", "arcs", "director"];
const PHRASE_KEYS: Keys = &["name", "texts"];
const RULE_KEYS: Keys = &["id", "on", "when", "significance", "terms", "texts"];
const TERM_KEYS: Keys = &["of", "above", "per", "add", "max"];

const GRACE_MS_MAX: i64 = 600_000;
const PHRASE_COUNT_MAX: usize = 100;
const CONDITION_COUNT_MAX: usize = 10;
const TERM_COUNT_MAX: usize = 8;
/// Numbers of a term.
const MEASURE_MAX: i64 = 1_000_000_000_000;

/// What a file's part is read with: the phrases above it.
struct Reading<'a> {
    phrases: &'a Phrases,
}

/// A field's shape where a rule stands.
type ShapeOf<'a> = &'a dyn Fn(&str) -> Option<Shape>;

pub(super) fn rules(file: &str, text: &str) -> Result<Rules, WorldFileError> {
    let source = Source { file, text };
    let root = source.parse()?;
    let mut root = Table::root(&source, &root, KEYS)?;
    let grace_ms = root.integer("grace_ms", 0, GRACE_MS_MAX)?;
    let mut phrases = Phrases::new();
    if root.has("phrases") {
        for table in root.tables("phrases", PHRASE_KEYS, PHRASE_COUNT_MAX)? {
            let (name, templates) = phrase(table)?;
            phrases.insert(name, templates);
        }
    }
    let reading = Reading { phrases: &phrases };
    let mut entries: Vec<Rule> = Vec::new();
    for table in root.tables("rules", RULE_KEYS, RULE_COUNT_MAX)? {
        let rule = reading.rule(table, &entries)?;
        entries.push(rule);
    }
    let mut arcs = Vec::new();
    if root.has("arcs") {
        for table in root.tables("arcs", arcs::KEYS, ARC_COUNT_MAX)? {
            let arc = arcs::arc(&reading, table, &arcs)?;
            arcs.push(arc);
        }
    }
    let table = root.table("director", director::KEYS)?;
    let director = director::plan(&reading, table)?;
    root.finish()?;
    Ok(Rules { version: version(text), grace_ms, phrases, entries, arcs, director })
}

/// FNV-1a of the text.
fn version(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn phrase(mut table: Table<'_>) -> Result<(String, Vec<crate::grammar::Template>), WorldFileError> {
    let name = table.id("name")?;
    let templates = texts::templates(&mut table, &|_| Ok(()))?;
    table.finish()?;
    Ok((name, templates))
}

/// The event type that `on` names.
fn on(table: &mut Table<'_>) -> Result<&'static Kind, WorldFileError> {
    table.with("on", |value| {
        let name = value.as_str().unwrap_or_default();
        kind(name).ok_or_else(|| {
            let known = RECEIVED.join(", ");
            format!("expected an event type ({known}), found {name:?}")
        })
    })
}

/// The conditions of a rule.
fn when(table: &mut Table<'_>, shape_of: ShapeOf<'_>) -> Result<Vec<Condition>, WorldFileError> {
    if !table.has("when") {
        return Ok(Vec::new());
    }
    let found = strings(table, "when", CONDITION_COUNT_MAX)?;
    let parse = |(offset, text): (usize, &str)| {
        Condition::parse(text, shape_of).map_err(|error| table.error_at(offset, "when", error))
    };
    found.into_iter().map(parse).collect()
}

impl Reading<'_> {
    fn rule(&self, mut table: Table<'_>, before: &[Rule]) -> Result<Rule, WorldFileError> {
        let id = table.id("id")?;
        if before.iter().any(|rule| rule.id == id) {
            return Err(table.error("id", format!("expected a new id, found {id:?} again")));
        }
        let kind = on(&mut table)?;
        let shape_of = |field: &str| common_shape(field).or_else(|| kind.shape(field));
        let when = when(&mut table, &shape_of)?;
        let prose = self.prose(&mut table, &shape_of)?;
        table.finish()?;
        Ok(Rule { id, on: kind.name.to_owned(), when, prose })
    }

    /// Significance and texts, which stand together.
    fn prose(&self, table: &mut Table<'_>, shape_of: ShapeOf<'_>) -> Result<Prose, WorldFileError> {
        let base = table.integer("significance", 0, SIGNIFICANCE_MAX)?;
        let mut terms = Vec::new();
        if table.has("terms") {
            for within in table.tables("terms", TERM_KEYS, TERM_COUNT_MAX)? {
                terms.push(term(within, shape_of)?);
            }
        }
        let check = |template: &crate::grammar::Template| template.check(self.phrases, shape_of);
        let texts = texts::templates(table, &check)?;
        Ok(Prose { significance: Significance { base, terms }, texts })
    }
}

fn term(mut table: Table<'_>, shape_of: ShapeOf<'_>) -> Result<Term, WorldFileError> {
    let of = table.with("of", |value| {
        let name = value.as_str().unwrap_or_default();
        match shape_of(name) {
            Some(Shape::Number) => Ok(name.to_owned()),
            Some(other) => Err(format!("expected a number, and {name:?} is {}", other.name())),
            None => Err(format!("no field {name:?} here")),
        }
    })?;
    let mut optional = |key, default, min, max| match table.has(key) {
        true => table.integer(key, min, max),
        false => Ok(default),
    };
    let above = optional("above", 0, -MEASURE_MAX, MEASURE_MAX)?;
    let per = optional("per", 1, 1, MEASURE_MAX)?;
    let add = optional("add", 1, -SIGNIFICANCE_MAX, SIGNIFICANCE_MAX)?;
    let max = optional("max", SIGNIFICANCE_MAX, 0, SIGNIFICANCE_MAX)?;
    table.finish()?;
    Ok(Term { of, above, per, add, max })
}

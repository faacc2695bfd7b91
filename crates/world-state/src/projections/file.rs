//! The file of projections, parsed strictly: every mistake names file, line, key and what was
//! expected. Not here: reading the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Projection;
use super::condition::Condition;
use super::template::Template;
use crate::model::FieldName;
use worldbus_events::v1::{ClockChanged, WorldStateChangeRequested, WorldStateUpdated};
use worldbus_events::{Catalogue, Event as _, EventType};
use worldbus_world::WorldFileError;
use worldbus_world::source::{Keys, Source, Table, expected};

/// Projections of a file.
const PROJECTION_COUNT_MAX: usize = 1_000;
/// Fields that a projection writes.
const FIELD_COUNT_MAX: usize = 64;
const TEXT_CHARS_MAX: usize = 1_000;

const KEYS: Keys = &["projections"];
const PROJECTION_KEYS: Keys = &["on", "entity", "fields", "remove", "when"];

/// Event types that the service works on itself.
const OWN: &[&str] =
    &[ClockChanged::NAME, WorldStateChangeRequested::NAME, WorldStateUpdated::NAME];

pub(super) fn read(
    file: &str,
    text: &str,
    catalogue: &Catalogue,
) -> Result<Vec<Projection>, WorldFileError> {
    let source = Source { file, text };
    let root = source.parse()?;
    let mut root = Table::root(&source, &root, KEYS)?;
    let tables = root.tables("projections", PROJECTION_KEYS, PROJECTION_COUNT_MAX)?;
    let projections = tables.into_iter().map(|table| projection(table, catalogue));
    let projections = projections.collect::<Result<_, _>>()?;
    root.finish()?;
    Ok(projections)
}

fn projection(mut table: Table<'_>, catalogue: &Catalogue) -> Result<Projection, WorldFileError> {
    let event_type = table.with("on", |value| event_type(value, catalogue))?;
    let entity = table.with("entity", |value| {
        let text = value.as_str().filter(|text| text.chars().count() <= TEXT_CHARS_MAX);
        let text = text.ok_or_else(|| expected("an entity such as region/{entity}", value))?;
        Template::parse(text, &event_type)
    })?;
    let fields = match table.has("fields") {
        true => fields(&mut table, &event_type)?,
        false => Vec::new(),
    };
    let remove = match table.has("remove") {
        true => table.with("remove", removed)?,
        false => Vec::new(),
    };
    if fields.is_empty() && remove.is_empty() {
        return Err(table.error("on", "expected fields or remove, found neither".to_owned()));
    }
    let when = match table.has("when") {
        true => Some(table.with("when", |value| {
            let text = value.as_str().ok_or_else(|| expected("a condition", value))?;
            Condition::parse(text, &event_type)
        })?),
        false => None,
    };
    table.finish()?;
    Ok(Projection { event_type, entity, fields, remove, when })
}

fn event_type(value: &DeValue<'_>, catalogue: &Catalogue) -> Result<EventType, String> {
    let name = value.as_str().ok_or_else(|| expected("the name of an event type", value))?;
    if OWN.contains(&name) {
        return Err(format!("expected another event type: world-state works on {name} itself"));
    }
    catalogue.by_name(name).cloned().map_err(|error| error.to_string())
}

/// Names of fields are the user's: what is wrong with one is reported at its own line.
fn fields<'a>(
    table: &mut Table<'a>,
    event_type: &EventType,
) -> Result<Vec<(FieldName, Template)>, WorldFileError> {
    let value: &Spanned<DeValue<'a>> = table.spanned("fields")?;
    let wanted = format!("a table of 1 to {FIELD_COUNT_MAX} fields");
    let of: Option<&DeTable<'a>> = value.get_ref().as_table();
    let of = of.filter(|of| (1..=FIELD_COUNT_MAX).contains(&of.len()));
    let of = of.ok_or_else(|| table.error("fields", expected(&wanted, value.get_ref())))?;
    let field = |(name, value): (&Spanned<std::borrow::Cow<'a, str>>, &Spanned<DeValue<'a>>)| {
        let name_text: &str = name.get_ref();
        let wrong =
            |message| table.error_at(value.span().start, &format!("fields.{name_text}"), message);
        let field: FieldName = name_text.parse().map_err(wrong)?;
        Ok((field, template(value.get_ref(), event_type).map_err(wrong)?))
    };
    of.iter().map(field).collect()
}

fn template(value: &DeValue<'_>, event_type: &EventType) -> Result<Template, String> {
    match value {
        DeValue::String(text) if text.chars().count() <= TEXT_CHARS_MAX => {
            Template::parse(text, event_type)
        }
        DeValue::Boolean(constant) => Ok(Template::Constant((*constant).into())),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number
                .map(|number| Template::Constant(number.into()))
                .map_err(|_| expected("a whole number of 64 bits", value))
        }
        other => Err(expected("a text, true, false or a whole number", other)),
    }
}

fn removed(value: &DeValue<'_>) -> Result<Vec<FieldName>, String> {
    let wanted = || expected("a list of names of fields", value);
    let names = value.as_array().filter(|names| names.len() <= FIELD_COUNT_MAX);
    let names = names.ok_or_else(wanted)?.iter();
    names.map(|name| name.get_ref().as_str().ok_or_else(wanted)?.parse()).collect()
}

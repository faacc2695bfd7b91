//! Arrays of texts in a file of rules. Not here: what templates are.

use crate::grammar::Template;
use worldbus_world::WorldFileError;
use worldbus_world::source::{Table, expected};

/// Ways to write one thing.
const TEXT_COUNT_MAX: usize = 32;

/// An array of 1 to `count_max` texts, each with its place in the file.
pub(super) fn strings<'a>(
    table: &mut Table<'a>,
    key: &'static str,
    count_max: usize,
) -> Result<Vec<(usize, &'a str)>, WorldFileError> {
    let value = table.spanned(key)?;
    let wanted = format!("an array of 1 to {count_max} texts");
    let found = value.get_ref().as_array().filter(|found| (1..=count_max).contains(&found.len()));
    let found = found.ok_or_else(|| table.error(key, expected(&wanted, value.get_ref())))?;
    let text = |item: &'a toml::Spanned<toml::de::DeValue<'a>>| {
        let start = item.span().start;
        let text = item.get_ref().as_str();
        let text =
            text.ok_or_else(|| table.error_at(start, key, expected("a text", item.get_ref())));
        Ok((start, text?))
    };
    found.iter().map(text).collect()
}

/// The templates under `texts`, each parsed and checked.
pub(super) fn templates(
    table: &mut Table<'_>,
    check: &dyn Fn(&Template) -> Result<(), String>,
) -> Result<Vec<Template>, WorldFileError> {
    let found = strings(table, "texts", TEXT_COUNT_MAX)?;
    let parse = |(offset, text): (usize, &str)| {
        let parsed = Template::parse(text).and_then(|template| check(&template).map(|()| template));
        parsed.map_err(|error| table.error_at(offset, "texts", error))
    };
    found.into_iter().map(parse).collect()
}

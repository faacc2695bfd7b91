//! The configuration file: flat TOML, read with the line of each key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::environment::Sources;
use super::error::{Error, Kind};
use super::setting::Setting;
use super::value::Shape;

/// The keys of a file that are settings, each with its line.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) path: PathBuf,
    pub(super) values: BTreeMap<&'static str, (Vec<String>, usize)>,
}

pub(super) fn read(
    sources: &dyn Sources,
    path: &Path,
    declared: &[Setting],
    elsewhere: &[Setting],
) -> Result<Keys, Error> {
    let text = sources
        .read(path)
        .map_err(|error| Error::file(path, None, &format!("cannot read the file: {error}")))?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map(|span| line_of(&text, span.start));
        Error::file(path, line, error.message())
    })?;
    let mut keys = Keys { path: path.to_owned(), values: BTreeMap::new() };
    for (key, value) in table.get_ref() {
        let line = line_of(&text, key.span().start);
        let by_name = |setting: &&Setting| setting.name == key.get_ref();
        let Some(setting) = declared.iter().find(by_name) else {
            if elsewhere.iter().any(|setting| by_name(&setting)) {
                continue;
            }
            return Err(Error::unknown_key(path, line, key.get_ref(), declared, elsewhere));
        };
        let texts = texts(setting, value.get_ref())
            .ok_or_else(|| wrong_type(path, line, setting, value.get_ref()))?;
        keys.values.insert(setting.name, (texts, line));
    }
    Ok(keys)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The value as texts, or `None` when its TOML type is not the setting's.
fn texts(setting: &Setting, value: &DeValue<'_>) -> Option<Vec<String>> {
    match (setting.shape, value) {
        (Shape::Text, DeValue::String(text)) => Some(vec![text.to_string()]),
        (Shape::Integer | Shape::Number, DeValue::Integer(number)) => decimal(number),
        (Shape::Number, DeValue::Float(number)) => Some(vec![number.as_str().to_owned()]),
        (Shape::Boolean, DeValue::Boolean(truth)) => Some(vec![truth.to_string()]),
        (Shape::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>(),
        _ => None,
    }
}

fn decimal(number: &toml::de::DeInteger<'_>) -> Option<Vec<String>> {
    let value = i128::from_str_radix(number.as_str(), number.radix()).ok()?;
    Some(vec![value.to_string()])
}

fn wrong_type(path: &Path, line: usize, setting: &Setting, value: &DeValue<'_>) -> Error {
    let wanted = match setting.shape {
        Shape::Text => "a string",
        Shape::Integer => "an integer",
        Shape::Number => "a number",
        Shape::Boolean => "a boolean",
        Shape::List => "an array of strings",
    };
    let text = format!(
        "{}:{line}: key `{}` is of type {}; expected {wanted}: {}",
        path.display(),
        setting.name,
        value.type_str(),
        setting.expected
    );
    Error::new(Kind::Invalid, text)
}

//! The climates that a world file names: built in, or a preset's file that the caller reads.
//! Not here: what a preset's file states (`preset`), the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::preset::{self, Preset};
use crate::source::{self, Table, WorldFileError};

/// Presets' files that a world may name.
const FILE_COUNT_MAX: usize = 64;
const FILE_SUFFIX: &str = ".toml";

/// Gives the text of a preset's file by its name in the world file, or states why it cannot.
pub(super) type ReadClimate<'r> = &'r dyn Fn(&str) -> Result<String, String>;

/// The presets named so far.
pub(super) struct Climates<'r> {
    pub(super) by_name: BTreeMap<String, Arc<Preset>>,
    read: ReadClimate<'r>,
}

impl<'r> Climates<'r> {
    pub(super) fn new(read: ReadClimate<'r>) -> Self {
        Self { by_name: BTreeMap::new(), read }
    }

    /// The name under `climate` in a table, once its preset is known.
    pub(super) fn name(&mut self, table: &mut Table<'_>) -> Result<String, WorldFileError> {
        let wanted = || {
            let names = preset::NAMES.join(", ");
            format!("one of the climates {names}, or a file ending in {FILE_SUFFIX}")
        };
        let name = table.with("climate", |value| {
            let is_file = |name: &str| name.ends_with(FILE_SUFFIX);
            let known = |name: &&str| preset::NAMES.contains(name) || is_file(name);
            let name = value.as_str().filter(known).map(str::to_owned);
            name.ok_or_else(|| source::expected(&wanted(), value))
        })?;
        if !self.by_name.contains_key(&name) {
            let preset = self.preset(&name, table)?;
            self.by_name.insert(name.clone(), Arc::new(preset));
        }
        Ok(name)
    }

    fn preset(&self, name: &str, table: &Table<'_>) -> Result<Preset, WorldFileError> {
        if let Some(preset) = Preset::built_in(name) {
            return Ok(preset);
        }
        let files = self.by_name.keys().filter(|name| name.ends_with(FILE_SUFFIX)).count();
        if files == FILE_COUNT_MAX {
            let message =
                format!("expected at most {FILE_COUNT_MAX} files of climates, found more");
            return Err(table.error("climate", message));
        }
        let text = (self.read)(name).map_err(|error| {
            table.error("climate", format!("expected a preset's file, found {name}: {error}"))
        })?;
        Preset::parse(name, &text)
    }
}

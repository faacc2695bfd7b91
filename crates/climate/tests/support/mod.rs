//! The committed files of a set: its targets, and its preset where there is one.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};

use worldbus_climate::targets::Targets;
use worldbus_world::preset::Preset;

/// Simulated years of a set.
pub(crate) const YEAR_COUNT: u32 = 30;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The figures of a set's record.
pub(crate) fn targets(set: &str) -> Targets {
    let path = here(&format!("targets/{set}.toml"));
    let text = std::fs::read_to_string(&path).expect("a committed file");
    Targets::parse(&path.to_string_lossy(), &text).expect("targets")
}

/// The names of all sets that have targets.
pub(crate) fn names_of_targets() -> Vec<String> {
    let files = std::fs::read_dir(here("targets")).expect("a folder");
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    files.filter_map(|file| stem(file.expect("a file").path())).collect()
}

/// A set's preset: one that is built in, or one that is kept for this test.
pub(crate) fn preset(set: &str) -> Option<Preset> {
    let places = ["../world/presets", "presets"].map(|place| here(&format!("{place}/{set}.toml")));
    let text = places.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    Some(Preset::parse(set, &text).expect("a committed preset"))
}

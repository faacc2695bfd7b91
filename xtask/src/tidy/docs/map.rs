//! ARCHITECTURE.md is true: it names every package, and what it names exists.
//!
//! Names stand in backticks. A package is named by its folder (`crates/bus`). Something that looks
//! like a path of ours must exist, and `path.rs::name` must be a function in that file, so that an
//! invariant cannot outlive the test that holds it. What the prose means is not checked.

use crate::repo::{Package, TextFile};
use crate::tidy::Violation;

const MAP: &str = "ARCHITECTURE.md";

/// First parts of paths that are ours.
const FOLDERS: &[&str] = &[
    ".cargo", ".ci", ".config", "crates", "deploy", "docs", "examples", "fuzz", "proto", "web",
    "worlds", "xtask",
];

/// Checks the map against the packages and files; `exists` answers for paths from the root.
pub(in crate::tidy) fn check(
    packages: &[Package],
    files: &[TextFile],
    exists: &dyn Fn(&str) -> bool,
) -> Vec<Violation> {
    let Some(map) = files.iter().find(|file| file.path == MAP) else {
        let mend = "write it: picture, entry points, a paragraph per crate, invariants, glossary";
        return vec![violation(None, "does not exist".to_owned(), mend)];
    };
    let names: Vec<(usize, &str)> = map.text.lines().enumerate().flat_map(names).collect();
    let unnamed = packages.iter().filter(|p| !names.iter().any(|(_, name)| *name == p.folder));
    let mut violations: Vec<Violation> = unnamed
        .map(|package| {
            let what = format!("does not name the package `{}`", package.folder);
            violation(None, what, "give it a paragraph, with its folder in backticks")
        })
        .collect();
    for (line, name) in names {
        let fault = fault_of(name, files, exists);
        let mend = "correct the name, or take out what is no longer so";
        violations.extend(fault.map(|fault| violation(Some(line), fault, mend)));
    }
    violations
}

/// What stands in backticks in a line, with the line's number.
fn names((index, line): (usize, &str)) -> impl Iterator<Item = (usize, &str)> {
    line.split('`').skip(1).step_by(2).map(move |name| (index + 1, name))
}

fn fault_of(name: &str, files: &[TextFile], exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let (path, function) = match name.split_once("::") {
        Some((path, function)) => (path, Some(function)),
        None => (name, None),
    };
    if !is_path(path) {
        return None;
    }
    if !exists(path.trim_end_matches("/*")) {
        return Some(format!("names `{path}`, which does not exist"));
    }
    let function = function?.rsplit("::").next()?;
    let file = files.iter().find(|file| file.path == path);
    let is_there = file.is_some_and(|file| file.text.contains(&format!("fn {function}(")));
    (!is_there).then(|| format!("names the function `{function}`, which `{path}` does not have"))
}

fn is_path(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    let folder = name.split_once('/').map(|(folder, _)| folder);
    let is_ours = match folder {
        Some(folder) => FOLDERS.contains(&folder),
        None => name.ends_with(".md") || name.ends_with(".toml"),
    };
    is_ours && name.chars().all(plain)
}

fn violation(line: Option<usize>, what: String, mend: &str) -> Violation {
    Violation { file: MAP.to_owned(), line, what, mend: mend.to_owned() }
}

#[cfg(test)]
mod tests;

//! No circle of `use` between files of a crate.
//!
//! Files that name each other cannot be read, moved or tested one at a time. A file and what lies
//! under it may name each other: a parent uses its children, and they its types. What two siblings
//! need of each other belongs into a third. Names are followed through re-exports, so that a
//! circle does not hide behind the root of the crate.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Modules, Path};
use crate::repo::{Package, TextFile};
use crate::tidy::Violation;
use crate::tidy::ratchet::{Finding, place};

/// The ratchet's name for it.
pub(in crate::tidy) const NAME: &str = "circles";

/// Every file that is in a circle.
pub(in crate::tidy) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    packages.iter().flat_map(|package| check_package(package, files)).collect()
}

fn check_package(package: &Package, files: &[TextFile]) -> Vec<Finding> {
    let modules = Modules::of(&format!("{}/src/", package.folder), files);
    let edges = modules.edges().into_iter().filter(|(from, to)| !is_kin(from, to));
    let mut next: BTreeMap<Path, BTreeSet<Path>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let in_circle = modules.0.iter().filter_map(|(of, module)| Some((circle(of, &next)?, module)));
    in_circle
        .map(|(circle, module)| Finding {
            check: NAME,
            place: place(&module.file),
            violation: Violation {
                file: module.file.clone(),
                line: None,
                what: format!("is in a circle: {}", circle.join(" -> ")),
                mend: "move what both need into a third, or hand it over as an argument".to_owned(),
            },
        })
        .collect()
}

/// One is the other's parent, or an ancestor of it.
fn is_kin(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// A shortest way from a module back to itself, by name.
fn circle(of: &Path, next: &BTreeMap<Path, BTreeSet<Path>>) -> Option<Vec<String>> {
    let mut ways: Vec<Vec<&Path>> = vec![vec![of]];
    let mut seen = BTreeSet::new();
    let mut at = 0;
    while at < ways.len() {
        let way = ways[at].clone();
        for to in way.last().and_then(|last| next.get(*last)).into_iter().flatten() {
            let onward: Vec<&Path> = way.iter().copied().chain([to]).collect();
            if to == of {
                return Some(onward.iter().map(|path| path.join("::")).collect());
            }
            if seen.insert(to) {
                ways.push(onward);
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests;

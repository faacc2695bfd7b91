//! Tests of the report, and builders that the checks' tests share.

use super::{Violation, report};
use crate::repo::{Dependency, Kind, Package, TextFile};

pub(crate) fn package(folder: &str, dependencies: &[(&str, Kind)]) -> Package {
    let dependencies = dependencies.iter();
    let name = match folder.strip_prefix("crates/") {
        Some("worldbus") => "worldbus".to_owned(),
        Some(short) => format!("worldbus-{short}"),
        None => super::short(folder).to_owned(),
    };
    let dependencies =
        dependencies.map(|&(name, kind)| Dependency { name: name.to_owned(), kind }).collect();
    Package { name, folder: folder.to_owned(), is_service: false, dependencies }
}

/// The same of a service of a world.
pub(crate) fn service(folder: &str, dependencies: &[(&str, Kind)]) -> Package {
    Package { is_service: true, ..package(folder, dependencies) }
}

pub(crate) fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}

/// The violations as `file:line what`, for comparing.
pub(crate) fn brief(violations: &[Violation]) -> Vec<String> {
    let line = |violation: &Violation| violation.line.map_or(0, |line| line);
    violations.iter().map(|v| format!("{}:{} {}", v.file, line(v), v.what)).collect()
}

#[test]
fn report_names_place_fault_and_cure() {
    let violation = Violation {
        file: "a.rs".to_owned(),
        line: Some(3),
        what: "is wrong".to_owned(),
        mend: "set it right".to_owned(),
    };
    assert_eq!(
        report("words", &[violation]),
        "tidy words: 1 violation(s)\n  a.rs:3: is wrong\n      mend: set it right"
    );
    assert_eq!(report("words", &[]), "tidy words: ok");
}

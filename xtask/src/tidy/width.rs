//! Lines of Rust have at most 100 columns.
//!
//! rustfmt holds this for code, but neither for comments nor for code that it gives up on. A
//! comment that holds an address is exempt, since addresses cannot be broken.

use super::Violation;
use crate::repo::TextFile;

const COLUMNS_MAX: usize = 100;

/// No line of a `.rs` file is wider than [`COLUMNS_MAX`].
pub(super) fn check(files: &[TextFile]) -> Vec<Violation> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    rust.flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !is_address(line) {
            violations.push(Violation {
                file: file.path.clone(),
                line: Some(index + 1),
                what: format!("has {columns} columns"),
                mend: format!("break the line at {COLUMNS_MAX}"),
            });
        }
    }
    violations
}

fn is_address(line: &str) -> bool {
    line.trim_start().starts_with("//") && line.contains("://")
}

#[cfg(test)]
mod tests;

//! Every Rust file begins with `//!`: what it is for, and what it is not for.
//!
//! Build scripts, tests and committed generated files included.

use crate::repo::TextFile;
use crate::tidy::Violation;

/// The first line of each `.rs` file is an inner doc comment with words in it.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Violation> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    let bare = rust.filter(|file| !has_header(&file.text));
    let describe = |file: &TextFile| Violation {
        file: file.path.clone(),
        line: Some(1),
        what: "does not begin with `//!`".to_owned(),
        mend: "say in the first line what the file is for, then what it is not for".to_owned(),
    };
    bare.map(describe).collect()
}

fn has_header(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty())
}

#[cfg(test)]
mod tests;

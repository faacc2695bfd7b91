//! Every decision in `docs/adr` has a status and a date, and the index lists it.
//!
//! Below the title stand `Status: accepted`, or `Status: superseded by` with a link, and
//! `Date: YYYY-MM-DD`. Whether it has context, choice and consequences, a reviewer judges.

use crate::repo::TextFile;
use crate::tidy::Violation;

const FOLDER: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

/// Every decision without what a reader looks for first.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Violation> {
    let index = files.iter().find(|file| file.path == INDEX);
    let index = index.map_or("", |file| &file.text);
    let decisions = files.iter().filter(|file| {
        file.path.starts_with(FOLDER) && file.path != INDEX && file.path.ends_with(".md")
    });
    decisions.flat_map(|file| check_file(file, index)).collect()
}

fn check_file(file: &TextFile, index: &str) -> Vec<Violation> {
    let value = |key: &str| file.text.lines().find_map(|line| line.strip_prefix(key));
    let name = file.path.strip_prefix(FOLDER).unwrap_or(&file.path);
    let mut violations = Vec::new();
    let mut found = |what: &str, mend: &str| {
        let (what, mend) = (what.to_owned(), mend.to_owned());
        violations.push(Violation { file: file.path.clone(), line: None, what, mend });
    };
    if !value("Status: ").is_some_and(is_status) {
        found("has no `Status:` line", "`Status: accepted` or `Status: superseded by [N](….md)`");
    }
    if !value("Date: ").is_some_and(is_date) {
        found("has no `Date:` line", "the day of the decision: `Date: YYYY-MM-DD`");
    }
    if !index.contains(&format!("]({name})")) {
        found("is not in the index", "list it in docs/adr/README.md");
    }
    violations
}

fn is_status(status: &str) -> bool {
    status == "accepted" || status.starts_with("superseded by [")
}

fn is_date(date: &str) -> bool {
    let digits: Vec<&str> = date.split('-').collect();
    let lengths: Vec<usize> = digits.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && digits.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;

//! Words that are not committed: issue numbers, paths of a machine, unfinished code.
//!
//! A reader of the tree has neither our tracker nor our machine. Ignored tests and `todo` are
//! promises without a reader. What rustc or clippy refuse anyway is not repeated here.

use super::Violation;
use crate::repo::TextFile;

// Put together at compile time, so that this file does not hold what it looks for.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wor", "k/"), concat!("/tmp/", "brief"), concat!("/roo", "t/")];
const UNFINISHED: &[&str] = &[
    concat!("#[", "ignore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
];

/// Digits after a hash sign that can be an issue's number rather than a colour.
const ISSUE_DIGITS_MAX: usize = 5;

/// No text file holds one of these words.
pub(super) fn check(files: &[TextFile]) -> Vec<Violation> {
    let ours = files.iter().filter(|file| !file.path.ends_with(".lock"));
    ours.flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Violation> {
    let is_rust = file.path.ends_with(".rs");
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut found = |what: String, mend: &str| {
            let (file, line) = (file.path.clone(), Some(index + 1));
            violations.push(Violation { file, line, what, mend: mend.to_owned() });
        };
        if let Some(number) = issue_number(line) {
            found(format!("names an issue: `{number}`"), "say the reason itself instead");
        }
        if let Some(path) = MACHINE_PATHS.iter().find(|path| holds_path(line, path)) {
            found(format!("names a machine's path: `{path}`"), "name it from the root of the tree");
        }
        if let Some(word) = UNFINISHED.iter().find(|word| is_rust && line.contains(**word)) {
            let mend = "finish it; assert today's wrong result with a FIXME, or take it out";
            found(format!("is unfinished: `{word}`"), mend);
        }
    }
    violations
}

/// The word with a number behind it, or a free-standing hash sign with a number.
fn issue_number(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    for (at, word) in lower.match_indices("issue") {
        let rest = &lower[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let number = rest.trim_start_matches([' ', '#', '/']);
        if number.len() < rest.len() && number.starts_with(|c: char| c.is_ascii_digit()) {
            return line[at..].split_inclusive(|c: char| c.is_ascii_digit()).next();
        }
    }
    line.match_indices('#').find_map(|(at, _)| hash_number(line, at))
}

fn hash_number(line: &str, at: usize) -> Option<&str> {
    let before = line[..at].chars().next_back();
    let free = before.is_none_or(|c| c.is_whitespace() || c == '(' || c == '[');
    let rest = &line[at + 1..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = rest[digits..].chars().next();
    let ends = after.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '"');
    let is_number = (1..=ISSUE_DIGITS_MAX).contains(&digits);
    (free && ends && is_number).then(|| &line[at..=at + digits])
}

/// The path stands there from the root on, not as the tail of a longer one.
fn holds_path(line: &str, path: &str) -> bool {
    let is_root = |at: usize| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-*}$".contains(c))
    };
    line.match_indices(path).any(|(at, _)| is_root(at))
}

#[cfg(test)]
mod tests;

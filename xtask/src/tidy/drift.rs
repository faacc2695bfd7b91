//! Words that drifted from the field's own: a reader who knows other buses and brokers should read
//! ours without a dictionary.
//!
//! In comments, texts, docs and names alike. `publish`, `receive`, `fail`, `report`, `estimate`,
//! `again` and their like are what to write instead. Not a check of spelling or of style.

use super::Violation;
use super::ratchet::{Finding, place};
use crate::repo::TextFile;

/// The ratchet's name for it.
pub(super) const NAME: &str = "drift";

/// Each with what to write instead.
const DRIFTED: &[(&str, &str)] = &[
    ("told", "reported, published, given"),
    ("tells", "reports, publishes, shows"),
    ("says", "states, names, reports"),
    ("said", "stated, reported"),
    ("hears", "receives"),
    ("heard", "received"),
    ("somebody", "a person, a client, another process"),
    ("nobody", "no one, no client, no process"),
    ("beside", "next to, with"),
    ("anew", "again"),
    ("reckon", "estimate, compute"),
    ("reckons", "estimates, computes"),
    ("reckoned", "estimated, computed"),
    ("reckoning", "estimate, computation"),
    ("whosoever", "any client that"),
    ("whomsoever", "any client that"),
];

/// Two words that are one idea; with a capital or an underscore they are Rust's `None`.
const PHRASE: (&str, &str) = ("is none", "is missing, is invalid, does not exist");

/// Where such a word is right, with the reason.
const RIGHT: &[(&str, &str)] = &[
    ("xtask/src/tidy/drift", "the words themselves"),
    ("docs/adr/", "a decision is superseded, never edited"),
    ("docs/evidence/", "a record of what was measured"),
    ("docs/reference/rest.md", "generated: its words are counted where they are written"),
    ("Cargo.lock", "names of others"),
    ("fuzz/corpus/", "bytes"),
];

/// Every drifted word.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let is_right = |path: &str| RIGHT.iter().any(|(right, _)| path.starts_with(right));
    let ours = files.iter().filter(|file| !is_right(&file.path));
    ours.flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (word, instead) in drifted(line) {
            let (what, mend) = (format!("`{word}`"), format!("write: {instead}"));
            let (file, line) = (file.path.clone(), Some(index + 1));
            let place = place(&file);
            let violation = Violation { file, line, what, mend };
            findings.push(Finding { check: NAME, place, violation });
        }
    }
    findings
}

fn drifted(line: &str) -> Vec<(&'static str, &'static str)> {
    let phrases = line.matches(PHRASE.0).count();
    let words = words(line).into_iter();
    let words = words.filter_map(|word| DRIFTED.iter().find(|(drifted, _)| *drifted == word));
    words.copied().chain(std::iter::repeat_n(PHRASE, phrases)).collect()
}

/// The words of a line in lower case, those that names are made of included.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in line.chars() {
        let begins = !c.is_alphabetic() || (c.is_uppercase() && before.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphabetic(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests;

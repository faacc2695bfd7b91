//! What is not right yet, counted: `xtask/ratchet.txt`, whose figures may only go down.
//!
//! For rules that came after the code which breaks them. A line names the check, where it counts,
//! and how many there may be. What moves from one place to another is no change for the worse:
//! `tidy --tighten` writes the figures as they are, as long as no check's sum rises. Checks whose
//! sum is zero have no line and need none.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Violation;
use crate::repo::TextFile;

/// Where the figures are committed, from the root.
pub(super) const FILE: &str = "xtask/ratchet.txt";

const HEAD: &str = "\
# How often a rule of `cargo xtask tidy` is still broken: check, place, count at most.
# Figures only go down; `cargo xtask tidy --tighten` writes what there is.
";

/// By check and place.
pub(super) type Counts = BTreeMap<(String, String), usize>;

/// What is found against a rule in each place.
pub(in crate::tidy) struct Finding {
    pub(in crate::tidy) check: &'static str,
    pub(in crate::tidy) place: String,
    pub(in crate::tidy) violation: Violation,
}

/// The violations in places where there are more than the committed figures allow.
pub(super) fn beyond(findings: Vec<Finding>, allowed: &Counts) -> Vec<Violation> {
    let counts = count(&findings);
    let is_beyond = |finding: &Finding| {
        let key = (finding.check.to_owned(), finding.place.clone());
        counts.get(&key) > allowed.get(&key).or(Some(&0))
    };
    let mut violations: Vec<Violation> =
        findings.into_iter().filter(is_beyond).map(|finding| finding.violation).collect();
    violations.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    violations
}

pub(super) fn count(findings: &[Finding]) -> Counts {
    let mut counts = Counts::new();
    for Finding { check, place, .. } in findings {
        *counts.entry(((*check).to_owned(), place.clone())).or_default() += 1;
    }
    counts
}

/// The committed figures.
pub(super) fn read(files: &[TextFile]) -> Result<Counts> {
    let file = files.iter().find(|file| file.path == FILE);
    parse(file.map_or("", |file| &file.text))
}

fn parse(text: &str) -> Result<Counts> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let (check, place, count) = (words.next()?, words.next()?, words.next()?);
        Some(((check.to_owned(), place.to_owned()), count.parse().ok()?))
    };
    lines.map(|line| read(line).with_context(|| format!("{FILE}: invalid line `{line}`"))).collect()
}

pub(super) fn print(counts: &Counts) -> String {
    let mut text = HEAD.to_owned();
    for ((check, place), count) in counts {
        text.push_str(&format!("{check:<8} {place:<28} {count}\n"));
    }
    text
}

/// The check whose sum would rise, with both sums.
pub(super) fn rise(counts: &Counts, allowed: &Counts) -> Option<String> {
    let sum = |counts: &Counts, check: &str| -> usize {
        counts.iter().filter(|((of, _), _)| of == check).map(|(_, count)| count).sum()
    };
    let risen = counts.keys().find(|(check, _)| sum(counts, check) > sum(allowed, check))?;
    let (now, before) = (sum(counts, &risen.0), sum(allowed, &risen.0));
    Some(format!("{}: {now} where {before} were allowed", risen.0))
}

/// How many more of a check the figures allow than there are.
pub(super) fn slack(check: &str, findings: &[Finding], allowed: &Counts) -> usize {
    let counts = count(findings);
    let of = allowed.iter().filter(|((of, _), _)| of == check);
    let spare =
        of.map(|(key, allowed)| allowed.saturating_sub(counts.get(key).copied().unwrap_or(0)));
    spare.sum()
}

/// Where something counts: a crate's folder, or the first folder of anything else.
pub(in crate::tidy) fn place(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [_] => "root".to_owned(),
        [top @ ("crates" | "examples" | "sdk"), of, _, ..] => format!("{top}/{of}"),
        [top, ..] => (*top).to_owned(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests;

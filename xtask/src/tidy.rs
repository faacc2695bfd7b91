//! `cargo xtask tidy`: the invariants of the architecture that a program can check.
//!
//! A rule that is not checked is only a wish. Each check is a pure function from what the
//! repository holds to violations, with a failing example among its tests. Style that rustfmt and
//! clippy already hold is not repeated here. Rules that came after the code are counted: `ratchet`.

mod arrows;
mod docs;
mod drift;
mod ratchet;
mod rust;
mod vendors;
mod width;
mod words;

use std::fs;

use anyhow::{Result, bail};

use crate::repo::{Repo, TextFile};
use docs::{adr, links, map, quotes};
use ratchet::Finding;
use rust::{circles, compiled, flat, headers, imports};

/// A place that breaks a rule, and how to mend it.
#[derive(Debug)]
pub(crate) struct Violation {
    /// Relative to the root.
    file: String,
    /// From 1; `None` when it is about the file as a whole.
    line: Option<usize>,
    what: String,
    mend: String,
}

/// Runs what the options ask for: nothing (every check), `--tighten`, or `--fix`.
pub(crate) fn command(options: &[&str]) -> Result<()> {
    match options {
        [] => run(),
        ["--tighten"] => tighten(),
        ["--fix"] => fix(),
        unknown => bail!("unknown options: {}; there are --tighten, --fix", unknown.join(" ")),
    }
}

/// Runs every check and prints every violation; an error when there is one.
pub(crate) fn run() -> Result<()> {
    let repo = Repo::load()?;
    let files = repo.text_files()?;
    let exists = |path: &str| repo.root.join(path).exists();
    let mut checks = vec![
        ("arrows", arrows::check(&repo.packages)),
        ("vendors", vendors::check(&repo.packages)),
        ("headers", headers::check(&files)),
        ("compiled", compiled::check(&files)),
        ("map", map::check(&repo.packages, &files, &exists)),
        ("adr", adr::check(&files)),
        ("links", links::check(&files, &exists)),
        ("quotes", quotes::check(&files)),
        ("words", words::check(&files)),
        ("width", width::check(&files)),
    ];
    let allowed = ratchet::read(&files)?;
    let mut slack = 0;
    for (name, findings) in counted(&repo, &files) {
        slack += ratchet::slack(name, &findings, &allowed);
        checks.push((name, ratchet::beyond(findings, &allowed)));
    }
    let count: usize = checks.iter().map(|(_, violations)| violations.len()).sum();
    for (name, violations) in &checks {
        println!("{}", report(name, violations));
    }
    if slack > 0 {
        println!("tidy: {slack} fewer than {} allows; try --tighten", ratchet::FILE);
    }
    if count > 0 {
        bail!("tidy: {count} violation(s)");
    }
    Ok(())
}

/// The checks whose findings are held by the ratchet.
fn counted(repo: &Repo, files: &[TextFile]) -> [(&'static str, Vec<Finding>); 4] {
    [
        (circles::NAME, circles::check(&repo.packages, files)),
        (flat::NAME, flat::check(files)),
        (imports::NAME, imports::check(files)),
        (drift::NAME, drift::check(files)),
    ]
}

/// Writes the ratchet's figures as they are, unless a check has more than before.
fn tighten() -> Result<()> {
    let repo = Repo::load()?;
    let files = repo.text_files()?;
    let findings = counted(&repo, &files).into_iter().flat_map(|(_, findings)| findings);
    let counts = ratchet::count(&findings.collect::<Vec<_>>());
    if let Some(rise) = ratchet::rise(&counts, &ratchet::read(&files)?) {
        bail!("the ratchet only goes down: {rise}");
    }
    fs::write(repo.root.join(ratchet::FILE), ratchet::print(&counts))?;
    Ok(())
}

/// Puts right what a program can: the order of imports.
fn fix() -> Result<()> {
    let repo = Repo::load()?;
    for file in repo.text_files()?.iter().filter(|file| file.path.ends_with(".rs")) {
        if let Some(text) = imports::fixed(&file.text) {
            println!("{}", file.path);
            fs::write(repo.root.join(&file.path), text)?;
        }
    }
    Ok(())
}

fn report(name: &str, violations: &[Violation]) -> String {
    let verdict = match violations.len() {
        0 => "ok".to_owned(),
        n => format!("{n} violation(s)"),
    };
    let mut text = format!("tidy {name}: {verdict}");
    for Violation { file, line, what, mend } in violations {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        text.push_str(&format!("\n  {file}{line}: {what}\n      mend: {mend}"));
    }
    text
}

/// A Rust file of what ships: neither an integration test nor the tests of a module.
fn is_shipped(path: &str) -> bool {
    let mut parts = path.split('/');
    path.ends_with(".rs")
        && path.contains("src/")
        && !parts.any(|part| part == "tests" || part == "tests.rs")
}

/// The folder of a package without `crates/`: the word that people use for it.
fn short(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

#[cfg(test)]
mod tests;

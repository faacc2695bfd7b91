//! `cargo xtask tidy`: the invariants of the architecture that a program can check.
//!
//! A rule that nobody checks is only a wish. Each check is a pure function from what the repository
//! holds to violations, with a failing example among its tests. Style that rustfmt and clippy
//! already hold is not repeated here.

mod arrows;
mod headers;
mod map;
mod vendors;
mod width;
mod words;

use anyhow::{Result, bail};

use crate::repo::Repo;

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

/// Runs every check and prints every violation; an error when there is one.
pub(crate) fn run() -> Result<()> {
    let repo = Repo::load()?;
    let files = repo.text_files()?;
    let exists = |path: &str| repo.root.join(path).exists();
    let checks = [
        ("arrows", arrows::check(&repo.packages)),
        ("vendors", vendors::check(&repo.packages)),
        ("headers", headers::check(&files)),
        ("map", map::check(&repo.packages, &files, &exists)),
        ("words", words::check(&files)),
        ("width", width::check(&files)),
    ];
    let count: usize = checks.iter().map(|(_, violations)| violations.len()).sum();
    for (name, violations) in &checks {
        println!("{}", report(name, violations));
    }
    if count > 0 {
        bail!("tidy: {count} violation(s)");
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

/// The folder of a package without `crates/`: the word that people use for it.
fn short(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

#[cfg(test)]
mod tests;

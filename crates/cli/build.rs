//! Gives the binary the commit that it is built from, for `worldbus --version` and `/version`: what
//! the variable `WORLDBUS_COMMIT` names, as in an image; else git's commit of this working tree;
//! else `unknown`.
//! Only this crate is built again when the commit changes.
#![expect(clippy::disallowed_methods, reason = "a build script reads its environment")]

use std::path::Path;
use std::process::Command;

/// Digits of a commit that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WORLDBUS_COMMIT");
    let given = std::env::var("WORLDBUS_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(of_git).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=WORLDBUS_BUILT_FROM={commit}");
    let commit: String = commit.chars().take(DIGITS).collect();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=WORLDBUS_VERSION={version} ({commit})");
}

/// The commit of our own working tree, not of one that we were unpacked into.
fn of_git() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    if !root.join(".git").exists() {
        return None;
    }
    // Each commit and checkout appends to the log of HEAD.
    for file in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", file])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(root, &["rev-parse", "HEAD"])
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

//! The archive of a release for the system that this runs on: `cargo xtask archive`.
//!
//! The binary with its licences, its bill of materials, what completes its command line in shells,
//! and its man pages. Not the image of all services: `image`. Not for putting it anywhere.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::run_command;
use super::sbom::{self, Subject};
use crate::repo::{Repo, cargo, output};

/// From the root, as they are.
const FILES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"];

/// `worldbus completions SHELL` is kept under this name.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "worldbus.bash"),
    ("elvish", "worldbus.elv"),
    ("fish", "worldbus.fish"),
    ("powershell", "worldbus.ps1"),
    ("zsh", "_worldbus"),
];

/// Builds the binary and packs it; prints where the archive is.
pub(crate) fn command() -> Result<()> {
    let repo = Repo::load()?;
    let host = host()?;
    let mut build = cargo();
    build.current_dir(&repo.root);
    build.args(["build", "--profile", "dist", "--locked", "--package", "worldbus-cli"]);
    run_command(&mut build)?;
    let binary = repo.target_dir.join("dist").join(format!("worldbus{EXE_SUFFIX}"));
    let name = format!("worldbus-{}-{host}", env!("CARGO_PKG_VERSION"));
    let folder = repo.target_dir.join("archive").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&repo, &binary, &host, &folder)?;
    println!("{}", pack(&folder, &name)?.display());
    Ok(())
}

/// The machine that we build on, which is also what we build for.
pub(super) fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

fn fill(repo: &Repo, binary: &Path, host: &str, folder: &Path) -> Result<()> {
    let completions = folder.join("completions");
    let man = folder.join("man");
    fs::create_dir_all(&completions)?;
    fs::create_dir_all(&man)?;
    fs::copy(binary, folder.join(format!("worldbus{EXE_SUFFIX}")))?;
    for file in FILES {
        fs::copy(repo.root.join(file), folder.join(file))?;
    }
    let sbom = sbom::of_binary(repo, host, Subject::Archive)?;
    fs::write(folder.join("worldbus.cdx.json"), sbom)?;
    for (shell, file) in COMPLETIONS {
        let script = output(Command::new(binary).args(["completions", shell]))?;
        fs::write(completions.join(file), script)?;
    }
    run_command(Command::new(binary).arg("man").arg(man))
}

/// A zip for Windows, a compressed tar elsewhere, next to the folder.
fn pack(folder: &Path, name: &str) -> Result<PathBuf> {
    let parent = folder.parent().context("the archive is in a folder")?;
    // The tar of Windows writes zips by the name's ending.
    let (ending, options) = if cfg!(windows) { ("zip", "-acf") } else { ("tar.gz", "-czf") };
    let archive = parent.join(format!("{name}.{ending}"));
    let mut tar = Command::new("tar");
    run_command(tar.arg(options).arg(&archive).arg("-C").arg(parent).arg(name))?;
    Ok(archive)
}

//! `cargo xtask bench`: builds what is distributed, installs the peers, and measures all of it in
//! one interleaved run on this machine; writes the page about performance, its plots, every run as
//! JSON, and the points that `worldbus plan` has built in. With `--soak` it is one steady load for
//! a long time instead.
//!
//! Here is the order of things. What a single measurement does is in `worldbus bench` (ours) and in
//! `worldbus-bench` (peers, codecs); what is measured is in `rows` and `curves`. No gate: figures
//! of one machine at one time, of which only ratios within one run mean much.

mod curves;
mod curves_page;
mod machine;
mod numbers;
mod options;
mod page;
mod peers;
mod plot;
mod points;
mod rows;
mod runner;
mod soak;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::repo::{Repo, cargo};
use machine::Probe;
use options::Options;
use runner::{Programs, Runner};

/// Where every run stands, and the plots.
const FOLDER: &str = "docs/evidence/performance";
/// What a run has measured so far, for one that is broken off: half an hour is long.
const SO_FAR: &str = "so-far.json";
/// The page, in `docs`.
const PAGE: &str = "performance.md";

/// Runs what the options ask for.
pub(crate) fn command(options: &[&str]) -> Result<()> {
    let options = Options::parse(options)?;
    let repo = Repo::load()?;
    if let Some(minutes) = options.soak {
        return soak::command(&options, minutes, &repo);
    }
    if options.render {
        let text = fs::read_to_string(repo.root.join(FOLDER).join("figures.json"))?;
        return write(&repo.root, &serde_json::from_str(&text)?);
    }
    let built = match &options.built {
        Some(folder) => folder.clone(),
        None => build(&repo, &["worldbus-cli", "worldbus-bench"])?,
    };
    let programs = Programs::find(&repo, &built)?;
    let before = probed(&options, &programs.data)?;
    let mut figures = json!({
        "command": options.text,
        "machine": machine::describe(&repo.root)?,
        "versions": programs.versions()?,
        "seeds": "none: events are numbered, and only producer ids are random",
        "before": before.json(),
    });
    let mut runner = Runner::new(programs, rows::planned_s(&options) + curves::planned_s(&options));
    let so_far = repo.target_dir.join("bench").join(SO_FAR);
    figures["rows"] = rows::measure(&mut runner, &options);
    keep(&so_far, &figures)?;
    figures["single"] = rows::measure_single(&mut runner, &options);
    keep(&so_far, &figures)?;
    figures["curves"] = curves::measure(&mut runner, &options);
    keep(&so_far, &figures)?;
    let after = Probe::take(&runner.programs.data)?;
    println!("after: {after}");
    figures["after"] = after.json();
    // What is left out of a run must not be left out of the page.
    if options.is_partial() {
        print!("{}", page::text(&figures));
        return write(&repo.target_dir.join("bench"), &figures);
    }
    write(&repo.root, &figures)
}

/// What the machine is like before a run that it is quiet enough for.
fn probed(options: &Options, data: &Path) -> Result<Probe> {
    let before = Probe::take(data)?;
    println!("before: {before}");
    if let Some(reason) = before.reason_against() {
        match options.noisy {
            true => println!("warning: {reason}"),
            false => bail!("{reason}; stop that, or measure all the same with --noisy"),
        }
    }
    Ok(before)
}

/// Builds packages as they are distributed; where their programs are.
fn build(repo: &Repo, packages: &[&str]) -> Result<std::path::PathBuf> {
    println!("building what is distributed (ten minutes, the first time)");
    let mut build = cargo();
    build.current_dir(&repo.root).args(["build", "--profile", "dist", "--locked", "--quiet"]);
    let status = build.args(packages.iter().flat_map(|name| ["-p", name])).status()?;
    if !status.success() {
        bail!("the build failed ({status})");
    }
    Ok(repo.target_dir.join("dist"))
}

fn keep(file: &Path, figures: &Value) -> Result<()> {
    keep_text(file, &format!("{figures:#}\n"))
}

fn keep_text(file: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    fs::write(file, text).with_context(|| file.display().to_string())
}

/// Writes every run, the plots, the page, and the points that `worldbus plan` has built in, each at
/// its place under a folder.
fn write(root: &Path, figures: &Value) -> Result<()> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(folder.join("figures.json"), format!("{figures:#}\n"))?;
    for (name, svg) in curves_page::plots(figures) {
        fs::write(folder.join(name), svg)?;
    }
    keep_text(&root.join(points::FILE), &points::text(figures))?;
    let page = root.join("docs").join(PAGE);
    fs::write(&page, page::text(figures))?;
    println!("written: {}, {}", page.display(), folder.display());
    Ok(())
}

#[cfg(test)]
mod tests;

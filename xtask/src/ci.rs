//! `cargo xtask ci`: installs what the tests need and runs all of them, in order.
//!
//! What CI runs is this and nothing else, so that a person can run the same. Every step runs even
//! when an earlier one failed, so that one run shows every failure; the summary at the end and the
//! exit code judge. Steps that mostly wait run side by side. Two more lanes are for people:
//! `--fast` before a commit, `--long` before a release.

pub(crate) mod archive;
mod contract;
mod counts;
mod examples;
#[cfg_attr(not(target_os = "linux"), path = "ci/no_image.rs")]
pub(crate) mod image;
pub(crate) mod openapi;
mod pairs;
mod sbom;
mod server;
mod steps;
pub(crate) mod tools;
mod workflow;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repo::Repo;
use tools::Tools;

/// One thing that CI does. It installs the tools it needs itself, so that it also runs alone.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Lane) -> Result<()>,
    /// It waits more than it computes, and disturbs no other: it may run with its neighbours.
    waits: bool,
}

const fn step(name: &'static str, about: &'static str, run: fn(&Lane) -> Result<()>) -> Step {
    Step { name, about, run, waits: false }
}

const fn waits(name: &'static str, about: &'static str, run: fn(&Lane) -> Result<()>) -> Step {
    Step { name, about, run, waits: true }
}

/// Everything, in order. There is no step that builds: `test` does.
const STEPS: &[Step] = &[
    step("fmt", "sources are formatted", steps::fmt),
    step("tidy", "invariants of the architecture", steps::tidy),
    step("clippy", "lints, warnings denied", steps::clippy),
    step("deny", "licences, bans, sources of dependencies", steps::deny),
    step("test", "unit, integration and reliability tests", steps::test),
    step("bits", "weather and people are the same in any build", steps::bits),
    step("counts", "an event takes no more instructions", counts::step),
    step("doctest", "examples in the docs run", steps::doctest),
    step("windows", "types hold on Windows", steps::windows),
    step("doc", "docs build, warnings denied", steps::doc),
    step("static", "the image's binary is built", image::build),
    waits("buf", "proto/ obeys buf's STANDARD rules", contract::buf),
    waits("golden", "stock Python decodes golden vectors", contract::golden),
    waits("tail", "stock Python decodes a live tail", contract::tail),
    waits("asyncapi", "AsyncAPI's parser accepts ours", contract::asyncapi),
    waits("openapi", "tools accept and try our REST", openapi::openapi),
    waits("examples", "Python and Node receive a storm", examples::examples),
    waits("template", "cfn-lint accepts our templates", contract::template),
    waits("stacks", "what the stacks name is there", contract::stacks),
    waits("workflow", "GitHub can run our examples, safely", workflow::check),
    waits("book", "the docs make a book", steps::book),
    waits("image", "the image is built, runs, is confined", image::step),
];

/// What a person runs before a commit: no engine, no emulator, no container.
const FAST: &[Step] = &[
    step("fmt", "sources are formatted", steps::fmt),
    step("tidy", "invariants of the architecture", steps::tidy),
    step("clippy", "lints, warnings denied", steps::clippy),
    step("quick", "tests without engines and emulators", steps::quick),
];

/// What a person runs before a release: the same claims, tried far more often.
const LONG: &[Step] = &[
    step("repeat", "tests with many more rounds and cases", steps::repeat),
    step("forms", "ten million events in both forms", steps::forms),
    step("fuzz", "every decoder, for minutes", steps::fuzz),
];

/// What the steps share.
struct Lane {
    repo: Repo,
    tools: Tools,
}

impl Lane {
    fn load() -> Result<Self> {
        let repo = Repo::load()?;
        let tools = Tools::under(&repo.target_dir);
        Ok(Self { repo, tools })
    }
}

struct Outcome {
    name: &'static str,
    took: Duration,
    passed: bool,
}

/// Runs what the options ask for: nothing (all steps), `--fast`, `--long`, `--list`, or
/// `--only STEP[,STEP]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let chosen: Vec<&Step> = match options {
        [] => STEPS.iter().collect(),
        ["--fast"] => FAST.iter().collect(),
        ["--long"] => LONG.iter().collect(),
        ["--list"] => {
            print!("{}", list());
            return Ok(());
        }
        ["--only", names] => select(names)?,
        unknown => bail!(
            "unknown options: {}; try --list, --fast, --long or --only STEP",
            unknown.join(" ")
        ),
    };
    let lane = Lane::load()?;
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for group in chosen.chunk_by(|a, b| a.waits && b.waits) {
        match group {
            [step] => outcomes.push(run_step(step, &lane)),
            group => outcomes.extend(pairs::run(group)?),
        }
    }
    print!("{}", summary(&outcomes, start.elapsed()));
    match outcomes.iter().filter(|outcome| !outcome.passed).count() {
        0 => Ok(()),
        failed => bail!("ci: {failed} step(s) failed"),
    }
}

fn list() -> String {
    let line = |step: &Step| format!("{:<9} {}\n", step.name, step.about);
    let lane = |steps: &[Step]| steps.iter().map(line).collect::<String>();
    format!("{}\n--fast:\n{}\n--long:\n{}", lane(STEPS), lane(FAST), lane(LONG))
}

/// Steps by name, of whatever lane.
fn select(names: &str) -> Result<Vec<&'static Step>> {
    let find = |name: &str| {
        let step = STEPS.iter().chain(FAST).chain(LONG).find(|step| step.name == name);
        step.with_context(|| format!("no step is named `{name}`; see cargo xtask ci --list"))
    };
    names.split(',').map(find).collect()
}

fn run_step(step: &Step, lane: &Lane) -> Outcome {
    println!("\n=== {}: {}", step.name, step.about);
    let start = Instant::now();
    let result = (step.run)(lane);
    let took = start.elapsed();
    match &result {
        Ok(()) => println!("=== {}: ok in {:.1} s", step.name, took.as_secs_f64()),
        Err(error) => {
            println!("=== {}: FAILED in {:.1} s: {error:#}", step.name, took.as_secs_f64());
        }
    }
    Outcome { name: step.name, took, passed: result.is_ok() }
}

fn summary(outcomes: &[Outcome], total: Duration) -> String {
    let mut table = String::from("\n=== summary\n");
    for Outcome { name, took, passed } in outcomes {
        let verdict = if *passed { "ok" } else { "FAILED" };
        table.push_str(&format!("{name:<9} {:>7.1} s  {verdict}\n", took.as_secs_f64()));
    }
    table.push_str(&format!("{:<9} {:>7.1} s\n", "total", total.as_secs_f64()));
    table
}

/// Runs a command whose output the reader of the log sees; an error unless it succeeds.
fn run_command(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests;

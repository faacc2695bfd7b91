//! `cargo xtask ci`: installs what the tests need and runs all of them, in order.
//!
//! What CI runs is this and nothing else, so that a person can run the same. Every step runs even
//! when an earlier one failed, so that one run tells all; the summary at the end and the exit code
//! judge.

mod contract;
pub(crate) mod image;
mod openapi;
mod server;
mod steps;
mod tools;
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
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "sources are formatted", run: steps::fmt },
    Step { name: "tidy", about: "invariants of the architecture", run: steps::tidy },
    Step { name: "clippy", about: "lints, warnings denied", run: steps::clippy },
    Step { name: "deny", about: "licences, bans, sources of dependencies", run: steps::deny },
    Step { name: "build", about: "everything builds", run: steps::build },
    Step { name: "test", about: "unit, integration and reliability tests", run: steps::test },
    Step { name: "bits", about: "the weather is the same in any build", run: steps::bits },
    Step { name: "doctest", about: "examples in the docs run", run: steps::doctest },
    Step { name: "doc", about: "docs build, warnings denied", run: steps::doc },
    Step { name: "buf", about: "proto/ obeys buf's STANDARD rules", run: contract::buf },
    Step { name: "golden", about: "stock Python decodes golden vectors", run: contract::golden },
    Step { name: "tail", about: "stock Python decodes a live tail", run: contract::tail },
    Step { name: "asyncapi", about: "AsyncAPI's parser accepts ours", run: contract::asyncapi },
    Step { name: "openapi", about: "tools accept and try our REST", run: openapi::openapi },
    Step { name: "template", about: "cfn-lint accepts our templates", run: contract::template },
    Step { name: "stacks", about: "what the stacks name is there", run: contract::stacks },
    Step { name: "workflow", about: "GitHub can run our example, safely", run: workflow::check },
    Step { name: "image", about: "the image is built, runs, is confined", run: image::step },
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

/// Runs what the options ask for: nothing (all steps), `--list`, or `--only STEP[,STEP]`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let chosen = match options {
        [] => STEPS.iter().collect(),
        ["--list"] => {
            for Step { name, about, .. } in STEPS {
                println!("{name:<9} {about}");
            }
            return Ok(());
        }
        ["--only", names] => select(names)?,
        unknown => bail!("unknown options: {}; try --list or --only STEP", unknown.join(" ")),
    };
    let lane = Lane::load()?;
    let outcomes: Vec<Outcome> = chosen.into_iter().map(|step| run_step(step, &lane)).collect();
    print!("{}", summary(&outcomes));
    match outcomes.iter().filter(|outcome| !outcome.passed).count() {
        0 => Ok(()),
        failed => bail!("ci: {failed} step(s) failed"),
    }
}

fn select(names: &str) -> Result<Vec<&'static Step>> {
    let find = |name: &str| {
        let step = STEPS.iter().find(|step| step.name == name);
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

fn summary(outcomes: &[Outcome]) -> String {
    let mut table = String::from("\n=== summary\n");
    for Outcome { name, took, passed } in outcomes {
        let verdict = if *passed { "ok" } else { "FAILED" };
        table.push_str(&format!("{name:<9} {:>7.1} s  {verdict}\n", took.as_secs_f64()));
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
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

//! Steps that mostly wait, two at a time: each in a process of its own, whose output is printed in
//! one piece when it ends.
//!
//! Not for steps that use both cores: each would take longer and meet its deadlines late.

use std::collections::VecDeque;
use std::env;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Outcome, Step};

/// How many run at once: CI has two cores.
const AT_ONCE: usize = 2;

/// Runs the steps; the outcomes are in their order. The last is begun first, as it takes longest.
pub(super) fn run(steps: &[&Step]) -> Result<Vec<Outcome>> {
    let program = env::current_exe().context("this program has no path")?;
    let waiting = Mutex::new(steps.iter().copied().enumerate().collect::<VecDeque<_>>());
    let done = Mutex::new(Vec::new());
    let work = |from_end: bool| {
        loop {
            let mut queue = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let next = if from_end { queue.pop_back() } else { queue.pop_front() };
            drop(queue);
            let Some((index, step)) = next else { return };
            let mut command = Command::new(&program);
            let outcome = run_one(command.args(["ci", "--only", step.name]), step);
            done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, outcome));
        }
    };
    thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let work = &work;
            scope.spawn(move || work(worker == 0));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Runs a step by its command, and prints what it wrote.
fn run_one(command: &mut Command, step: &Step) -> Outcome {
    let start = Instant::now();
    let output = command.output();
    let took = start.elapsed();
    let (passed, text) = match &output {
        Ok(output) => {
            let text = [&output.stdout[..], &output.stderr[..]].concat();
            (output.status.success(), String::from_utf8_lossy(&text).into_owned())
        }
        Err(error) => (false, format!("cannot start {command:?}: {error}\n")),
    };
    print!("{text}");
    Outcome { name: step.name, took, passed }
}

#[cfg(test)]
mod tests;

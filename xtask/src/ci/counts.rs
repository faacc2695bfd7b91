//! The instructions that an event takes in the codec, counted by valgrind and held against
//! `xtask/counts.txt`. A count is the same on each run and each machine but for a few parts in a
//! thousand, so it can be held where a time cannot.
//!
//! What it cannot show: what an instruction costs, in caches and branches. `crates/bench` does.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Lane, run_command};
use crate::repo::output;

const FILE: &str = "xtask/counts.txt";
const PATHS: [&str; 2] = ["encode", "decode"];
const BATCH_EVENTS: u64 = 1000;
/// What the program itself takes is the difference of two runs.
const BATCHES: [u64; 2] = [10, 110];
/// In percent, above and below.
const TOLERANCE: f64 = 3.0;

pub(super) fn step(lane: &Lane) -> Result<()> {
    lane.tools.valgrind()?;
    let mut build = lane.cargo();
    build.args(["build", "--release", "--locked", "--package", "worldbus-counts"]);
    run_command(&mut build)?;
    let program = lane.repo.target_dir.join("release/worldbus-counts");
    let counted = PATHS.map(|path| an_event(&program, path));
    let mut found = Vec::new();
    for (path, counted) in PATHS.iter().zip(counted) {
        found.push((*path, counted?));
    }
    let file = lane.repo.root.join(FILE);
    judge(&fs::read_to_string(&file).with_context(|| file.display().to_string())?, &found)
}

/// Instructions an event.
fn an_event(program: &Path, path: &str) -> Result<f64> {
    let [few, many] = BATCHES.map(|batches| instructions(program, path, batches));
    let difference = many?.checked_sub(few?).context("more batches took fewer instructions")?;
    Ok(difference as f64 / ((BATCHES[1] - BATCHES[0]) * BATCH_EVENTS) as f64)
}

fn instructions(program: &Path, path: &str, batches: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1"]);
    let text = output(valgrind.arg(program).args([path, &batches.to_string()]))?;
    let collected = text.lines().find_map(|line| line.split("Collected :").nth(1));
    let collected = collected.with_context(|| format!("valgrind counted nothing:\n{text}"))?;
    collected.trim().parse().context("not a count")
}

/// Holds what was counted against what is committed, a line `path instructions` each.
fn judge(committed: &str, found: &[(&str, f64)]) -> Result<()> {
    let (mut wrong, mut now) = (String::new(), String::new());
    for (path, counted) in found {
        let line = committed.lines().find_map(|line| line.strip_prefix(path));
        let bound: f64 = line.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let percent = (counted - bound) / bound * 100.0;
        println!("{path}: {counted:.1} instructions an event, {bound} committed");
        // Writing to a String cannot fail.
        let _ = writeln!(now, "{path} {counted:.1}");
        if !percent.is_finite() || percent.abs() > TOLERANCE {
            let _ = writeln!(wrong, "{path}: {counted:.1} instructions an event, not {bound}");
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{wrong}If that is meant, {FILE} becomes:\n{now}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_may_differ_by_little_up_or_down() {
        let committed = "encode 300\ndecode 200.0\n";
        judge(committed, &[("encode", 308.0), ("decode", 195.0)]).expect("within");
        for (encode, decode) in [(310.0, 200.0), (300.0, 193.0)] {
            let error = judge(committed, &[("encode", encode), ("decode", decode)]);
            let error = error.expect_err("beyond").to_string();
            assert!(error.contains(&format!("encode {encode:.1}\ndecode {decode:.1}")), "{error}");
        }
        judge("", &[("encode", 300.0)]).expect_err("no bound");
    }
}

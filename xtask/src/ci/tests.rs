//! Tests of the lane: its steps can be named, its summary judges, and CI runs what the README has.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{FAST, LONG, Outcome, STEPS, list, select, summary};

const TEST_COMMAND: &str = "cargo xtask ci";

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// The lines that do something in a shell script.
fn commands(script: &str) -> Vec<&str> {
    let lines = script.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn ci_runs_the_test_command_of_the_readme_and_nothing_else() {
    let script = read(".ci/run");
    let work: Vec<&str> = commands(&script)
        .into_iter()
        .filter(|line| !line.starts_with("set ") && !line.starts_with("cd "))
        .filter(|line| !line.starts_with("export CARGO_"))
        .collect();
    assert_eq!(work, [format!("exec {TEST_COMMAND}")]);
    let readme = read("README.md");
    let in_blocks = readme.split("```").skip(1).step_by(2).flat_map(str::lines);
    assert!(
        in_blocks.into_iter().any(|line| line.split('#').next().unwrap().trim() == TEST_COMMAND)
    );
}

#[test]
fn steps_are_chosen_by_name_in_the_order_asked_for() {
    let chosen = select("tidy,fmt").unwrap();
    assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["tidy", "fmt"]);
    let error = select("tidy,nonsense").map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("`nonsense`"), "{error}");
}

#[test]
fn steps_have_different_names() {
    for lane in [STEPS, FAST, LONG] {
        for (index, step) in lane.iter().enumerate() {
            assert!(lane[..index].iter().all(|earlier| earlier.name != step.name), "{}", step.name);
        }
    }
}

#[test]
fn every_lane_and_step_is_listed() {
    let list = list();
    for step in STEPS.iter().chain(FAST).chain(LONG) {
        assert!(list.contains(&format!("{:<9} {}\n", step.name, step.about)), "{}", step.name);
    }
    let steps = ["fmt", "tidy", "clippy", "quick"];
    assert_eq!(FAST.iter().map(|step| step.name).collect::<Vec<_>>(), steps);
}

#[test]
fn summary_shows_each_step_and_the_total() {
    let outcome = |name, secs, passed| Outcome { name, took: Duration::from_secs(secs), passed };
    let outcomes = [outcome("fmt", 1, true), outcome("tidy", 2, false)];
    let table = summary(&outcomes, Duration::from_secs(3));
    assert!(table.contains("fmt           1.0 s  ok\n"), "{table}");
    assert!(table.contains("tidy          2.0 s  FAILED\n"), "{table}");
    assert!(table.contains("total         3.0 s\n"), "{table}");
}

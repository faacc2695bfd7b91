//! Tests of steps in processes of their own.

use super::*;

fn outcome(program: &str, arguments: &[&str]) -> Outcome {
    let step = Step { name: "any", about: "", run: |_| Ok(()), waits: true };
    run_one(Command::new(program).args(arguments), &step)
}

#[test]
fn step_is_judged_by_how_its_process_ends() {
    let cargo = std::env::var("CARGO").unwrap();
    assert!(outcome(&cargo, &["--version"]).passed);
    assert!(!outcome(&cargo, &["no-such-command-of-cargo"]).passed);
    let missing = outcome("no-such-program", &[]);
    assert!(!missing.passed && missing.name == "any");
}

//! The steps that cargo and its subcommands do.
//!
//! Not the checks of the contract by outside tools: `contract`.

use std::process::Command;

use anyhow::Result;

use super::{Lane, run_command};
use crate::repo::{cargo, output};

/// How often what repeats does so before a release. Without these a test has a default of its own.
const REPEATS: [(&str, &str); 7] = [
    ("PROPTEST_CASES", "20000"),
    ("WORLDBUS_TEST_CYCLES", "300"),
    ("WORLDBUS_TEST_FLIPS", "5000"),
    ("WORLDBUS_TEST_FORMS_CASES", "200000"),
    ("WORLDBUS_TEST_KILLS", "300"),
    ("WORLDBUS_TEST_OVERRIDES", "10000"),
    ("WORLDBUS_TEST_STOPS", "200"),
];
/// Events in both forms, by the optimised build.
const FORMS_CASES: &str = "10000000";
const FUZZ_S: u32 = 600;
const WINDOWS: &str = "x86_64-pc-windows-gnu";

pub(super) fn fmt(lane: &Lane) -> Result<()> {
    run_command(lane.cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn tidy(_: &Lane) -> Result<()> {
    crate::tidy::run()
}

pub(super) fn clippy(lane: &Lane) -> Result<()> {
    let mut clippy = lane.cargo();
    clippy.args(["clippy", "--workspace", "--locked", "--all-targets", "--", "-D", "warnings"]);
    run_command(&mut clippy)
}

/// Without advisories: their database is no registry package. `cargo deny check advisories` asks
/// it.
pub(super) fn deny(lane: &Lane) -> Result<()> {
    let deny = lane.tools.cargo_deny()?;
    // cargo-deny reads the manifests of all dependencies, those of other platforms too.
    run_command(lane.cargo().args(["fetch", "--locked"]))?;
    let mut check = lane.command(deny);
    check.args(["--offline", "--locked", "--workspace", "check", "--hide-inclusion-graph"]);
    run_command(check.args(["bans", "licenses", "sources"]))
}

pub(super) fn test(lane: &Lane) -> Result<()> {
    run_command(with_engines(lane, &mut nextest(lane, "ci")?)?)
}

/// The tests of `test` that need neither engines nor emulators: `.config/nextest.toml` has which.
pub(super) fn quick(lane: &Lane) -> Result<()> {
    run_command(&mut nextest(lane, "quick")?)
}

/// The tests of `test` with as many rounds and cases as a release is worth.
pub(super) fn repeat(lane: &Lane) -> Result<()> {
    let mut nextest = nextest(lane, "long")?;
    run_command(with_engines(lane, nextest.envs(REPEATS))?)
}

/// Ten million events in JSON and in binary, in a release build.
pub(super) fn forms(lane: &Lane) -> Result<()> {
    let mut test = lane.cargo();
    test.args(["test", "--release", "--locked", "-p", "worldbus-events", "--lib", "both_forms"]);
    run_command(test.env("WORLDBUS_TEST_FORMS_CASES", FORMS_CASES))
}

/// Every decoder under the fuzzer, which needs a nightly compiler and cargo-fuzz.
pub(super) fn fuzz(lane: &Lane) -> Result<()> {
    let mut ask = lane.command("cargo");
    if output(ask.args(["+nightly", "fuzz", "--version"])).is_err() {
        println!("skipped: `cargo +nightly fuzz` is not installed; the corpus is part of `test`");
        return Ok(());
    }
    let mut fuzz = lane.command("cargo");
    fuzz.args(["+nightly", "fuzz", "run", "decode", "--"]);
    run_command(fuzz.arg(format!("-max_total_time={FUZZ_S}")))
}

fn nextest(lane: &Lane, profile: &str) -> Result<Command> {
    let mut nextest = lane.command(lane.tools.cargo_nextest()?);
    nextest.args(["nextest", "run", "--workspace", "--locked", "--profile", profile]);
    Ok(nextest)
}

/// With what tests run against: PostgreSQL, and emulated AWS.
fn with_engines<'c>(lane: &Lane, nextest: &'c mut Command) -> Result<&'c mut Command> {
    lane.tools.postgres()?;
    let emulators = lane.repo.root.join("emulators").join("requirements.txt");
    Ok(nextest.env("WORLDBUS_AWS_EMULATORS", lane.tools.python(&emulators)?))
}

/// The golden weather and people, which `test` has seen optimised with assertions: not optimised,
/// and as they ship but with all that this machine can do.
pub(super) fn bits(lane: &Lane) -> Result<()> {
    let mut unoptimized = golden(lane);
    for package in ["worldbus-population", "worldbus-world"] {
        let level = format!("profile.dev.package.{package}.opt-level=0");
        unoptimized.args(["--config", &level]);
    }
    run_command(&mut unoptimized)?;
    let mut native = golden(lane);
    // Flags are for all that it is made of: in a folder of their own they leave the rest as it is.
    native.env("RUSTFLAGS", "-C target-cpu=native");
    native.env("CARGO_TARGET_DIR", lane.repo.target_dir.join("bits"));
    run_command(native.args(["--profile", "dist"]))
}

fn golden(lane: &Lane) -> Command {
    let mut test = lane.cargo();
    test.args(["test", "--package", "worldbus-world", "--package", "worldbus-population"]);
    test.args(["--locked", "--lib", "golden"]);
    test
}

pub(super) fn doctest(lane: &Lane) -> Result<()> {
    run_command(lane.cargo().args(["test", "--workspace", "--locked", "--doc", "--quiet"]))
}

pub(super) fn doc(lane: &Lane) -> Result<()> {
    let mut doc = lane.cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run_command(doc.args(["doc", "--workspace", "--locked", "--no-deps"]))
}

/// The program's types hold on Windows, too. The target and a C compiler for it are installed where
/// that is possible, and the step is skipped where it is not.
pub(super) fn windows(lane: &Lane) -> Result<()> {
    let mut add = lane.command("rustup");
    if let Err(error) = output(add.args(["target", "add", WINDOWS])) {
        println!("skipped: the target {WINDOWS} is not there: {error:#}");
        return Ok(());
    }
    lane.tools.windows_compiler()?;
    let mut check = lane.cargo();
    check.args(["check", "--locked", "--package", "worldbus-cli", "--package", "xtask"]);
    run_command(check.args(["--target", WINDOWS]))
}

/// The docs as a book, by mdBook.
pub(super) fn book(lane: &Lane) -> Result<()> {
    let mdbook = lane.tools.python(&lane.repo.root.join("docs/requirements.txt"))?.join("mdbook");
    run_command(lane.command(mdbook).args(["build", "docs"]))
}

impl Lane {
    /// A cargo command at the root.
    pub(super) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.repo.root);
        command
    }

    /// Another command at the root.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.repo.root);
        command
    }
}

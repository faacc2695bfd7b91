//! The steps that cargo and its subcommands do.
//!
//! Not the checks of the contract by outside tools: `contract`.

use std::process::Command;

use anyhow::Result;

use super::{Lane, run_command};
use crate::repo::cargo;

pub(super) fn fmt(lane: &Lane) -> Result<()> {
    run_command(lane.cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn tidy(_: &Lane) -> Result<()> {
    crate::tidy::run()
}

/// Twice: what ships may not use the methods that clippy.toml bans; tests may touch disk and clock.
pub(super) fn clippy(lane: &Lane) -> Result<()> {
    let mut shipped = lane.cargo();
    shipped.args(["clippy", "--workspace", "--locked", "--lib", "--bins", "--"]);
    run_command(shipped.args(["-D", "warnings", "-D", "clippy::disallowed_methods"]))?;
    let mut all = lane.cargo();
    all.args(["clippy", "--workspace", "--locked", "--all-targets", "--", "-D", "warnings"]);
    run_command(&mut all)
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

pub(super) fn build(lane: &Lane) -> Result<()> {
    run_command(lane.cargo().args(["build", "--workspace", "--locked"]))
}

pub(super) fn test(lane: &Lane) -> Result<()> {
    let mut nextest = lane.command(lane.tools.cargo_nextest()?);
    nextest.args(["nextest", "run", "--workspace", "--locked", "--profile", "ci"]);
    let emulators = lane.repo.root.join("emulators").join("requirements.txt");
    nextest.env("WORLDBUS_AWS_EMULATORS", lane.tools.python(&emulators)?);
    run_command(&mut nextest)
}

/// The golden weather, which `test` has seen optimised with assertions: not optimised, as
/// released, and with all that this machine can do.
pub(super) fn bits(lane: &Lane) -> Result<()> {
    for (profile, flags) in
        [("unoptimized", ""), ("release", ""), ("release", "-C target-cpu=native")]
    {
        let mut test = lane.cargo();
        test.args(["test", "-p", "worldbus-world", "--locked", "--lib", "--profile", profile]);
        test.env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", lane.repo.target_dir.join("bits"));
        run_command(test.arg("golden"))?;
    }
    Ok(())
}

pub(super) fn doctest(lane: &Lane) -> Result<()> {
    run_command(lane.cargo().args(["test", "--workspace", "--locked", "--doc", "--quiet"]))
}

pub(super) fn doc(lane: &Lane) -> Result<()> {
    let mut doc = lane.cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run_command(doc.args(["doc", "--workspace", "--locked", "--no-deps"]))
}

impl Lane {
    /// A cargo command at the root.
    fn cargo(&self) -> Command {
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

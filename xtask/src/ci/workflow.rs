//! The examples of workflows for GitHub Actions: the schema of such files accepts them, and zizmor
//! finds nothing in them that a stranger could use.
//!
//! Whether they do what they should, only GitHub can show.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Lane, run_command};

const WORKFLOWS: [&str; 2] = ["deploy/github/worldbus.yml", "deploy/github/release.yml"];

pub(super) fn check(lane: &Lane) -> Result<()> {
    let linters = lane.linters()?;
    let mut schema = lane.command(linters.join("check-jsonschema"));
    run_command(schema.args(["--builtin-schema", "vendor.github-workflows"]).args(WORKFLOWS))?;
    let mut zizmor = lane.command(linters.join("zizmor"));
    zizmor.args(["--offline", "--no-progress", "--persona", "pedantic"]);
    run_command(zizmor.args(["--config", "deploy/github/zizmor.yml"]).args(WORKFLOWS))
}

impl Lane {
    /// What judges the workflows and the SBOM.
    pub(super) fn linters(&self) -> Result<PathBuf> {
        let requirements = self.repo.root.join("deploy/lint/requirements.txt");
        self.tools.python(&requirements).context("cannot install the linters of deploy/")
    }
}

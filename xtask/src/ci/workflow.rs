//! The example of a workflow for GitHub Actions: the schema of such files accepts it, and zizmor
//! finds nothing in it that a stranger could use.
//!
//! Whether it does what it should, only GitHub can show.

use anyhow::Result;

use super::{Lane, run_command};

const WORKFLOW: &str = "deploy/github/worldbus.yml";

pub(super) fn check(lane: &Lane) -> Result<()> {
    let linters = lane.linters()?;
    let mut schema = lane.command(linters.join("check-jsonschema"));
    run_command(schema.args(["--builtin-schema", "vendor.github-workflows", WORKFLOW]))?;
    let mut zizmor = lane.command(linters.join("zizmor"));
    zizmor.args(["--offline", "--no-progress", "--persona", "pedantic"]);
    run_command(zizmor.args(["--config", "deploy/github/zizmor.yml", WORKFLOW]))
}

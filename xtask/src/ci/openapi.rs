//! The step in which outside tools judge the REST interface of the real binary: a validator and a
//! client generator its description, a fuzzer what it answers. Not the contract of events:
//! `contract`.

use std::fs;

use anyhow::Result;

use super::server::Server;
use super::{Lane, run_command};
use crate::repo::output;

/// Requests that the fuzzer makes up for each operation and phase: some two minutes in all.
const EXAMPLES: &str = "15";
const SEED: &str = "1";

pub(super) fn openapi(lane: &Lane) -> Result<()> {
    let python = lane.tools.python(&lane.repo.root.join("openapi/requirements.txt"))?;
    let node = lane.tools.node(&lane.repo.root.join("openapi/package.json"))?;
    let scratch = lane.tools_scratch("openapi")?;
    let server = Server::start(lane, "up", &scratch)?;

    let document = scratch.join("openapi.json");
    let mut fetch = lane.command(python.join("python"));
    fs::write(&document, output(fetch.arg("openapi/fetch.py").arg(&server.url))?)?;
    run_command(lane.command(python.join("openapi-spec-validator")).arg(&document))?;

    let mut generate = lane.command(node.join("node_modules/.bin/openapi-typescript"));
    run_command(generate.arg(&document).arg("--output").arg(scratch.join("client.d.ts")))?;

    let mut fuzz = lane.command(python.join("schemathesis"));
    fuzz.current_dir(&scratch);
    fuzz.arg("--config-file").arg(lane.repo.root.join("openapi/schemathesis.toml"));
    fuzz.arg("run").arg(format!("{}/openapi.json", server.url));
    fuzz.args(["--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES]);
    run_command(fuzz.arg("--generation-deterministic"))
}

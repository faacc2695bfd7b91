//! The step in which outside tools judge the REST interface of the real binary: a validator and a
//! client generator its description, a fuzzer what it answers; and the page made of that
//! description is the committed one. Not the contract of events: `contract`.

mod reference;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::server::Server;
use super::{Lane, run_command};
use crate::repo::output;

/// Requests that the fuzzer makes up for each operation and phase: some two minutes in all.
const EXAMPLES: &str = "15";
const SEED: &str = "1";
const PAGE: &str = "docs/reference/rest.md";

/// Writes the page about the REST interface: of the server at a URL, or of one that it starts.
pub(crate) fn write_reference(options: &[&str]) -> Result<()> {
    let lane = Lane::load()?;
    let python = Path::new("python3");
    let description = match options {
        [] => {
            let scratch = lane.tools_scratch("rest-reference")?;
            describe(&lane, python, &Server::start(&lane, "up", &scratch)?.url)?
        }
        [url] => describe(&lane, python, url)?,
        unknown => bail!("unknown options: {}; there is a URL", unknown.join(" ")),
    };
    fs::write(lane.repo.root.join(PAGE), reference_of(&description)?)?;
    Ok(())
}

pub(super) fn openapi(lane: &Lane) -> Result<()> {
    let python = lane.tools.python(&lane.repo.root.join("openapi/requirements.txt"))?;
    let node = lane.tools.node(&lane.repo.root.join("openapi/package.json"))?;
    let scratch = lane.tools_scratch("openapi")?;
    let server = Server::start(lane, "up", &scratch)?;

    let document = scratch.join("openapi.json");
    let description = describe(lane, &python.join("python"), &server.url)?;
    fs::write(&document, &description)?;
    let is_current = fs::read_to_string(lane.repo.root.join(PAGE))? == reference_of(&description)?;
    ensure!(is_current, "{PAGE} is of another interface; write it: cargo xtask rest-reference");
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

/// What the server describes itself as.
fn describe(lane: &Lane, python: &Path, url: &str) -> Result<String> {
    output(lane.command(python).arg("openapi/fetch.py").arg(url))
}

fn reference_of(description: &str) -> Result<String> {
    Ok(reference::page(&serde_json::from_str(description)?))
}

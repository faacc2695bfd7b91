//! The steps in which outside tools judge what we hand out: buf, stock Python protobuf and
//! AsyncAPI's parser the contract, cfn-lint and an emulator the stacks.
//!
//! What they need to know stands in `proto/`, so a client library of another language can be
//! checked the same way. The Rust side of the contract is checked by the tests of `crates/events`.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::server::Server;
use super::{Lane, run_command};
use crate::repo::output;

/// Events that travel through the binary for `tail`.
const TAIL_EVENTS: usize = 100;

pub(super) fn buf(lane: &Lane) -> Result<()> {
    let mut buf = lane.command(lane.python()?.join("buf"));
    // Everything it needs is here; it has no business with buf's registry.
    buf.env("BUF_CACHE_DIR", lane.tools_scratch("buf-cache")?);
    run_command(buf.args(["lint", "proto"]))
}

pub(super) fn golden(lane: &Lane) -> Result<()> {
    let mut python = lane.command(lane.python()?.join("python"));
    python.arg("proto/check/decode_golden.py").arg(lane.python_stubs()?);
    run_command(python.arg("proto/golden"))
}

/// Publishes through the binary, tails it as protobuf, and lets Python find every id again.
pub(super) fn tail(lane: &Lane) -> Result<()> {
    let stubs = lane.python_stubs()?;
    let scratch = lane.tools_scratch("tail")?;
    let worldbus = lane.worldbus()?;
    let server = Server::start(lane, "event-bus", &scratch)?;

    let mut publish = lane.command(&worldbus);
    publish.args(["publish", "--stdin", "--url", &server.url]).stdin(Stdio::piped());
    let ids = File::create(scratch.join("ids.txt"))?;
    let mut publishing = publish.stdout(ids).spawn().context("cannot start worldbus")?;
    let mut lines = publishing.stdin.take().context("worldbus has no stdin")?;
    for minute in 0..TAIL_EVENTS {
        writeln!(lines, r#"{{"type":"time.updated","payload":{{"total_minutes":"{minute}"}}}}"#)?;
    }
    drop(lines);
    let status = publishing.wait()?;
    if !status.success() {
        bail!("worldbus publish failed ({status})");
    }

    let mut follow = lane.command(&worldbus);
    follow.args(["tail", "--url", &server.url, "--from", "start", "--format", "protobuf"]);
    follow.args(["--count", &TAIL_EVENTS.to_string()]);
    run_command(follow.stdout(File::create(scratch.join("batches.bin"))?))?;

    let mut python = lane.command(lane.python()?.join("python"));
    python.arg("proto/check/decode_tail.py").arg(stubs);
    run_command(python.arg(scratch.join("batches.bin")).arg(scratch.join("ids.txt")))
}

pub(super) fn asyncapi(lane: &Lane) -> Result<()> {
    let node = lane.tools.node(&lane.repo.root.join("proto/check/package.json"))?;
    let document = lane.tools_scratch("asyncapi")?.join("asyncapi.json");
    let mut catalog = lane.command(lane.worldbus()?);
    fs::write(&document, output(catalog.args(["catalog", "--format", "asyncapi"]))?)?;
    // A module finds its packages next to itself, so it runs from where they are.
    let script = node.join("asyncapi.mjs");
    fs::copy(lane.repo.root.join("proto/check/asyncapi.mjs"), &script)?;
    run_command(lane.command("node").arg(script).arg(document))
}

/// The templates that are written out for deploying by stacks, CloudFormation can take.
pub(super) fn template(lane: &Lane) -> Result<()> {
    let templates = fs::read_dir(lane.templates("template")?)?;
    let paths: Vec<PathBuf> = templates.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    let mut lint = lane.command(lane.emulators()?.join("cfn-lint"));
    run_command(lint.arg("--template").args(paths))
}

/// The stacks, deployed to an emulator: all that they name is there, also after changes, and none
/// of it when they are gone.
pub(super) fn stacks(lane: &Lane) -> Result<()> {
    let mut check = lane.command(lane.emulators()?.join("python"));
    check.env("WORLDBUS_TEMPLATES", lane.templates("stacks")?);
    let mut services = lane.command(lane.worldbus()?);
    check.env("WORLDBUS_SERVICES", output(services.args(["services", "--format", "json"]))?);
    run_command(check.arg("deploy/check/stacks.py"))
}

impl Lane {
    /// The folder of a step in which the templates are written out.
    fn templates(&self, name: &str) -> Result<PathBuf> {
        let folder = self.tools_scratch(name)?;
        let mut write = self.command(self.worldbus()?);
        run_command(write.args(["deploy", "aws", "templates"]).arg(&folder))?;
        Ok(folder)
    }

    fn python(&self) -> Result<PathBuf> {
        self.tools.python(&self.repo.root.join("proto/check/requirements.txt"))
    }

    fn emulators(&self) -> Result<PathBuf> {
        self.tools.python(&self.repo.root.join("emulators/requirements.txt"))
    }

    /// An empty folder for a step's own files.
    pub(super) fn tools_scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.repo.target_dir.join("ci").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Python's stock types of our contract, made by the protoc that PyPI ships.
    fn python_stubs(&self) -> Result<PathBuf> {
        let stubs = self.tools_scratch("python")?;
        let files = self.repo.text_files()?;
        let files = files.iter().map(|file| file.path.as_str());
        let contract = files
            .filter(|path| path.starts_with("proto/worldbus/events/") && path.ends_with(".proto"));
        let mut protoc = self.command(self.python()?.join("python"));
        protoc.args(["-m", "grpc_tools.protoc", "--proto_path=proto"]);
        protoc.arg(format!("--python_out={}", stubs.display()));
        run_command(protoc.args(contract))?;
        Ok(stubs)
    }

    /// The product's binary, built if need be: as the tests build it, so that what `test` built is
    /// used, and not built a second time with other features.
    pub(super) fn worldbus(&self) -> Result<PathBuf> {
        let mut build = crate::repo::cargo();
        build.current_dir(&self.repo.root);
        run_command(build.args(["test", "--workspace", "--locked", "--no-run", "--quiet"]))?;
        Ok(self.repo.target_dir.join("debug/worldbus"))
    }
}

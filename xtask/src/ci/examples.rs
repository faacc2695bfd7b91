//! The step that runs the consumers of the first tutorial in Python and Node against the real
//! binary: each reports a forced storm as the page does.
//!
//! Not how they recover from a restart of the bus, nor the one in Rust, which the build compiles.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::server::Server;
use super::{Lane, run_command};
use crate::repo::output;

/// How long a line may take; the storm lasts two seconds.
const LINE: Duration = Duration::from_secs(60);
/// Lines of a program that wait to be read.
const LINES_MAX: usize = 16;
const STORM: [&str; 2] =
    ["brussels: a storm, the market closes", "brussels: the storm is over, the market opens"];

pub(super) fn examples(lane: &Lane) -> Result<()> {
    let python = lane.tools.python(&lane.repo.root.join("proto/check/requirements.txt"))?;
    let python = python.join("python");
    let node = lane.tools.node(&lane.repo.root.join("examples/node/package.json"))?;
    let scratch = lane.tools_scratch("examples")?;
    let stubs = stubs(lane, &python, &scratch)?;
    let server = Server::start(lane, "up", &scratch)?;
    // It waits until the world is there.
    output(lane.command(&python).arg("openapi/fetch.py").arg(&server.url))?;

    let address = server.url.trim_start_matches("http://");
    let mut in_python = lane.command(&python);
    in_python.env("PYTHONPATH", stubs).args(["examples/python/storm.py", address]);
    let mut in_node = lane.command("node");
    in_node.env("NODE_PATH", node.join("node_modules")).args(["examples/node/storm.js", address]);
    let programs = [Program::start(&mut in_python)?, Program::start(&mut in_node)?];
    for program in &programs {
        program.expect("subscribed")?;
    }

    let mut force = lane.command(lane.worldbus()?);
    force.args(["weather", "set", "brussels", "storm", "--minutes", "5", "--url", &server.url]);
    run_command(&mut force)?;
    for program in &programs {
        STORM.iter().try_for_each(|line| program.expect(line))?;
    }
    Ok(())
}

/// What the tutorial makes of `proto/`.
fn stubs(lane: &Lane, python: &Path, scratch: &Path) -> Result<PathBuf> {
    let files = lane.repo.text_files()?;
    let files = files.iter().map(|file| file.path.as_str());
    let contract = files.filter(|path| {
        let is_used = path.starts_with("proto/worldbus/events/") || path.contains("/bus/v1/");
        is_used && path.starts_with("proto/") && path.ends_with(".proto")
    });
    let mut protoc = lane.command(python);
    protoc.args(["-m", "grpc_tools.protoc", "--proto_path=proto"]);
    protoc.args(
        ["--python_out", "--grpc_python_out"].map(|of| format!("{of}={}", scratch.display())),
    );
    run_command(protoc.args(contract))?;
    Ok(scratch.to_owned())
}

/// A consumer that runs. Killed when it is dropped.
struct Program {
    process: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(command: &mut Command) -> Result<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start it")?;
        let stdout = process.stdout.take().context("it has no stdout")?;
        let (sender, lines) = sync_channel(LINES_MAX);
        // Ends with the process, or when its lines are read no more.
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.map(|line| sender.send(line)).take_while(Result::is_ok).for_each(drop);
        });
        Ok(Self { process, lines })
    }

    fn expect(&self, line: &str) -> Result<()> {
        let found = self.lines.recv_timeout(LINE).with_context(|| format!("no line `{line}`"))?;
        println!("{found}");
        ensure!(found == line, "`{found}` instead of `{line}`");
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already if this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

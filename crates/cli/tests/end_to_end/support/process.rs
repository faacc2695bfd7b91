//! Processes of the binary.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{eventually, get};

/// A shutdown takes no longer.
pub(crate) const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// The binary, with nothing of our environment that could steer it.
pub(crate) fn worldbus() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worldbus"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WORLDBUS_") {
            command.env_remove(name);
        }
    }
    command
}

/// What a command that ended left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.stdout).lines().map(str::to_owned).collect()
    }

    /// Asserts that it was refused with one clear message that holds each of `parts`.
    pub(crate) fn refused(&self, parts: &[&str]) {
        let text = &self.stderr;
        assert!(self.code == 1 || self.code == 2, "{self:?}");
        assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }
}

/// The services of the program by their names, the event-bus among them.
pub(crate) fn services() -> Vec<String> {
    let list = run(&["services", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let name = |service: &serde_json::Value| service["name"].as_str().unwrap().to_owned();
    list["services"].as_array().unwrap().iter().map(name).collect()
}

/// The verbs that serve: `up`, and each service.
pub(crate) fn serving() -> impl Iterator<Item = String> {
    ["up".to_owned()].into_iter().chain(services())
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Finished {
    run_with_input(worldbus().args(arguments), b"")
}

/// Runs a command that reads `input`.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Finished {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The command may end before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A serving command that runs; killed when dropped.
pub(crate) struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

impl Service {
    /// Starts `worldbus COMMAND ARGUMENTS` on a port that the system chooses.
    pub(crate) fn start(command: &str, arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", command, arguments)
    }

    /// The same on an address of the test's choice.
    pub(crate) fn start_at(listen: &str, command: &str, arguments: &[&str]) -> Self {
        let mut process = worldbus();
        process.args([command, "--listen", listen]).args(arguments);
        Self::spawn(&mut process)
    }

    /// Starts a command line of a test's own, and waits for its port.
    pub(crate) fn spawn(process: &mut Command) -> Self {
        let mut child = process.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| {
            let _ = child.kill();
            panic!("{process:?} did not start: {line:?}")
        });
        let url = url.to_owned();
        // What follows is for people; reading it keeps the pipe open.
        std::thread::spawn(move || std::io::copy(&mut lines.take(1 << 20), &mut std::io::sink()));
        Self { child, url }
    }

    /// The same, once `/readyz` answers 200.
    pub(crate) fn ready(self) -> Self {
        eventually("/readyz answers 200", || {
            get(&format!("{}/readyz", self.url)).ok().filter(|reply| reply.status == 200)
        });
        self
    }

    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.strike();
    }

    /// kill -9 of a process whose address is still of use.
    pub(crate) fn strike(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it must end in time, by itself and in order.
    pub(crate) fn terminate(mut self) -> Duration {
        let start = Instant::now();
        signal(self.pid(), "TERM");
        let status = wait_for_end(&mut self.child);
        assert_eq!(status.code(), Some(0), "{status}");
        let took = start.elapsed();
        assert!(took < SHUTDOWN_MAX, "the shutdown took {took:?}");
        took
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process that is about to end.
pub(crate) fn wait_for_end(child: &mut Child) -> ExitStatus {
    eventually("the process has ended", || child.try_wait().unwrap())
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

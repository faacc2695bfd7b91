//! Signals as an operator sends them, to a child process: this test binary, run again.

#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use worldbus_service::shutdown;

const CHILD: &str = "WORLDBUS_TEST_CHILD";

/// Not a test of its own: the body of the child. It drains for ever.
#[tokio::test]
async fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let token = shutdown::on_signal().unwrap();
    println!("\nready");
    token.cancelled().await;
    println!("\ndraining");
    std::future::pending::<()>().await;
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Self { child, lines };
        running.wait_for("ready");
        running
    }

    fn wait_for(&mut self, line: &str) {
        let found = self.lines.by_ref().map_while(Result::ok).any(|text| text == line);
        assert!(found, "the child ended before it printed `{line}`");
    }

    fn signal(&self, name: &str) {
        // The shell's own `kill`: a small container has no other.
        let line = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    fn exit(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

#[test]
fn first_signal_drains_and_second_exits_at_once_with_130() {
    for (first, second) in [("TERM", "INT"), ("INT", "TERM")] {
        let mut running = Running::start();
        running.signal(first);
        running.wait_for("draining");
        running.signal(second);
        assert_eq!(running.exit().code(), Some(shutdown::EXIT_CODE_FORCED));
    }
}

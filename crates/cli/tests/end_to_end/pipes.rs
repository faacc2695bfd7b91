//! A serving command whose reader goes away: `worldbus up 2>&1 | tee file`, and Ctrl-C ends `tee`
//! first. Nothing depends on who reads logs.

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::process::{Child, Stdio};

use crate::support::{eventually, get, post, signal, wait_for_end, worldbus};

/// A serving command whose standard output and error are one pipe.
struct Piped {
    child: Child,
    url: String,
    /// What is written; dropping it is what the death of `tee` is.
    reader: Option<BufReader<PipeReader>>,
    /// An end of ours to write to.
    writer: PipeWriter,
    _dir: tempfile::TempDir,
}

impl Piped {
    fn start(command: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut process = worldbus();
        process.args([command, "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
        process.args(["--log", "debug"]).stdin(Stdio::null());
        process.stdout(writer.try_clone().unwrap()).stderr(writer.try_clone().unwrap());
        let child = process.spawn().unwrap();
        // It holds the writing ends.
        drop(process);
        let mut reader = BufReader::new(reader);
        let url = loop {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "{command} did not start");
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        Self { child, url, reader: Some(reader), writer, _dir: dir }
    }

    fn lose_reader(&mut self) {
        self.reader = None;
    }

    /// Fills the pipe, which no one reads: each write to it waits from now on.
    fn fill(&self) {
        let mut writer = self.writer.try_clone().unwrap();
        // It waits as well; that it does not end is how we know.
        std::thread::spawn(move || writer.write_all(&vec![b'\n'; 4 << 20]));
    }

    fn become_ready(&self) {
        eventually("/readyz answers 200", || {
            get(&format!("{}/readyz", self.url)).ok().filter(|reply| reply.status == 200)
        });
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn signal_drains_and_ends_a_process_whose_reader_is_gone() {
    for (command, name) in [("up", "INT"), ("up", "TERM"), ("event-bus", "TERM")] {
        let mut piped = Piped::start(command);
        piped.lose_reader();
        piped.become_ready();
        signal(piped.child.id(), name);
        let status = wait_for_end(&mut piped.child);
        assert_eq!(status.code(), Some(0), "{command} after SIG{name}: {status}");
    }
}

#[test]
fn process_whose_reader_has_stopped_reading_serves_on_and_ends_in_order() {
    let mut piped = Piped::start("up");
    piped.fill();
    piped.become_ready();
    let scale = serde_json::json!({ "real_seconds_per_game_hour": 2 });
    // Far more lines than wait anywhere.
    for _ in 0..500 {
        let reply = post(&format!("{}/api/time/scale", piped.url), &scale);
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    signal(piped.child.id(), "TERM");
    let status = wait_for_end(&mut piped.child);
    assert_eq!(status.code(), Some(0), "{status}");
}

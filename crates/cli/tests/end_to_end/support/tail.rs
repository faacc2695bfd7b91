//! `worldbus tail --format json` as another process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::worldbus;

/// Events that were read and wait for the test.
const EVENTS_AHEAD_MAX: usize = 100_000;

/// How long the next event may take. Longer than a lease of SQS: what it gave to a poll that was
/// cut off comes when that has ended.
const NEXT_MAX: Duration = Duration::from_secs(45);
/// How long a tail that never pauses is listened to for one event.
const UNTIL_MAX: Duration = Duration::from_secs(90);

/// A tail that follows; killed when dropped.
pub(crate) struct Tail {
    child: Child,
    events: Receiver<Value>,
    stderr: Option<ChildStderr>,
}

impl Tail {
    /// Follows a bus from its start.
    pub(crate) fn start(url: &str, arguments: &[&str]) -> Self {
        Self::spawn(Self::command(&mut worldbus(), url).args(arguments))
    }

    /// The same, with what it notes on standard error kept.
    pub(crate) fn start_with_notes(url: &str) -> Self {
        let mut binary = worldbus();
        let mut this = Self::spawn(Self::command(&mut binary, url).stderr(Stdio::piped()));
        this.stderr = this.child.stderr.take();
        this
    }

    /// Ends it; what it noted holds `part`.
    pub(crate) fn notes(&mut self, part: &str) {
        self.child.kill().unwrap();
        let mut notes = String::new();
        self.stderr.take().unwrap().read_to_string(&mut notes).unwrap();
        assert!(notes.contains(part), "`{part}` is not in: {notes}");
    }

    /// The command line of one, to add to.
    pub(crate) fn command<'a>(binary: &'a mut Command, url: &str) -> &'a mut Command {
        binary.args(["tail", "--format", "json", "--from", "start", "--url", url])
    }

    /// Follows by a command line of a test's own.
    pub(crate) fn spawn(tail: &mut Command) -> Self {
        let mut child = tail.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = sync_channel(EVENTS_AHEAD_MAX);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, events, stderr: None }
    }

    /// The next event.
    pub(crate) fn next(&self) -> Value {
        self.events.recv_timeout(NEXT_MAX).expect("tail shows the next event in time")
    }

    /// All events until one that `is_last`, included.
    pub(crate) fn until(&self, mut is_last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let end = Instant::now() + UNTIL_MAX;
        let mut events = Vec::new();
        loop {
            assert!(Instant::now() < end, "not within {UNTIL_MAX:?}: {:?}", events.last());
            events.push(self.next());
            if is_last(events.last().unwrap()) {
                return events;
            }
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

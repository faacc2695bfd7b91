//! `worldbus publish --stdin` that is given a line whenever one was acknowledged: a stream of
//! publishes that never pauses by itself and runs no further ahead than a bound.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::worldbus;

/// Lines that were given and not acknowledged yet.
const AHEAD: usize = 64;

/// A stream of publishes; run to its end by [`Feed::finish`].
pub(crate) struct Feed {
    acked: Arc<AtomicUsize>,
    thread: JoinHandle<Vec<String>>,
}

impl Feed {
    /// Publishes `line` so many times.
    pub(crate) fn start(url: &str, line: &'static str, count: usize) -> Self {
        let mut publish = worldbus();
        publish.args(["publish", "--stdin", "--source", "feed", "--url", url]);
        let child = publish.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let acked = Arc::new(AtomicUsize::new(0));
        let progress = Arc::clone(&acked);
        let thread = std::thread::spawn(move || feed(child, line, count, &progress));
        Self { acked, thread }
    }

    /// How many were acknowledged so far.
    pub(crate) fn acked(&self) -> usize {
        self.acked.load(Ordering::Relaxed)
    }

    /// The ids of all, in the order in which they were given.
    pub(crate) fn finish(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn feed(mut child: Child, line: &str, count: usize, progress: &AtomicUsize) -> Vec<String> {
    let mut stdin = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..AHEAD {
        writeln!(stdin, "{line}").unwrap();
    }
    let mut stdin = Some(stdin);
    let mut ids = Vec::with_capacity(count);
    for id in answers {
        ids.push(id.unwrap());
        progress.store(ids.len(), Ordering::Relaxed);
        match &mut stdin {
            Some(stdin) if ids.len() + AHEAD <= count => writeln!(stdin, "{line}").unwrap(),
            // The end of input: the rest is answered, then it ends by itself.
            _ => stdin = None,
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(ids.len(), count, "each line is acknowledged");
    ids
}

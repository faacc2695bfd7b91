//! `worldbus publish --stdin` that is given a line whenever one was acknowledged: a stream of
//! publishes that never pauses by itself and runs no further ahead than a bound.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::worldbus;

/// Lines that were given and not acknowledged yet.
const AHEAD: usize = 64;

/// A stream of publishes; run to its end by [`Feed::finish`].
pub(crate) struct Feed {
    acked: Arc<AtomicUsize>,
    /// Lines that are given in all.
    wanted: Arc<AtomicUsize>,
    thread: JoinHandle<Vec<String>>,
}

impl Feed {
    /// Publishes `line` so many times.
    pub(crate) fn start(url: &str, line: &'static str, count: usize) -> Self {
        let mut publish = worldbus();
        publish.args(["publish", "--stdin", "--source", "feed", "--url", url]);
        let feed = Self::spawn(&mut publish, line, AHEAD);
        feed.wanted.store(count, Ordering::Relaxed);
        feed
    }

    /// Publishes `line` by a command of a test's own until [`Feed::stop`], up to `ahead` of them
    /// at once.
    pub(crate) fn spawn(publish: &mut Command, line: &'static str, ahead: usize) -> Self {
        let child = publish.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (acked, wanted) = (Arc::default(), Arc::new(AtomicUsize::new(usize::MAX)));
        let (progress, limit) = (Arc::clone(&acked), Arc::clone(&wanted));
        let thread = std::thread::spawn(move || feed(child, line, ahead, &limit, &progress));
        Self { acked, wanted, thread }
    }

    /// How many were acknowledged so far.
    pub(crate) fn acked(&self) -> usize {
        self.acked.load(Ordering::Relaxed)
    }

    /// The ids of all, in the order in which they were given.
    pub(crate) fn finish(self) -> Vec<String> {
        self.thread.join().unwrap()
    }

    /// Gives no more; the ids of all that were given.
    pub(crate) fn stop(self) -> Vec<String> {
        self.wanted.store(0, Ordering::Relaxed);
        self.finish()
    }
}

fn feed(
    mut child: Child,
    line: &str,
    ahead: usize,
    wanted: &AtomicUsize,
    progress: &AtomicUsize,
) -> Vec<String> {
    let mut stdin = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..ahead {
        writeln!(stdin, "{line}").unwrap();
    }
    let mut given = ahead;
    let mut stdin = Some(stdin);
    let mut ids = Vec::new();
    for id in answers {
        ids.push(id.unwrap());
        progress.store(ids.len(), Ordering::Relaxed);
        match &mut stdin {
            Some(stdin) if given < wanted.load(Ordering::Relaxed) => {
                writeln!(stdin, "{line}").unwrap();
                given += 1;
            }
            // The end of input: the rest is answered, then it ends by itself.
            _ => stdin = None,
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(ids.len(), given, "each line is acknowledged");
    ids
}

//! Running the binary and talking to it.

mod account;
mod collector;
pub(crate) mod due;
mod feed;
mod http;
mod process;
mod shim;
mod tail;
mod town;

use std::path::Path;
use std::time::{Duration, Instant};

use worldbus_transport_embedded::{Embedded, Options};

pub(crate) use account::{Account, root};
pub(crate) use collector::{Collector, Span};
pub(crate) use feed::Feed;
pub(crate) use http::{get, post, post_with};
pub(crate) use process::{
    Finished, SHUTDOWN_MAX, Service, run, run_with_input, services, serving, signal, wait_for_end,
    worldbus,
};
pub(crate) use shim::Shim;
pub(crate) use tail::Tail;
pub(crate) use town::{Town, assert_whole, current, id, is, minutes};

/// No test waits longer than this for one thing.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `look` finds something.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(DEADLINE, what, look)
}

/// The same for what takes its time.
pub(crate) fn eventually_within<T>(
    max: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + max;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {max:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The URL of a log without events that was made in a directory.
pub(crate) fn empty_log(dir: &Path) -> String {
    drop(Embedded::open(dir, Options::default()).unwrap());
    format!("embedded:{}", dir.display())
}

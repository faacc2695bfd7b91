//! How many connections a port holds open and how long one may be silent, fitted to the files that
//! the operating system lets the process open.

use std::time::Duration;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::peer::Peer;
use super::unread::ANSWER_BYTES_MAX;

/// Established connections at once: those that sent a request which was let in.
pub const ESTABLISHED_COUNT_MAX: usize = 1024;
/// Established connections of one address beyond loopback: one client, or one load balancer,
/// leaves half to the others.
pub const ESTABLISHED_OF_PEER_MAX: usize = 512;
/// Connections that have not sent such a request yet. When one more comes, the oldest goes.
pub const NEWCOMER_COUNT_MAX: usize = 256;
/// The same of one address beyond loopback.
pub const NEWCOMERS_OF_PEER_MAX: usize = 64;
/// Connections that the system holds until they are accepted, if it is set to so many; one more is
/// dropped, and its client tries again after a second.
pub const BACKLOG: u32 = 4096;
/// How long a newcomer may be without a request under way, from its first byte or from the moment
/// that it connects.
pub const FIRST_REQUEST_MS_MAX: u64 = 10_000;
/// How long an established connection may be without a request under way; pings are no requests.
/// HTTP/1.1 is cut sooner, by [`HEADER_READ_MS_MAX`](super::HEADER_READ_MS_MAX).
pub const IDLE_MS_MAX: u64 = 60_000;

/// Files that are left to logs, databases and our own connections to others.
const FILES_RESERVED: usize = 256;
/// More files than this are not asked for.
#[cfg(unix)]
const FILES_WANTED: u64 = 16_384;

/// The bounds of one port; the default is the constants of this module.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`ESTABLISHED_COUNT_MAX`].
    pub established: usize,
    /// See [`ESTABLISHED_OF_PEER_MAX`].
    pub established_of_peer: usize,
    /// See [`NEWCOMER_COUNT_MAX`].
    pub newcomers: usize,
    /// See [`NEWCOMERS_OF_PEER_MAX`].
    pub newcomers_of_peer: usize,
    /// See [`FIRST_REQUEST_MS_MAX`].
    pub first_request: Duration,
    /// See [`IDLE_MS_MAX`].
    pub idle: Duration,
    /// See [`ANSWER_BYTES_MAX`].
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            established: ESTABLISHED_COUNT_MAX,
            established_of_peer: ESTABLISHED_OF_PEER_MAX,
            newcomers: NEWCOMER_COUNT_MAX,
            newcomers_of_peer: NEWCOMERS_OF_PEER_MAX,
            first_request: Duration::from_millis(FIRST_REQUEST_MS_MAX),
            idle: Duration::from_millis(IDLE_MS_MAX),
            answer_bytes: ANSWER_BYTES_MAX,
        }
    }
}

impl Limits {
    /// The default, lowered to what a process that may open `files` files can hold.
    #[must_use]
    pub fn within(files: usize) -> Self {
        let limits = Self::default();
        let sockets = files.saturating_sub(FILES_RESERVED).max(files / 4);
        let newcomers = limits.newcomers.min(sockets / 4).max(1);
        let established = limits.established.min(sockets - sockets / 4).max(1);
        Self { established, newcomers, ..limits }
    }

    /// What this process can hold, once it has raised its own soft limit of open files.
    pub(super) fn of_process() -> Self {
        let files = raise_files();
        let limits = Self::within(usize::try_from(files).unwrap_or(usize::MAX));
        if limits.established < ESTABLISHED_COUNT_MAX {
            tracing::warn!(
                files,
                connections = limits.established,
                "few files may be open, so fewer connections are taken; raise `ulimit -n`"
            );
        }
        limits
    }

    /// The bounds of newcomers and of established connections for one peer. Loopback is many
    /// processes at one address, so that it may have all.
    pub(super) fn of_peer(&self, peer: Peer) -> (usize, usize) {
        if peer.is_loopback() {
            return (self.newcomers, self.established);
        }
        (self.newcomers_of_peer, self.established_of_peer)
    }
}

/// Raises the soft limit of open files, as far as the hard one lets; returns what holds then.
#[cfg(unix)]
fn raise_files() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (current, maximum) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let wanted = FILES_WANTED.min(maximum);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit { current: Some(wanted), maximum: Some(maximum) };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(_) => current,
    }
}

/// Windows bounds sockets by memory alone.
#[cfg(not(unix))]
fn raise_files() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_rest_of_the_process() {
        for files in [64, 256, 512, 1024, 1536, 65_536] {
            let limits = Limits::within(files);
            assert!(limits.established + limits.newcomers <= files, "{files}: {limits:?}");
            assert!(limits.established > 0 && limits.newcomers > 0, "{files}: {limits:?}");
        }
        let limits = Limits::within(1024);
        assert!(limits.established + limits.newcomers + FILES_RESERVED <= 1024, "{limits:?}");
        assert_eq!(Limits::within(65_536).established, ESTABLISHED_COUNT_MAX);
    }

    #[cfg(unix)]
    #[test]
    fn soft_limit_of_files_is_raised_as_far_as_it_may_be() {
        let files = raise_files();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current.unwrap_or(u64::MAX), files);
        assert!(files >= FILES_WANTED.min(maximum.unwrap_or(u64::MAX)));
    }
}

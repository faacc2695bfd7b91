//! The connections of one port: how many there may be, and which one goes when one more comes.
//!
//! ```text
//! accept ──▶ newcomers ──first request that is let in──▶ established
//!              │                                           │
//!  one too many: the oldest without a request goes          one too many: the longest idle one
//!                                                           goes; if none is idle, 503
//! ```
//!
//! Requests to health paths do not establish a connection, so they need a place among newcomers
//! only, and there is one always: silent, slow and refused clients push out each other. Clients
//! that were let in keep their places, whatever newcomers do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::counter;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ConnectionId;
use super::limits::Limits;
use super::peer::Peer;

/// The connections of one port; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    table: Mutex<Table>,
}

/// By number, and so by age.
#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: Peer,
    is_established: bool,
    /// Requests under way: from the end of their headers to the end of the response.
    request_count: usize,
    /// Since when none is under way; of no meaning while one is.
    idle_since: Instant,
    shed: CancellationToken,
}

/// One connection; its place is free once this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    peer: Peer,
    shared: Arc<Shared>,
    shed: CancellationToken,
    has_key: AtomicBool,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Running(Arc<Connection>);

/// Whose request it is: an extension of every request that [`serve`](super::serve) takes.
#[derive(Debug, Clone)]
pub struct Caller(pub(super) Arc<Connection>);

impl Caller {
    /// The address at the other end.
    pub fn peer(&self) -> Peer {
        self.0.peer
    }

    /// Gives the connection an established one's place, for the length of its life. `false` when
    /// all are taken by connections with requests under way: the caller may come again later.
    pub fn establish(&self) -> bool {
        let shared = &self.0.shared;
        shared.table().establish(self.0.id, &shared.limits)
    }

    /// Whether the last key on this connection was the right one.
    pub fn has_key(&self) -> bool {
        self.0.has_key.load(Ordering::Relaxed)
    }

    /// Keeps whether the key was the right one.
    pub fn set_has_key(&self, is_right: bool) {
        self.0.has_key.store(is_right, Ordering::Relaxed);
    }
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared { limits, table: Mutex::default() }))
    }

    /// Gives a new connection its place; sheds another if there is no place.
    pub(super) fn admit(&self, peer: Peer) -> Arc<Connection> {
        let shed = CancellationToken::new();
        let id = self.0.table().admit(peer, shed.clone(), &self.0.limits);
        let shared = Arc::clone(&self.0);
        Arc::new(Connection { id, peer, shared, shed, has_key: AtomicBool::new(false) })
    }

    /// Sheds up to `count` connections without a request, newcomers first: what they hold of the
    /// process is needed.
    pub(super) fn shed(&self, count: usize) {
        let mut table = self.0.table();
        for _ in 0..count {
            let victim = table.newcomer(|entry| entry.request_count == 0);
            if let Some(victim) = victim.or_else(|| table.most_idle(|_| true)) {
                table.shed(victim);
            }
        }
    }
}

impl Connection {
    pub(super) fn id(&self) -> ConnectionId {
        ConnectionId(self.id)
    }

    pub(super) fn begin_request(self: &Arc<Self>) -> Running {
        self.update(|entry| entry.request_count += 1);
        Running(Arc::clone(self))
    }

    /// Waits until another connection needs the place of this one.
    pub(super) async fn shed(&self) {
        self.shed.cancelled().await;
    }

    /// Waits until it was without a request for as long as it may.
    pub(super) async fn idle(&self) {
        let limits = self.shared.limits;
        let limit = |entry: &Entry| match entry.is_established {
            true => limits.idle,
            false => limits.first_request,
        };
        self.idle_for(limit).await;
    }

    /// Waits until it is without a request for `limit` from now on.
    pub(super) async fn idle_from_now(&self, limit: Duration) {
        self.update(|entry| entry.idle_since = Instant::now());
        self.idle_for(|_| limit).await;
    }

    async fn idle_for(&self, limit: impl Fn(&Entry) -> Duration) {
        loop {
            let now = Instant::now();
            // While a request is under way it cannot be over sooner than a whole limit from now.
            let end = |entry: &Entry| match entry.request_count {
                0 => entry.idle_since + limit(entry),
                _ => now + limit(entry),
            };
            let end = self.shared.table().open.get(&self.id).map(end);
            match end {
                Some(end) if end > now => sleep_until(end).await,
                // It was shed meanwhile, or this is the end.
                _ => return,
            }
        }
    }

    fn update(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.shared.table().open.get_mut(&self.id) {
            change(entry);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.table().open.remove(&self.id);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.update(|entry| {
            entry.request_count -= 1;
            entry.idle_since = Instant::now();
        });
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No update leaves it half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn admit(&mut self, peer: Peer, shed: CancellationToken, limits: &Limits) -> u64 {
        let (of_peer_max, _) = limits.of_peer(peer);
        if self.count(|entry| !entry.is_established && entry.peer == peer) >= of_peer_max {
            self.shed_newcomer(|entry| entry.peer == peer);
        } else if self.count(|entry| !entry.is_established) >= limits.newcomers {
            self.shed_newcomer(|_| true);
        }
        let id = self.next;
        self.next += 1;
        let entry = Entry {
            peer,
            is_established: false,
            request_count: 0,
            idle_since: Instant::now(),
            shed,
        };
        self.open.insert(id, entry);
        id
    }

    fn establish(&mut self, id: u64, limits: &Limits) -> bool {
        let Some(entry) = self.open.get(&id) else { return false };
        if entry.is_established {
            return true;
        }
        let peer = entry.peer;
        let (_, of_peer_max) = limits.of_peer(peer);
        let of_peer = |entry: &Entry| entry.is_established && entry.peer == peer;
        let victim = if self.count(of_peer) >= of_peer_max {
            Some(self.most_idle(of_peer))
        } else if self.count(|entry| entry.is_established) >= limits.established {
            Some(self.most_idle(|_| true))
        } else {
            None
        };
        match victim {
            Some(None) => return false,
            Some(Some(victim)) => self.shed(victim),
            None => {}
        }
        if let Some(entry) = self.open.get_mut(&id) {
            entry.is_established = true;
        }
        true
    }

    fn count(&self, of: impl Fn(&Entry) -> bool) -> usize {
        self.open.values().filter(|entry| of(entry)).count()
    }

    /// The oldest without a request goes; if each has one, the oldest.
    fn shed_newcomer(&mut self, of: impl Fn(&Entry) -> bool) {
        let idle = self.newcomer(|entry| of(entry) && entry.request_count == 0);
        if let Some(victim) = idle.or_else(|| self.newcomer(of)) {
            self.shed(victim);
        }
    }

    fn newcomer(&self, of: impl Fn(&Entry) -> bool) -> Option<u64> {
        let mut open = self.open.iter();
        open.find(|(_, entry)| !entry.is_established && of(entry)).map(|(id, _)| *id)
    }

    fn most_idle(&self, of: impl Fn(&Entry) -> bool) -> Option<u64> {
        let idle = |entry: &Entry| entry.is_established && entry.request_count == 0 && of(entry);
        let idle = self.open.iter().filter(|(_, entry)| idle(entry));
        idle.min_by_key(|(_, entry)| entry.idle_since).map(|(id, _)| *id)
    }

    fn shed(&mut self, id: u64) {
        if let Some(entry) = self.open.remove(&id) {
            entry.shed.cancel();
            counter!("worldbus_connections_shed_total").increment(1);
        }
    }
}

#[cfg(test)]
mod tests;

//! Wrong keys cost time. Each peer may be wrong some times in a row; from then on its keys are
//! looked at only after a wait, few at a time, and those beyond are refused unseen, until it was
//! quiet for a while. Nothing is kept of peers that were not wrong lately.
//!
//! What that costs a right key: nothing on a connection whose last key was right, and nothing from
//! another address. On a new connection from an address that is guessing it waits
//! [`KEY_WAIT_MS`], or is refused with `Retry-After` while [`WAIT_COUNT_MAX`] others wait. The same
//! holds for all new addresses while [`PEER_COUNT_MAX`] addresses guess at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::server::Peer;

/// Wrong keys in a row that cost nothing: a service that was started with an old key.
pub const GUESS_COUNT_MAX: u32 = 20;
/// After so long without a wrong key one more costs nothing.
pub const GUESS_FORGOTTEN_MS: u64 = 1_000;
/// How long a key waits before it is looked at.
pub const KEY_WAIT_MS: u64 = 1_000;
/// Keys of one peer that wait at once. So it has this many guesses in [`KEY_WAIT_MS`].
pub const WAIT_COUNT_MAX: u32 = 8;
/// Peers that are remembered; those beyond count as one.
pub const PEER_COUNT_MAX: usize = 1024;

/// The wrong keys of all peers; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Guesses(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    peers: HashMap<Peer, Count>,
    /// All for whom there is no place.
    others: Count,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    wrong: u32,
    /// When `wrong` was true; none while it is 0.
    at: Option<Instant>,
    waiting: u32,
}

/// What becomes of a key before it is looked at.
#[derive(Debug)]
pub(super) enum Turn {
    Now,
    /// After [`KEY_WAIT_MS`], for which the place must be held.
    Later(Place),
    /// Not at all.
    Never,
}

/// A place among those that wait.
#[derive(Debug)]
pub(super) struct Place {
    guesses: Guesses,
    peer: Peer,
}

impl Guesses {
    pub(super) fn turn(&self, peer: Peer, now: Instant) -> Turn {
        let mut table = self.lock();
        let count = table.count(peer);
        count.forget(now);
        if count.wrong < GUESS_COUNT_MAX {
            return Turn::Now;
        }
        if count.waiting >= WAIT_COUNT_MAX {
            return Turn::Never;
        }
        count.waiting += 1;
        Turn::Later(Place { guesses: self.clone(), peer })
    }

    /// A key of this peer was wrong.
    pub(super) fn wrong(&self, peer: Peer, now: Instant) {
        metrics::counter!("worldbus_wrong_keys_total").increment(1);
        let mut table = self.lock();
        table.make_room(peer, now);
        let count = table.count(peer);
        count.forget(now);
        count.wrong = (count.wrong + 1).min(GUESS_COUNT_MAX);
        count.at.get_or_insert(now);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Counts are whole whatever happened to their writer.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.guesses.lock();
        let count = table.count(self.peer);
        count.waiting = count.waiting.saturating_sub(1);
    }
}

impl Table {
    fn count(&mut self, peer: Peer) -> &mut Count {
        self.peers.get_mut(&peer).unwrap_or(&mut self.others)
    }

    fn make_room(&mut self, peer: Peer, now: Instant) {
        if self.peers.contains_key(&peer) {
            return;
        }
        if self.peers.len() >= PEER_COUNT_MAX {
            self.peers.retain(|_, count| {
                count.forget(now);
                count.wrong > 0 || count.waiting > 0
            });
        }
        if self.peers.len() < PEER_COUNT_MAX {
            self.peers.insert(peer, Count::default());
        }
    }
}

impl Count {
    fn forget(&mut self, now: Instant) {
        let Some(at) = self.at else { return };
        let quiet = now.saturating_duration_since(at).as_millis();
        let forgotten = u32::try_from(quiet / u128::from(GUESS_FORGOTTEN_MS)).unwrap_or(u32::MAX);
        self.wrong = self.wrong.saturating_sub(forgotten);
        let passed = Duration::from_millis(GUESS_FORGOTTEN_MS) * forgotten.min(GUESS_COUNT_MAX);
        self.at = (self.wrong > 0).then(|| at + passed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn peer(number: u32) -> Peer {
        Peer::of(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number)))
    }

    fn guess_all(guesses: &Guesses, peer: Peer, now: Instant) {
        for _ in 0..GUESS_COUNT_MAX {
            assert!(matches!(guesses.turn(peer, now), Turn::Now));
            guesses.wrong(peer, now);
        }
    }

    #[test]
    fn peer_that_guesses_waits_and_no_other_does() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        guess_all(&guesses, peer(1), now);
        let places: Vec<Turn> = (0..WAIT_COUNT_MAX).map(|_| guesses.turn(peer(1), now)).collect();
        assert!(places.iter().all(|turn| matches!(turn, Turn::Later(_))));
        assert!(matches!(guesses.turn(peer(1), now), Turn::Never));
        assert!(matches!(guesses.turn(peer(2), now), Turn::Now));
        drop(places);
        assert!(matches!(guesses.turn(peer(1), now), Turn::Later(_)));
    }

    #[test]
    fn quiet_peer_is_forgiven_one_by_one() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        guess_all(&guesses, peer(1), now);
        let step = Duration::from_millis(GUESS_FORGOTTEN_MS);
        assert!(matches!(guesses.turn(peer(1), now + step / 2), Turn::Later(_)));
        assert!(matches!(guesses.turn(peer(1), now + step), Turn::Now));
        guesses.wrong(peer(1), now + step);
        assert!(matches!(guesses.turn(peer(1), now + step), Turn::Later(_)));
        guess_all(&guesses, peer(1), now + step * (GUESS_COUNT_MAX + 1));
    }

    #[test]
    fn memory_is_bounded_and_those_without_a_place_count_as_one() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let numbers = 0..u32::try_from(PEER_COUNT_MAX).unwrap();
        numbers.for_each(|number| guesses.wrong(peer(number), now));
        let stranger = |number| peer(1_000_000 + number);
        (0..GUESS_COUNT_MAX).for_each(|number| guesses.wrong(stranger(number), now));
        assert!(matches!(guesses.turn(stranger(99), now), Turn::Later(_)));
        assert!(matches!(guesses.turn(peer(1), now), Turn::Now));
        assert_eq!(guesses.lock().peers.len(), PEER_COUNT_MAX);

        let later = now + Duration::from_millis(GUESS_FORGOTTEN_MS) * GUESS_COUNT_MAX;
        guesses.wrong(stranger(99), later);
        assert_eq!(guesses.lock().peers.len(), 1);
    }
}

//! Claims of slots in the state store: taking, renewing and giving back one, each by
//! compare-and-set on the key of the slot.
//!
//! Whether a write that failed has happened may be unknown. So a claim carries a token that only
//! its instance knows, and what is found there with it is that instance's own.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{GRACE_MS, TERM_MS};
use worldbus_bus::{SubscriptionName, WallClock};
use worldbus_service::StateStore;
use worldbus_service::state::{Conflict, Entry, Error, Kind};

/// How long a claim is looked at unchanged until it is taken, whatever it states as its end: its
/// holder would have renewed it. So a holder whose clock was ahead keeps no one out.
const UNCHANGED_MS: u64 = TERM_MS + GRACE_MS;

/// How often a slot is tried that others claim and give back meanwhile.
const TURN_COUNT_MAX: usize = 8;

/// What is kept of a claim.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claim {
    /// The instance, for people.
    holder: String,
    /// The instance, by chance.
    token: String,
    /// When the claim ends if it is not renewed: wall time, microseconds since the Unix epoch.
    until_us: i64,
}

/// A claim that is ours.
#[derive(Debug)]
pub(super) struct Held {
    /// The slot.
    pub(super) name: SubscriptionName,
    revision: u64,
    claim: Claim,
}

impl Held {
    /// When it ends if it is not renewed.
    pub(super) fn until_us(&self) -> i64 {
        self.claim.until_us
    }
}

/// No slot is free: each with its holder.
#[derive(Debug)]
pub(super) struct Taken(Vec<(SubscriptionName, Claim)>);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {} slots are taken:", self.0.len())?;
        for (index, (name, claim)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {name} by {} until {}", claim.holder, time(claim.until_us))?;
        }
        Ok(())
    }
}

/// A wall time for people.
fn time(wall_us: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(wall_us);
    time.map_or_else(|_| format!("{wall_us} us"), |time| format!("{time:.0}"))
}

/// The claims of all slots, as one instance sees them.
pub(super) struct Claims {
    names: Vec<SubscriptionName>,
    holder: String,
    token: String,
    state: Arc<dyn StateStore>,
    wall: Arc<dyn WallClock>,
    /// Claims of others by slot: their revision, and since when it is the same, in steady time.
    others: Mutex<HashMap<SubscriptionName, (u64, i64)>>,
}

impl Claims {
    pub(super) fn new(
        names: Vec<SubscriptionName>,
        holder: &str,
        token: u64,
        state: Arc<dyn StateStore>,
        wall: Arc<dyn WallClock>,
    ) -> Self {
        let (holder, token) = (holder.to_owned(), format!("{token:016x}"));
        Self { names, holder, token, state, wall, others: Mutex::default() }
    }

    /// Claims the first slot that is free.
    pub(super) async fn take(&self) -> Result<Result<Held, Taken>, Error> {
        let mut taken = Vec::new();
        for name in &self.names {
            let current = self.state.get(&key(name)).await?;
            match self.take_one(name, current).await? {
                Ok(held) => return Ok(Ok(held)),
                Err(claim) => taken.push((name.clone(), claim)),
            }
        }
        Ok(Err(Taken(taken)))
    }

    /// Claims a slot, or who has it.
    async fn take_one(
        &self,
        name: &SubscriptionName,
        mut current: Option<Entry>,
    ) -> Result<Result<Held, Claim>, Error> {
        for _ in 0..TURN_COUNT_MAX {
            // Before the claim is written: by our clock it ends no later than it states.
            let now_us = self.wall.now_us();
            let there = current.as_ref().map(|entry| parse(name, entry)).transpose()?;
            let is_left = current.as_ref().is_some_and(|entry| self.is_left(name, entry.revision));
            let held = |claim: &Claim| !is_left && !self.may_take(claim, now_us);
            if let Some(claim) = there.filter(held) {
                return Ok(Err(claim));
            }
            let claim = self.claim(now_us);
            let expected = current.as_ref().map(|entry| entry.revision);
            match self.write(name, expected, &claim).await? {
                Ok(revision) => return Ok(Ok(Held { name: name.clone(), revision, claim })),
                // Whoever came first has it, or has given it back already.
                Err(conflict) => current = conflict.current,
            }
        }
        let text = format!("slot {name}: others came before us {TURN_COUNT_MAX} times");
        Err(Error::new(Kind::Busy, text))
    }

    /// Makes a claim hold for another term; else why it is ours no more.
    pub(super) async fn renew(&self, held: &mut Held) -> Result<Result<(), String>, Error> {
        let claim = self.claim(self.wall.now_us());
        match self.write(&held.name, Some(held.revision), &claim).await? {
            Ok(revision) => {
                (held.revision, held.claim) = (revision, claim);
                Ok(Ok(()))
            }
            Err(Conflict { current: None }) => Ok(Err("it was removed".to_owned())),
            Err(Conflict { current: Some(entry) }) => {
                let there = parse(&held.name, &entry)?;
                if there.token != self.token {
                    return Ok(Err(format!("{} has it", there.holder)));
                }
                // A renewal that seemed to fail has happened.
                (held.revision, held.claim) = (entry.revision, there);
                Ok(Ok(()))
            }
        }
    }

    /// Gives a claim back, if it is ours still.
    pub(super) async fn release(&self, held: Held) -> Result<(), Error> {
        let key = key(&held.name);
        let deleted = self.state.delete(&key, held.revision).await?;
        let Err(Conflict { current: Some(entry) }) = deleted else { return Ok(()) };
        if parse(&held.name, &entry)?.token == self.token {
            // A conflict now is another instance's doing.
            let _ = self.state.delete(&key, entry.revision).await?;
        }
        Ok(())
    }

    fn claim(&self, now_us: i64) -> Claim {
        let until_us = now_us.saturating_add(us(TERM_MS));
        Claim { holder: self.holder.clone(), token: self.token.clone(), until_us }
    }

    fn may_take(&self, claim: &Claim, now_us: i64) -> bool {
        claim.token == self.token || now_us >= claim.until_us.saturating_add(us(GRACE_MS))
    }

    /// Whether a claim stayed as it is for so long that its holder is gone.
    fn is_left(&self, name: &SubscriptionName, revision: u64) -> bool {
        let now_us = self.wall.steady_us();
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, since_us) = others.entry(name.clone()).or_insert((revision, now_us));
        if *known != revision {
            (*known, *since_us) = (revision, now_us);
        }
        now_us.saturating_sub(*since_us) >= us(UNCHANGED_MS)
    }

    async fn write(
        &self,
        name: &SubscriptionName,
        expected: Option<u64>,
        claim: &Claim,
    ) -> Result<Result<u64, Conflict>, Error> {
        let value = worldbus_service::state::encode("the claim of a slot", claim)?;
        self.state.compare_and_set(&key(name), expected, value).await
    }
}

fn key(name: &SubscriptionName) -> String {
    format!("event-bus/slots/{name}")
}

fn us(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1000)
}

fn parse(name: &SubscriptionName, entry: &Entry) -> Result<Claim, Error> {
    serde_json::from_slice(&entry.value).map_err(|error| {
        let text = format!("state key `{}` holds no claim of a slot; delete it", key(name));
        Error::new(Kind::Damaged, text).caused_by(error)
    })
}

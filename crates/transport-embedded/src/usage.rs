//! When topics and subscriptions were last used, by the time that passes while the log is open: a
//! wall clock that jumps makes nothing idle, nor does a process that is not there. Kept with the
//! age of the log, in steps: what is lost to a kill counts as use.
//!
//! Not here: what is deleted because it is unused (`write::writer::expiry`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::format::codec::{Put, Take};

/// A use after at least so long without one is written soon, lest a kill forgets it. So there is at
/// most one such write in this time.
const STEP_MS: i64 = 60_000;

/// The last use of a topic or subscription. Times are steady.
#[derive(Debug)]
pub(crate) struct Use {
    /// How many have it open now.
    present: AtomicU64,
    used_ms: AtomicI64,
}

impl Use {
    /// Last used so long ago.
    pub(crate) fn new(now_ms: i64, idle_ms: i64) -> Self {
        let used_ms = now_ms.saturating_sub(idle_ms.max(0));
        Self { present: AtomicU64::new(0), used_ms: AtomicI64::new(used_ms) }
    }

    /// How many have it open now.
    pub(crate) fn present(&self) -> u64 {
        self.present.load(Ordering::Acquire)
    }

    /// How long it has been unused; 0 while it is open.
    pub(crate) fn idle_ms(&self, now_ms: i64) -> i64 {
        let used_ms = self.used_ms.load(Ordering::Acquire);
        if self.present() > 0 { 0 } else { now_ms.saturating_sub(used_ms).max(0) }
    }

    /// Notes that one more has it open.
    pub(crate) fn open(&self) {
        self.present.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that one less has it open; whether that was the last.
    pub(crate) fn close(&self) -> bool {
        self.present.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Notes a use; whether it is to be written soon.
    pub(crate) fn touch(&self, now_ms: i64) -> bool {
        let idle_ms = self.idle_ms(now_ms);
        self.used_ms.fetch_max(now_ms, Ordering::AcqRel);
        idle_ms >= STEP_MS
    }
}

/// How long which subscriptions and topics have been unused, by number, in milliseconds. One that
/// is not in it was used just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) subscriptions: BTreeMap<u32, i64>,
    pub(crate) topics: BTreeMap<u32, i64>,
}

impl Idle {
    /// Appends it to a record, first the subscriptions, then the topics.
    ///
    /// ```text
    /// { count u32 │ { number u32 │ idle_ms i64 } × count } × 2
    /// ```
    pub(crate) fn encode(&self, mut put: Put) -> Put {
        for idle in [&self.subscriptions, &self.topics] {
            put = put.u32(idle.len() as u32);
            for (&number, &idle_ms) in idle {
                put = put.u32(number).i64(idle_ms);
            }
        }
        put
    }

    /// Reads what [`Idle::encode`] made; nothing of it is what versions before it wrote.
    pub(crate) fn decode(take: &mut Take<'_>) -> Option<Self> {
        let mut this = Self::default();
        if take.0.is_empty() {
            return Some(this);
        }
        for idle in [&mut this.subscriptions, &mut this.topics] {
            for _ in 0..take.u32()? {
                idle.insert(take.u32()?, take.i64()?);
            }
        }
        Some(this)
    }
}

//! The suite that every transport passes: what the trait's comments promise, as checks over an
//! open transport. The list is made of what the transport says it can do, so a transport of a
//! third party can be held to it as well.
//!
//! To hold a transport of your own to it: open one, whose topics nobody uses, and call [`check`]
//! from a test; [`compare`] keeps what it passes in a table. `Faulty` shows that the suite can
//! fail.
//!
//! Not for: restarts, damage and full disks, which each transport shows with tests of its own.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a check fails by a panic")]

mod deliveries;
mod events;
mod faulty;
mod matrix;
mod publishing;
mod reading;
mod wait;

pub use events::{batch, id, spec, topic, typed};
pub use faulty::{Bug, Faulty};
pub use matrix::compare;
pub use wait::{DEADLINE, next, read_all, soon};

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use std::fmt;
use std::sync::Arc;
use worldbus_bus::{Capability, Transport};

/// A promise of the trait and how it is checked.
#[derive(Debug)]
pub struct Check {
    /// The promise, as a claim.
    pub name: &'static str,
    /// What a transport must be able to do for it.
    pub needs: &'static [Capability],
    run: fn(Arc<dyn Transport>) -> LocalBoxFuture<'static, ()>,
}

macro_rules! check {
    ($module:ident :: $name:ident, [$($need:expr),*]) => {
        Check {
            name: stringify!($name),
            needs: &[$($need),*],
            run: |transport| async move { $module::$name(&transport).await }.boxed_local(),
        }
    };
}

/// All checks. Each uses topics and subscriptions of its own.
pub fn checks() -> Vec<Check> {
    vec![
        check!(
            deliveries::published_batches_are_delivered_in_order,
            [Capability::OrderPerProducer]
        ),
        check!(deliveries::everything_arrives, []),
        check!(deliveries::consumers_compete, []),
        check!(deliveries::nacked_batches_come_again, []),
        check!(deliveries::released_deliveries_do_not_count, []),
        check!(deliveries::an_ended_lease_is_given_away_and_lost, []),
        check!(deliveries::a_late_ack_counts_until_the_batch_is_given_away, [Capability::LateAck]),
        check!(deliveries::attempts_are_bounded, []),
        check!(deliveries::events_are_set_aside_once, []),
        check!(deliveries::subscriptions_begin_where_they_ask, [Capability::Replay]),
        check!(
            reading::filters_select_batches,
            [Capability::FilterByType, Capability::FilterByEntity, Capability::Replay]
        ),
        check!(reading::the_past_is_read_again, [Capability::Replay]),
        check!(reading::readers_follow_all_topics, [Capability::Replay]),
        check!(
            publishing::duplicates_are_dropped,
            [Capability::DropDuplicates, Capability::Replay]
        ),
        check!(publishing::too_large_batches_are_refused, []),
        check!(
            publishing::order_per_producer_is_kept,
            [Capability::OrderPerProducer, Capability::Replay]
        ),
    ]
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It was left out: the transport says that it cannot do this.
    Lacks(Capability),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("pass"),
            Self::Lacks(capability) => write!(f, "lacks {}", capability.name()),
        }
    }
}

impl Check {
    /// Runs it; left out if the transport lacks what it needs.
    ///
    /// # Panics
    /// When the check fails.
    pub async fn run(&self, transport: Arc<dyn Transport>) -> Outcome {
        let can = |need: &&Capability| !transport.capabilities().can(**need);
        if let Some(&lacking) = self.needs.iter().find(can) {
            return Outcome::Lacks(lacking);
        }
        (self.run)(transport).await;
        Outcome::Passed
    }
}

/// Runs every check; what became of each. The topics of the transport must not be in use.
///
/// # Panics
/// When a check fails.
pub async fn check(transport: Arc<dyn Transport>) -> Vec<(&'static str, Outcome)> {
    let mut outcomes = Vec::new();
    for check in checks() {
        outcomes.push((check.name, check.run(Arc::clone(&transport)).await));
    }
    outcomes
}

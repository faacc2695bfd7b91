//! Deleting unused subscriptions and topics, if that is asked for. Not here: since when
//! they are not used (`uses`), nor the deletion itself (`removal`).

use std::collections::HashMap;
use std::sync::Arc;

use super::Writer;
use super::retention::ms;
use crate::dead_letters::replay;
use crate::subscription::runtime::Live;
use crate::write::queue::Deletion;
use worldbus_bus::{Error, Kind, SubscriptionName, Topic};

/// Deletions in a row, each a commit, before publishers have their turn again.
const DELETIONS_MAX: usize = 16;
/// There is a warning when this part of the time is left.
const WARN_PART: i64 = 10;

impl Writer {
    /// Deletes what was unused for as long as the options say. `floors` has the topics that
    /// subscriptions are bound to.
    pub(super) fn expire(&mut self, floors: &HashMap<u32, (u64, SubscriptionName)>) {
        if self.shared.options.queue {
            return;
        }
        if let Some(expiry) = self.shared.options.subscription_expiry {
            self.expire_subscriptions(ms(expiry));
        }
        if let Some(expiry) = self.shared.options.topic_expiry {
            self.expire_topics(ms(expiry), floors);
        }
    }

    fn expire_subscriptions(&mut self, expiry_ms: i64) {
        let now_ms = self.shared.steady_ms();
        let with_dead = self.ledger.dead_subscriptions();
        let mut deletions = 0;
        for live in self.subscriptions_not_kept() {
            let idle_ms = live.usage.idle_ms(now_ms);
            if idle_ms < expiry_ms - expiry_ms / WARN_PART || with_dead.contains(&live.id) {
                self.retention.warned_of_expiry.remove(&live.id);
            } else if idle_ms < expiry_ms {
                self.warn_of_expiry(&live, idle_ms, expiry_ms);
            } else if deletions < DELETIONS_MAX {
                self.expire_subscription(&live, idle_ms);
                deletions += 1;
            }
        }
    }

    /// By name.
    fn subscriptions_not_kept(&self) -> Vec<Arc<Live>> {
        let kept = &self.shared.options.subscriptions_kept;
        let mut all: Vec<_> = self.shared.subscriptions().values().cloned().collect();
        all.retain(|live| !kept.contains(&live.name));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn warn_of_expiry(&mut self, live: &Live, idle_ms: i64, expiry_ms: i64) {
        if !self.retention.warned_of_expiry.insert(live.id) {
            return;
        }
        let (unread, idle_s) = (self.shared.lag(live), idle_ms / 1000);
        let left_s = (expiry_ms - idle_ms) / 1000;
        tracing::warn!(
            subscription = %live.name, unread, idle_s, left_s,
            "this subscription is unused; it is deleted soon, with what is unread: consume it, \
             or raise subscription_expiry_hours"
        );
    }

    fn expire_subscription(&mut self, live: &Live, idle_ms: i64) {
        let (unread, idle_s) = (self.shared.lag(live), idle_ms / 1000);
        let deletion = Deletion::Subscription { name: live.name.clone(), force: true };
        let subscription = &live.name;
        match self.delete(&deletion) {
            Ok(()) if unread > 0 => {
                tracing::warn!(%subscription, unread, idle_s, "subscription expired, not all read");
            }
            Ok(()) => tracing::info!(%subscription, idle_s, "subscription expired"),
            Err(error) => return put_off("subscription", subscription.as_str(), &error),
        }
        self.retention.warned_of_expiry.remove(&live.id);
        metrics::counter!("worldbus_expired_subscriptions_total").increment(1);
        metrics::counter!("worldbus_expired_unread_batches_total").increment(unread);
    }

    fn expire_topics(&mut self, expiry_ms: i64, floors: &HashMap<u32, (u64, SubscriptionName)>) {
        let idle = self.shared.idle().topics;
        let kept = (self.shared.options.topics_kept)();
        let expired: Vec<(Topic, i64)> = (0..)
            .zip(&self.ledger.heads)
            .filter(|(number, head)| {
                replay::is_public(&head.name)
                    && !kept.contains(&head.name)
                    && head.first_offset == head.next_offset
                    && !floors.contains_key(number)
            })
            .filter_map(|(number, head)| Some((head.name.clone(), *idle.get(&number)?)))
            .filter(|(_, idle_ms)| *idle_ms >= expiry_ms)
            .take(DELETIONS_MAX)
            .collect();
        for (name, idle_ms) in expired {
            self.expire_topic(name, idle_ms / 1000);
        }
    }

    /// Not by force: with whatever is there to be lost, dead letters for one, it stays.
    fn expire_topic(&mut self, name: Topic, idle_s: i64) {
        let deletion = Deletion::Topic { name: name.clone(), force: false };
        match self.delete(&deletion) {
            Ok(()) => {
                tracing::info!(topic = %name, idle_s, "topic expired");
                metrics::counter!("worldbus_expired_topics_total").increment(1);
            }
            Err(error) if error.kind() == Kind::InUse => {}
            Err(error) => put_off("topic", name.as_str(), &error),
        }
    }
}

/// The next look tries again.
fn put_off(what: &str, name: &str, error: &Error) {
    tracing::debug!(%error, what, name, "not deleted yet, though unused");
}

//! Warns before anything unread is removed: batches of a subscription that lags, and dead letters.
//! Not here: what goes (`retention`).

use std::collections::HashMap;

use super::Writer;
use super::retention::ms;
use crate::dead_letters::replay;
use crate::store;
use worldbus_bus::SubscriptionName;

/// From this part of what is kept on there is a warning.
const WARN_FROM: f64 = 0.75;

impl Writer {
    /// Sets the gauges of how near unread batches and dead letters are to their removal,
    /// and warns once when they come near. `floors` is by topic.
    pub(super) fn warn(&mut self, floors: &HashMap<u32, (u64, SubscriptionName)>) {
        if self.shared.options.queue {
            return;
        }
        for topic in 0..self.ledger.heads.len() as u32 {
            if replay::is_deleted(&self.ledger.heads[topic as usize].name) {
                self.retention.warned.remove(&topic);
                continue;
            }
            let used = match floors.get(&topic) {
                Some((floor, _)) => self.unread_used(topic, *floor),
                None => 0.0,
            };
            let name = &self.ledger.heads[topic as usize].name;
            let is_public = replay::is_public(name);
            let name = name.to_string();
            if is_public {
                metrics::gauge!("worldbus_unread_retention_used_ratio", "topic" => name.clone())
                    .set(used);
            }
            if used < WARN_FROM {
                self.retention.warned.remove(&topic);
            } else if self.retention.warned.insert(topic) {
                let subscription = floors.get(&topic).map(|(_, name)| name.as_str());
                tracing::warn!(
                    topic = name,
                    subscription,
                    used,
                    "unread batches are removed soon: consume them, or raise \
                     unread_retention_hours or unread_retention_bytes"
                );
            }
        }
        self.warn_of_dead();
    }

    /// How much of its time or room the oldest unread batch of a topic has used: 1 is all.
    fn unread_used(&self, topic: u32, floor: u64) -> f64 {
        let (head, options) = (&self.ledger.heads[topic as usize], &self.shared.options);
        let oldest = floor.max(head.first_offset);
        if oldest >= head.next_offset {
            return 0.0;
        }
        let Ok(Some(entry)) = store::entry_at(&self.connection, topic, oldest) else { return 0.0 };
        let age_ms = self.retention.ages.age_of(self.shared.steady_ms(), entry.group);
        let age_max = ms(options.unread_age.max(options.retention_age));
        let by_age = age_ms as f64 / age_max.max(1) as f64;
        // What is read goes first.
        if head.bytes <= options.retention_bytes {
            return by_age;
        }
        let bytes_max = options.unread_bytes.max(options.retention_bytes);
        by_age.max(head.bytes as f64 / bytes_max.max(1) as f64)
    }

    fn warn_of_dead(&mut self) {
        let (tally, options) = (&self.ledger.tally, &self.shared.options);
        let count = tally.dead_next - tally.dead_first;
        let by_count = count as f64 / options.dead_letters_max.max(1) as f64;
        let by_bytes = tally.dead_bytes as f64 / options.dead_letter_bytes_max.max(1) as f64;
        let used = by_count.max(by_bytes);
        metrics::gauge!("worldbus_dead_letters_used_ratio").set(used);
        let near = used >= WARN_FROM;
        if near && !self.retention.warned_of_dead {
            tracing::warn!(
                count,
                used,
                "the oldest dead letters are removed soon: replay or discard some, or raise \
                 dead_letters_max or dead_letter_bytes_max"
            );
        }
        self.retention.warned_of_dead = near;
    }
}

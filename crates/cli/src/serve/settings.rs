//! What several serving commands can be set to. What only one takes is with it, what every service
//! of any program takes is in the service kit.

use std::time::Duration;

use worldbus_events::limits::BATCH_BYTES_MAX;
use worldbus_service::{settings, start};
use worldbus_transport_embedded::Options;

/// The least that a log keeps: less would delete all that comes.
const RETENTION_HOURS_MIN: u64 = 1;
/// Room for the largest batch.
const RETENTION_BYTES_MIN: u64 = BATCH_BYTES_MAX as u64;
const DEAD_LETTERS_MIN: u64 = 1;

settings! {
    /// What the log of `worldbus up` and `worldbus event-bus` keeps.
    pub(crate) struct Retention {
        /// Hours that batches are kept; hours in which the log was open, whatever the wall clock
        /// shows.
        retention_hours: u64 = "168",
        /// Bytes of batches that each topic keeps; beyond them its oldest are removed.
        retention_bytes: u64 = "1073741824",
        /// Hours that batches are kept which a subscription of their topic has not settled, if
        /// that is longer.
        unread_retention_hours: u64 = "720",
        /// Bytes of batches that each topic keeps while a subscription has not settled its
        /// oldest, if that is more.
        unread_retention_bytes: u64 = "4294967296",
        /// Hours after which an unused subscription is deleted, with what it has not read:
        /// hours in which the log was open. 0: never. One with dead letters stays, and so do
        /// those of the services.
        subscription_expiry_hours: u64 = "0",
        /// Hours after which an empty topic without subscriptions is deleted that no client
        /// publishes to or reads. 0: never. The topics of the catalogue stay.
        topic_expiry_hours: u64 = "0",
        /// Dead letters that are kept; beyond them the oldest are removed.
        dead_letters_max: u64 = "10000",
        /// Bytes of dead letters that are kept; beyond them the oldest are removed.
        dead_letter_bytes_max: u64 = "268435456",
    }
}

settings! {
    /// What every service of a world takes.
    pub(crate) struct WorldSettings {
        /// How far ahead commands take effect, in milliseconds, at most 60000; the same in all
        /// instances.
        lead_ms: u64 = "2000",
        /// Go on with a world file under which the identity of events changes (seed, epoch,
        /// calendar, regions, people, places or their order), though the state was begun with
        /// another.
        accept_world_changes: bool = "false",
    }
}

impl Retention {
    /// Refuses to keep nothing.
    pub(crate) fn check(&self) -> Result<(), start::Error> {
        for (name, found, least) in [
            ("retention_hours", self.retention_hours, RETENTION_HOURS_MIN),
            ("retention_bytes", self.retention_bytes, RETENTION_BYTES_MIN),
            ("dead_letters_max", self.dead_letters_max, DEAD_LETTERS_MIN),
            ("dead_letter_bytes_max", self.dead_letter_bytes_max, RETENTION_BYTES_MIN),
        ] {
            if found < least {
                let expected = format!("at least {least}");
                return Err(start::Error::Setting { name, expected });
            }
        }
        Ok(())
    }

    /// What a log is opened with.
    pub(crate) fn options(&self) -> Options {
        let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
        let expiry = |count: u64| (count > 0).then(|| hours(count));
        Options {
            retention_age: hours(self.retention_hours),
            retention_bytes: self.retention_bytes,
            unread_age: hours(self.unread_retention_hours),
            unread_bytes: self.unread_retention_bytes,
            subscription_expiry: expiry(self.subscription_expiry_hours),
            topic_expiry: expiry(self.topic_expiry_hours),
            dead_letters_max: self.dead_letters_max,
            dead_letter_bytes_max: self.dead_letter_bytes_max,
            ..Options::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_service::config::Settings as _;

    #[test]
    fn what_a_log_keeps_by_default_is_what_its_own_options_say() {
        let declared = Retention::declare();
        let default = |name: &str| -> u64 {
            let setting = declared.iter().find(|setting| setting.name == name).unwrap();
            setting.default.as_ref().unwrap().parse().unwrap()
        };
        let options = Options::default();
        let hours = |time: Option<Duration>| time.map_or(0, |time| time.as_secs() / 3_600);
        let said = [
            ("retention_hours", options.retention_age.as_secs() / 3_600),
            ("retention_bytes", options.retention_bytes),
            ("unread_retention_hours", options.unread_age.as_secs() / 3_600),
            ("unread_retention_bytes", options.unread_bytes),
            ("subscription_expiry_hours", hours(options.subscription_expiry)),
            ("topic_expiry_hours", hours(options.topic_expiry)),
            ("dead_letters_max", options.dead_letters_max),
            ("dead_letter_bytes_max", options.dead_letter_bytes_max),
        ];
        assert_eq!(said.map(|(name, _)| default(name)), said.map(|(_, own)| own));
    }
}

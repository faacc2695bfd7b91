//! The settings of each command: which there are, and their defaults. From these come flags,
//! environment variables, keys of the configuration file, and `docs/reference/config.md`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::output::failure::WrongUse;
use worldbus_events::limits::BATCH_BYTES_MAX;
use worldbus_service::config::{self, Common, Flags, LogFormat, Machine, Setting, Settings as _};
use worldbus_service::logging::Filter;
use worldbus_service::{Secret, config::Loaded, settings};
use worldbus_time_manager::CatchUp;
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
        /// Hours after which an empty topic without subscriptions is deleted that nobody publishes
        /// to or reads. 0: never. The topics of the catalogue stay.
        topic_expiry_hours: u64 = "0",
        /// Dead letters that are kept; beyond them the oldest are removed.
        dead_letters_max: u64 = "10000",
        /// Bytes of dead letters that are kept; beyond them the oldest are removed.
        dead_letter_bytes_max: u64 = "268435456",
    }
}

settings! {
    /// Settings of `worldbus up`: everything in one process.
    pub(crate) struct Up {
        ..common: Common { listen: "127.0.0.1:7070" },
        ..retention: Retention {},
        /// Game minutes from one `time.updated` to the next.
        cadence_game_minutes: u32 = "1",
        /// How far ahead commands take effect, in milliseconds.
        lead_ms: u64 = "0",
        /// Which game time is told that passed while nothing ran: `none`, `last` (the latest of
        /// each kind) or `all` (of the last game day).
        catch_up: CatchUp = "all",
        /// Tell the weather of every region at each whole game hour, as `weather.sample`.
        samples: bool = "false",
        /// Go on with a world file under which the identity of events changes (seed, epoch,
        /// calendar, regions or their order), though the state was begun with another.
        accept_world_changes: bool = "false",
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

settings! {
    /// Settings of `worldbus time-manager`.
    pub(crate) struct TimeManager {
        ..common: Common { listen: "127.0.0.1:7071", url: "http://127.0.0.1:7070" },
        /// Game minutes from one `time.updated` to the next; the same in all instances.
        cadence_game_minutes: u32 = "1",
        /// How far ahead commands take effect, in milliseconds; the same in all instances.
        lead_ms: u64 = "2000",
        /// Which game time is told that passed while no instance ran: `none`, `last` (the latest
        /// of each kind) or `all` (of the last game day).
        catch_up: CatchUp = "all",
        /// Go on with a world file under which the identity of events changes (seed, epoch,
        /// calendar, regions or their order), though the state was begun with another.
        accept_world_changes: bool = "false",
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

settings! {
    /// Settings of `worldbus weather-manager`.
    pub(crate) struct WeatherManager {
        ..common: Common { listen: "127.0.0.1:7072", url: "http://127.0.0.1:7070" },
        /// How far ahead commands take effect, in milliseconds; the same in all instances.
        lead_ms: u64 = "2000",
        /// Tell the weather of every region at each whole game hour, as `weather.sample`.
        samples: bool = "false",
        /// Go on with a world file under which the identity of events changes (seed, epoch,
        /// calendar, regions or their order), though the state was begun with another.
        accept_world_changes: bool = "false",
    }
}

settings! {
    /// Settings of `worldbus event-bus`.
    pub(crate) struct EventBus {
        ..common: Common { listen: "127.0.0.1:7070" },
        ..retention: Retention {},
        /// The subscription by which it gets all events of an engine that keeps no past, such as
        /// `sns-sqs://…`. Each instance has its own log and needs its own.
        subscription: String = "event-bus",
        /// How many such subscriptions there are: `NAME`, `NAME-2`, … up to 16. Of several an
        /// instance claims one in the state store, which all instances then share.
        subscription_slots: u32 = "1",
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

settings! {
    /// Settings of `worldbus tail`.
    pub(crate) struct Client {
        /// The bus to use: `http://host:port`, `https://host` behind a proxy that ends TLS,
        /// `embedded:DIR` while no other process has it, or to publish
        /// `sns-sqs://REGION?prefix=PREFIX`, which keeps no past that `tail` could read.
        url: String = "http://127.0.0.1:7070",
        /// The key that the event-bus asks for, if it has one.
        api_key: Option<Secret>,
        /// What is logged.
        log: Filter = "warn",
        /// How logs are written to standard error: `text` or `json`.
        log_format: LogFormat = "text",
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

settings! {
    /// Settings of `worldbus publish`.
    pub(crate) struct Publish {
        ..client: Client {},
        /// Folder where events wait that the bus does not take; without it they fail. Each
        /// process needs its own.
        spool_dir: Option<PathBuf>,
        /// Bytes that may wait there; beyond them publishing waits.
        spool_bytes_max: u64 = "268435456",
    }
}

settings! {
    /// Settings of `worldbus time`.
    pub(crate) struct Time {
        /// The service to ask: `http://host:port`, or `https://host` behind a proxy that ends TLS;
        /// `worldbus up` serves all at one.
        url: String = "http://127.0.0.1:7070",
        /// The time-manager, where `url` names a bus that does not serve it; the flag is `--url`.
        time_url: Option<String>,
        /// The key that it asks for, if it has one.
        api_key: Option<Secret>,
    }
}

settings! {
    /// Settings of `worldbus weather`.
    pub(crate) struct Weather {
        /// The service to ask: `http://host:port`, or `https://host` behind a proxy that ends TLS;
        /// `worldbus up` serves all at one.
        url: String = "http://127.0.0.1:7070",
        /// The weather-manager, where `url` names a bus that does not serve it; the flag is
        /// `--url`.
        weather_url: Option<String>,
        /// The key that it asks for, if it has one.
        api_key: Option<Secret>,
    }
}

settings! {
    /// Settings of `worldbus health`.
    pub(crate) struct Health {
        /// Where the service listens; a variable that it has says it to this command too.
        listen: SocketAddr = "127.0.0.1:7070",
    }
}

settings! {
    /// Settings of `worldbus catalog`.
    pub(crate) struct Catalog {
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

/// Merges the layers. Settings of our other commands may be set: one environment and one file serve
/// all.
pub(crate) fn load<S: config::Settings>(flags: &Flags<S>) -> Result<Loaded<S>, config::Error> {
    config::load_tolerating(flags, &Machine, &of_all_commands())
}

fn of_all_commands() -> Vec<Setting> {
    let commands = [
        Up::declare(),
        TimeManager::declare(),
        WeatherManager::declare(),
        EventBus::declare(),
        Publish::declare(),
        Time::declare(),
        Weather::declare(),
    ];
    commands.concat()
}

impl Retention {
    /// Refuses to keep nothing.
    pub(crate) fn check(&self) -> Result<(), WrongUse> {
        for (flag, found, least) in [
            ("retention-hours", self.retention_hours, RETENTION_HOURS_MIN),
            ("retention-bytes", self.retention_bytes, RETENTION_BYTES_MIN),
            ("dead-letters-max", self.dead_letters_max, DEAD_LETTERS_MIN),
            ("dead-letter-bytes-max", self.dead_letter_bytes_max, RETENTION_BYTES_MIN),
        ] {
            if found < least {
                let text = format!("--{flag}: expected at least {least}, found {found}");
                return Err(WrongUse(text));
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

    #[test]
    fn what_a_log_keeps_by_default_is_what_its_own_options_say() {
        let declared = Retention::declare();
        let default = |name: &str| -> u64 {
            let setting = declared.iter().find(|setting| setting.name == name).unwrap();
            setting.default.unwrap().parse().unwrap()
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

    #[test]
    fn a_spool_is_as_large_as_the_library_says() {
        let declared = Publish::declare();
        let size = declared.iter().find(|setting| setting.name == "spool_bytes_max").unwrap();
        assert_eq!(size.default.unwrap(), worldbus::SpoolOptions::BYTES_MAX.to_string());
    }
}

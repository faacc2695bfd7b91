//! The settings of each command: which there are, and their defaults. From these come flags,
//! environment variables, keys of the configuration file, and `docs/config.md`.

use std::net::SocketAddr;
use std::path::PathBuf;

use worldbus_service::config::{self, Common, Flags, LogFormat, Machine, Setting, Settings as _};
use worldbus_service::{Secret, config::Loaded, settings};

settings! {
    /// Settings of `worldbus up`: everything in one process.
    pub(crate) struct Up {
        ..common: Common { listen: "127.0.0.1:7070" },
        /// Game minutes from one `time.updated` to the next.
        cadence_game_minutes: u32 = "1",
        /// How far ahead commands take effect, in milliseconds.
        lead_ms: u64 = "0",
        /// Which game time is told that passed while nothing ran: `none`, `last` (the latest of
        /// each kind) or `all` (of the last game day).
        catch_up: String = "all",
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
        catch_up: String = "all",
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
        /// The bus to use: `http://host:port`, `sns-sqs://REGION?prefix=PREFIX`, or
        /// `embedded:DIR` while no other process has it.
        url: String = "http://127.0.0.1:7070",
        /// The key that the event-bus asks for, if it has one.
        api_key: Option<Secret>,
        /// What is logged: a level, or a filter such as `info,worldbus_bus=debug`.
        log: String = "warn",
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
    /// Settings of `worldbus schedule`.
    pub(crate) struct Schedule {
        /// The time-manager to ask: `http://host:port`; in `worldbus up` it has the port of all.
        time_url: String = "http://127.0.0.1:7070",
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
        Schedule::declare(),
    ];
    commands.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_is_as_large_as_the_library_says() {
        let declared = Publish::declare();
        let size = declared.iter().find(|setting| setting.name == "spool_bytes_max").unwrap();
        assert_eq!(size.default.unwrap(), worldbus::SpoolOptions::BYTES_MAX.to_string());
    }
}

//! The settings of the clients' verbs: which there are, and their defaults. From these come flags,
//! environment variables, keys of the configuration file, and `docs/reference/config.md`. Those of
//! what serves are in `serve`, those of a service with the service.

use std::net::SocketAddr;
use std::path::PathBuf;

use worldbus_service::config::LogFormat;
use worldbus_service::logging::Filter;
use worldbus_service::{Secret, settings};

settings! {
    /// Settings of `worldbus catalog`, and of every command that works on event types.
    pub(crate) struct StudioTypes {
        /// Event types of studios: FileDescriptorSets, as `protoc --descriptor_set_out` writes.
        catalog: Vec<PathBuf>,
    }
}

settings! {
    /// Settings of `worldbus tail`.
    pub(crate) struct Client {
        ..types: StudioTypes {},
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
    /// Settings of `worldbus people`.
    pub(crate) struct People {
        /// The service to ask: `http://host:port`, or `https://host` behind a proxy that ends TLS;
        /// `worldbus up` serves all at one.
        url: String = "http://127.0.0.1:7070",
        /// The npc-behavior, where `url` names a bus that does not serve it; the flag is `--url`.
        people_url: Option<String>,
        /// The key that it asks for, if it has one.
        api_key: Option<Secret>,
    }
}

settings! {
    /// Settings of `worldbus state`.
    pub(crate) struct State {
        /// The service to ask: `http://host:port`, or `https://host` behind a proxy that ends TLS;
        /// `worldbus up` serves all at one. `rebuild` reads the events of the bus there.
        url: String = "http://127.0.0.1:7070",
        /// The world-state service, where `url` names a bus that does not serve it; the flag is
        /// `--url`.
        state_service_url: Option<String>,
        /// The key that it asks for, if it has one.
        api_key: Option<Secret>,
    }
}

settings! {
    /// Settings of `worldbus chronicle` and `worldbus director`.
    pub(crate) struct Chronicle {
        /// The service to ask: `http://host:port`, or `https://host` behind a proxy that ends TLS;
        /// `worldbus up` serves all at one.
        url: String = "http://127.0.0.1:7070",
        /// The storyteller, where `url` names a bus that does not serve it; the flag is `--url`.
        chronicle_url: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_service::config::Settings as _;

    #[test]
    fn a_spool_is_as_large_as_the_library_says() {
        let declared = Publish::declare();
        let size = declared.iter().find(|setting| setting.name == "spool_bytes_max").unwrap();
        assert_eq!(size.default.as_deref().unwrap(), worldbus::SpoolOptions::BYTES_MAX.to_string());
    }
}

//! The settings that every serving command has.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::http::access::Origin;
use crate::observe::logging::{Filter, LogFormat};
use crate::{Secret, SecretUrl};

crate::settings! {
    /// Settings of every command that serves.
    pub struct Common {
        /// Directory of all durable data: the bus in `bus/`, the state in `state.db`.
        data_dir: PathBuf = "./worldbus-data",
        /// Address and port of HTTP and gRPC. Beyond loopback an API key is required.
        listen: SocketAddr = "127.0.0.1:7070",
        /// The bus to use: `embedded:DIR`, `http://host:port`, `https://host` or `sns-sqs://REGION?prefix=PREFIX`.
        url: String = "embedded:{data_dir}/bus",
        /// Where small state is kept: `sqlite:PATH`, `dynamodb://REGION/TABLE` or
        /// `postgres://USER@HOST/DATABASE`.
        state_url: SecretUrl = "sqlite:{data_dir}/state.db",
        /// The password of a `state_url` that is `postgres://` and has none itself.
        state_password: Option<Secret>,
        /// Where world-state and storyteller keep what they write, shared by all their instances:
        /// `postgres://USER@HOST/DATABASE`; without it in files of the data directory.
        database_url: Option<SecretUrl>,
        /// The password of `database_url`, if it has none itself.
        database_password: Option<Secret>,
        /// World file; without it the sample world that is built in.
        world: Option<PathBuf>,
        /// The key that clients must present as `authorization: Bearer KEY`.
        api_key: Option<Secret>,
        /// Origins of web pages that may use it from browsers; pages of other sites and ports may
        /// not.
        allow_origin: Vec<Origin>,
        /// What is logged.
        log: Filter = "info",
        /// How logs are written to standard error: `text` or `json`.
        log_format: LogFormat = "text",
    }
}

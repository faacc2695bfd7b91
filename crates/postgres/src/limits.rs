//! How long things may take, and how many there may be.

use std::time::Duration;

/// The most connections of a process to one database. Statements of services are short, and the
/// server has 100 for all by default.
pub const CONNECTION_COUNT_MAX: usize = 4;
/// How long a caller waits for a connection, with all attempts to open one.
pub const CLIENT_MAX: Duration = Duration::from_secs(5);
/// How long a statement may run; the server ends it then.
pub const STATEMENT_MAX: Duration = Duration::from_secs(10);
/// How long a migration may take, or waiting for that of another process.
pub(crate) const MIGRATION_MAX: Duration = Duration::from_secs(600);

/// How long each address of the server's name may take to take a connection.
pub(crate) const ADDRESS_MAX: Duration = Duration::from_secs(2);
/// How long it may take in all, with TLS and login.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a transaction may be open between two statements; the server ends it then, so that what
/// it locks is free when its owner is gone.
pub(crate) const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(30);
/// How much longer than the server's limit is waited for its answer.
pub(crate) const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// A server that vanished without a word is noticed by probes this often.
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(10);
/// Pauses between attempts to connect.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(50);
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The most statements that a connection keeps prepared; others are prepared each time.
pub(crate) const STATEMENT_COUNT_MAX: usize = 128;

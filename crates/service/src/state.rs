//! Small durable state: keyed values with a revision and compare-and-set. For clock segments,
//! overrides, cursors, schedules; not for events and not for anything that grows without bound.
//!
//! Several processes may share one store: whoever writes states the revision it has read, and one
//! of two writers loses and reads again. Revisions are never reused, also not after a delete.

mod error;
mod private;
mod sqlite;
pub mod sqlite_file;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::secret::masked;

pub use error::{Error, Fate, Kind};
pub use sqlite::Sqlite;

/// The longest key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 256;
/// The largest value: the smallest limit of the stores we mean to support (DynamoDB, 400 KiB).
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// The most keys that one [`StateStore::list`] returns; more is refused, not cut.
pub const LIST_COUNT_MAX: usize = 10_000;

/// How often [`update`] tries before it gives up: each try that fails is a success of another.
pub const UPDATE_COUNT_MAX: usize = 64;

/// A value and the revision that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes as they were written.
    pub value: Vec<u8>,
    /// Greater than every revision that this store gave before.
    pub revision: u64,
}

/// The key was not as the writer expected, and nothing was written. Carries what is there now, so
/// that the writer can decide again without another read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key was changed by another writer")]
pub struct Conflict {
    /// What is there now; `None` when the key does not exist.
    pub current: Option<Entry>,
}

/// A store of small state.
///
/// Every method is linearizable over all processes that share the store. When a write returns
/// `Ok(Ok(_))` it is durable: on disk and fsynced. When its future is dropped the write may still
/// happen: read before writing again. Errors say by [`Error::fate`] what a caller may do.
#[async_trait]
pub trait StateStore: Send + Sync + std::fmt::Debug {
    /// The entry of `key`, or `None`.
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error>;

    /// Writes `value` if the key is at revision `expected`, or does not exist when that is `None`.
    /// Returns the new revision.
    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error>;

    /// All entries whose key begins with `prefix`, by key in byte order; one consistent view.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error>;

    /// Removes `key` if it is at revision `expected`.
    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error>;
}

/// Refuses a key, or the beginning of one, that is too long.
///
/// # Errors
/// [`Kind::TooLarge`] beyond [`KEY_BYTES_MAX`].
pub fn check_key(key: &str) -> Result<(), Error> {
    let bytes = key.len();
    if bytes <= KEY_BYTES_MAX {
        return Ok(());
    }
    let context = format!("state key of {bytes} bytes; at most {KEY_BYTES_MAX} fit");
    Err(Error::new(Kind::TooLarge, context))
}

/// Refuses a value that is too large.
///
/// # Errors
/// [`Kind::TooLarge`] beyond [`VALUE_BYTES_MAX`].
pub fn check_value(key: &str, value: &[u8]) -> Result<(), Error> {
    let bytes = value.len();
    if bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    let context =
        format!("state value of {bytes} bytes for `{key}`; at most {VALUE_BYTES_MAX} fit");
    Err(Error::new(Kind::TooLarge, context))
}

/// Opens the store that `url` names: `sqlite:PATH`. Creates it when it does not exist.
///
/// # Errors
/// [`Kind::Unsupported`] for another scheme, and those of the backend.
pub async fn open(url: &str) -> Result<Arc<dyn StateStore>, Error> {
    Ok(Arc::new(Sqlite::open(path(url)?).await?))
}

/// The file that `url` names: that of `sqlite:PATH`.
///
/// # Errors
/// [`Kind::Unsupported`] for another scheme.
pub fn path(url: &str) -> Result<PathBuf, Error> {
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => {
            Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
        }
        _ => Err(Error::new(
            Kind::Unsupported,
            format!(
                "state store `{}` is not supported; use sqlite:PATH, dynamodb://REGION/TABLE or \
                 postgres://USER@HOST/DATABASE (WORLDBUS_STATE_URL)",
                masked(url)
            ),
        )),
    }
}

/// The stored form of a value, which is JSON. To be had before anything is written: what cannot be
/// encoded must not stand in the place of what is there.
///
/// # Errors
/// `Unencodable`, naming `what` could not be kept.
pub fn encode(what: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| {
        let text = format!("failed to encode {what}; what is stored was left as it is");
        Error::new(Kind::Unencodable, text).caused_by(error)
    })
}

/// Replaces the value of `key` by what `change` makes of it, trying again as often as another
/// writer came between. Returns the new revision; `change` may run more than once.
///
/// # Errors
/// What `change` returns, and those of the store; [`Kind::Busy`] after [`UPDATE_COUNT_MAX`] tries.
pub async fn update<E: From<Error>>(
    store: &dyn StateStore,
    key: &str,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Vec<u8>, E>,
) -> Result<u64, E> {
    let mut current = store.get(key).await?;
    for _ in 0..UPDATE_COUNT_MAX {
        let value = change(current.as_ref().map(|entry| entry.value.as_slice()))?;
        let expected = current.as_ref().map(|entry| entry.revision);
        match store.compare_and_set(key, expected, value).await? {
            Ok(revision) => return Ok(revision),
            Err(conflict) => current = conflict.current,
        }
    }
    let text = format!("state key `{key}`: others wrote before us {UPDATE_COUNT_MAX} times");
    Err(Error::new(Kind::Busy, text).into())
}

#[cfg(test)]
mod tests;

//! How far the events of a world are durable, kept in the state store so that a restart continues
//! there. Not the world's state: losing it costs a few twins, no event.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use worldbus_service::StateStore;
use worldbus_service::state::{self, Error, Kind};

/// The checkpoint is written at most this often.
const SAVE_US_MIN: i64 = 1_000_000;

/// Every event of the clock as it was at `epoch` is durable up to `wall_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The newest epoch of the clock that was considered.
    pub epoch: u32,
    /// Wall time in microseconds since the Unix epoch.
    pub wall_us: i64,
}

/// The checkpoint of one service in one world. Its instances share it; it only moves forward.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    store: Arc<dyn StateStore>,
    key: String,
}

impl Checkpoints {
    /// The checkpoint under a key of the store.
    pub fn new(store: Arc<dyn StateStore>, key: String) -> Self {
        Self { store, key }
    }

    /// The checkpoint, if there is one.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value is no checkpoint.
    pub async fn load(&self) -> Result<Option<Checkpoint>, Error> {
        let entry = self.store.get(&self.key).await?;
        entry.map(|entry| self.parse(&entry.value)).transpose()
    }

    /// Keeps a checkpoint unless there is a later one.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value there is no checkpoint.
    pub async fn save(&self, checkpoint: Checkpoint) -> Result<(), Error> {
        let value = state::encode("a checkpoint", &checkpoint)?;
        let saved = state::update(&*self.store, &self.key, |current| {
            match current.map(|bytes| self.parse(bytes)).transpose()? {
                Some(there) if there >= checkpoint => Err(Unsaved::Later),
                _ => Ok(value.clone()),
            }
        });
        match saved.await {
            Ok(_) | Err(Unsaved::Later) => Ok(()),
            Err(Unsaved::Store(error)) => Err(error),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Checkpoint, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            let text = format!("state key `{}` holds no checkpoint; delete it", self.key);
            Error::new(Kind::Damaged, text).caused_by(error)
        })
    }
}

/// How far one instance came, and how far it kept that.
#[derive(Debug)]
pub struct Progress {
    checkpoints: Checkpoints,
    durable: Option<Checkpoint>,
    saved: Option<Checkpoint>,
}

impl Progress {
    /// The progress that is kept there.
    ///
    /// # Errors
    /// Those of [`Checkpoints::load`].
    pub async fn load(checkpoints: Checkpoints) -> Result<Self, Error> {
        let saved = checkpoints.load().await?;
        Ok(Self { checkpoints, durable: saved, saved })
    }

    /// Up to where everything is durable; none in a new world.
    pub fn durable(&self) -> Option<Checkpoint> {
        self.durable
    }

    /// Everything is durable up to here; keeps that from time to time.
    pub async fn reach(&mut self, checkpoint: Checkpoint) {
        self.durable = Some(checkpoint);
        let due = |saved: Checkpoint| {
            saved.epoch != checkpoint.epoch
                || checkpoint.wall_us.saturating_sub(saved.wall_us) >= SAVE_US_MIN
        };
        if self.saved.is_none_or(due) {
            self.save().await;
        }
    }

    /// Keeps it now. A failure is logged: nothing is lost, a restart will repeat more.
    pub async fn save(&mut self) {
        let Some(durable) = self.durable else { return };
        match self.checkpoints.save(durable).await {
            Ok(()) => self.saved = self.durable,
            Err(error) => {
                tracing::warn!(%error, "failed to save checkpoint; a restart will repeat more");
            }
        }
    }
}

enum Unsaved {
    Later,
    Store(Error),
}

impl From<Error> for Unsaved {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests;

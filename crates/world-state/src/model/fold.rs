//! The state as the fold of what was published: what any consumer of `world_state.updated` has, and
//! what a store must equal.

use std::collections::{BTreeMap, BTreeSet};

use worldbus_events::v1::{StateOperation, WorldStateUpdated};

/// An entity that was folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoldedEntity {
    /// Its fields, as JSON text.
    pub fields: BTreeMap<String, String>,
}

/// The state up to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// The version of the last event.
    pub version: u64,
    /// The entities that exist.
    pub entities: BTreeMap<String, FoldedEntity>,
}

/// Why an event does not go on from what was folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFold {
    /// Events are missing, or come twice, or not in order.
    #[error("expected version {expected}, found version {found}, which follows {previous}")]
    Version {
        /// The next version.
        expected: u64,
        /// The event's.
        found: u64,
        /// The version that the event states as the one before.
        previous: u64,
    },
    /// A change that cannot be read.
    #[error("version {version}: {what}")]
    Change {
        /// The event's.
        version: u64,
        /// What is wrong.
        what: String,
    },
}

impl Fold {
    /// Goes on by one event. Returns the entities that it touched.
    ///
    /// # Errors
    /// The event does not follow; the fold stays as it was.
    pub fn apply(&mut self, event: &WorldStateUpdated) -> Result<BTreeSet<String>, NoFold> {
        let WorldStateUpdated { version, previous_version: previous, .. } = *event;
        let expected = self.version + 1;
        if version != expected || previous != self.version {
            return Err(NoFold::Version { expected, found: version, previous });
        }
        let wrong = |what: String| NoFold::Change { version, what };
        let mut touched = BTreeSet::new();
        for change in &event.changes {
            let path = change.path.rsplit_once('/');
            let (entity, field) = path.ok_or_else(|| wrong(format!("path {:?}", change.path)))?;
            touched.insert(entity.to_owned());
            match change.operation() {
                StateOperation::Set => {
                    let value = std::str::from_utf8(&change.value);
                    let value = value.map_err(|_| wrong("a value that is not UTF-8".to_owned()))?;
                    let of = self.entities.entry(entity.to_owned()).or_default();
                    of.fields.insert(field.to_owned(), value.to_owned());
                }
                StateOperation::Remove => {
                    let Some(of) = self.entities.get_mut(entity) else { continue };
                    of.fields.remove(field);
                    if of.fields.is_empty() {
                        self.entities.remove(entity);
                    }
                }
                StateOperation::Unspecified => {
                    return Err(wrong("an operation that is not known".to_owned()));
                }
            }
        }
        self.version = version;
        Ok(touched)
    }
}

//! Makes a step within a transaction of a database, whichever it is. Not here: SQL.

use super::{Committed, Moment, Versions};
use crate::NAME;
use crate::model::{Change, EVENT_BYTES_MAX, Facts, Key, Outcome, Refusal, Step, Why, apply};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{StateChange, StateOperation, WorldStateUpdated};
use worldbus_simulated::commands::By;
use worldbus_world::WallTime;

/// Steps that wait for the bus. Beyond them none is made: the outbox is bounded.
const OUTBOX_COUNT_MAX: u64 = 1_000_000;

/// What a step reads and writes.
pub(super) trait Rows: Facts {
    /// The step that was made under a key.
    fn used(&mut self, key: &Key) -> Result<Option<Used>, Self::Error>;

    /// Writes a step: itself, its entities and fields, what they were, and what expires.
    fn write(&mut self, made: Made<'_>) -> Result<(), Self::Error>;

    /// Notes under which key a version was made.
    fn note(&mut self, key: &Key, version: u64, wall: WallTime) -> Result<(), Self::Error>;
}

/// A key that was used.
#[derive(Clone, Copy)]
pub(super) struct Used {
    /// What the changes came to.
    pub(super) fingerprint: u64,
    /// The version that was made.
    pub(super) version: u64,
}

/// A step that changes something, as it is written.
pub(super) struct Made<'a> {
    pub(super) version: u64,
    pub(super) step: &'a Step,
    pub(super) outcome: &'a Outcome,
    pub(super) moment: &'a Moment,
    pub(super) event: Vec<u8>,
}

/// Makes a step. What is refused has written nothing.
pub(super) fn step<R: Rows>(
    rows: &mut R,
    versions: &mut Versions,
    step: &Step,
    moment: &Moment,
) -> Result<Result<Committed, Refusal>, R::Error> {
    // The same key again has the first answer.
    if let Some(key) = &step.key
        && let Some(used) = rows.used(key)?
    {
        return Ok(repeated(key, used));
    }

    // Everything that can refuse it, before anything is written.
    if let Err(refusal) = check_expiry(step, moment) {
        return Ok(Err(refusal));
    }
    let outcome = match apply(rows, step)? {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let changes_something = !(step.only_if_changed && outcome.entities.is_empty());
    let version = versions.world + u64::from(changes_something);
    let event = event(version, &outcome);
    if let Err(refusal) = check_room(versions, &event) {
        return Ok(Err(refusal));
    }

    if changes_something {
        rows.write(Made { version, step, outcome: &outcome, moment, event })?;
        versions.world = version;
    }
    if let Some(key) = &step.key {
        rows.note(key, version, moment.wall)?;
    }
    Ok(Ok(Committed { version, repeated: false }))
}

/// The step that removes what has expired.
pub(super) fn expired(changes: Vec<Change>) -> Step {
    let by = By { actor: NAME.to_owned(), reason: "expired".to_owned() };
    Step { changes, by, expires_at: None, key: None, only_if_changed: false }
}

fn repeated(key: &Key, used: Used) -> Result<Committed, Refusal> {
    if used.fingerprint == key.fingerprint() {
        return Ok(Committed { version: used.version, repeated: true });
    }
    let detail = "expected a key of its own: this one came with another command before";
    Err(Refusal::new(Why::KeyReused, "idempotency_key", detail))
}

fn check_expiry(step: &Step, moment: &Moment) -> Result<(), Refusal> {
    match step.expires_at.zip(moment.game) {
        Some((at, now)) if at <= now => {
            let detail = format!("expected a game minute to come, after {}", now.minutes());
            Err(Refusal::invalid("expires_at_game", detail))
        }
        _ => Ok(()),
    }
}

fn check_room(versions: &Versions, event: &[u8]) -> Result<(), Refusal> {
    if versions.world.saturating_sub(versions.published) >= OUTBOX_COUNT_MAX {
        let detail = format!(
            "{OUTBOX_COUNT_MAX} steps wait for the bus already; nothing was done; try again once \
             it takes events"
        );
        return Err(Refusal::new(Why::Later, "changes", detail));
    }
    if event.len() > EVENT_BYTES_MAX {
        let found = event.len();
        let detail = format!(
            "expected an event of at most {EVENT_BYTES_MAX} bytes, found {found}; make several \
             steps"
        );
        return Err(Refusal::new(Why::Invalid, "changes", detail));
    }
    Ok(())
}

fn event(version: u64, outcome: &Outcome) -> Vec<u8> {
    let mut changes = Vec::new();
    for touched in &outcome.entities {
        for effect in &touched.fields {
            let (operation, value) = match &effect.after {
                Some(value) => (StateOperation::Set, value.as_str().as_bytes().to_vec()),
                None => (StateOperation::Remove, Vec::new()),
            };
            let path = format!("{}/{}", touched.entity, effect.field);
            changes.push(StateChange { path, operation: operation.into(), value });
        }
    }
    WorldStateUpdated { version, previous_version: version.saturating_sub(1), changes }
        .encode_to_vec()
}

impl Made<'_> {
    /// The entity of its changes, if all are of one.
    pub(super) fn entity(&self) -> Option<&str> {
        match self.outcome.entities.as_slice() {
            [one] => Some(one.entity.as_str()),
            _ => None,
        }
    }

    /// The trace that it follows from, as text.
    pub(super) fn trace(&self) -> Option<String> {
        self.moment.trace.map(|trace| trace.to_string())
    }
}

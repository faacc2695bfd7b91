//! A step: changes that are made all at once or not at all, with who and why.

use super::limits::{CHANGE_COUNT_MAX, KEY_BYTES_MAX};
use super::name::{EntityName, FieldName};
use super::refusal::Refusal;
use super::value::Value;
use worldbus_simulated::commands::By;
use worldbus_world::GameTime;

/// What a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a field.
    Set(FieldName, Value),
    /// Removes a field, or the entity with all its fields.
    Remove(Option<FieldName>),
    /// Adds a number to a field; a field that is not there counts as 0.
    Increment(FieldName, Value),
}

/// One change of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entity.
    pub entity: EntityName,
    /// What it does to it.
    pub op: Op,
    /// The version that the entity must have before the step; 0: it must not exist.
    pub if_version: Option<u64>,
}

/// Under which a step is made once: its text, and what its changes came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    fingerprint: u64,
}

/// What a step is made of.
#[derive(Debug, Clone, Default)]
pub struct StepParts {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Who and why.
    pub by: By,
    /// When what it sets is removed again.
    pub expires_at: Option<GameTime>,
    /// A client's idempotency key.
    pub key: Option<String>,
    /// The event that asks for it, which is its key in place of a client's.
    pub event: Option<String>,
    /// Fields that have their value already are left out, and a step of nothing else is not made.
    pub only_if_changed: bool,
}

/// A step whose parts were checked, but for what only the state knows.
#[derive(Debug, Clone)]
pub struct Step {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Who and why.
    pub by: By,
    /// When what it sets is removed again.
    pub expires_at: Option<GameTime>,
    /// Under which it is made once.
    pub key: Option<Key>,
    /// Fields that have their value already are left out.
    pub only_if_changed: bool,
}

impl Step {
    /// A step of parts.
    ///
    /// # Errors
    /// No change or too many, or an invalid key.
    pub fn new(parts: StepParts) -> Result<Self, Refusal> {
        let StepParts { changes, by, expires_at, key, event, only_if_changed } = parts;
        let count = changes.len();
        if !(1..=CHANGE_COUNT_MAX).contains(&count) {
            let detail = format!("expected 1 to {CHANGE_COUNT_MAX} changes, found {count}");
            return Err(Refusal::invalid("changes", detail));
        }
        let client = key.map(|text| check_key(&text).map(|()| format!("client:{text}")));
        let text = client.transpose()?.or_else(|| event.map(|id| format!("event:{id}")));
        let mut this = Self { changes, by, expires_at, key: None, only_if_changed };
        this.key = text.map(|text| Key { text, fingerprint: this.fingerprint() });
        Ok(this)
    }

    /// A number of all that a caller asks for: the same text of changes gives the same.
    fn fingerprint(&self) -> u64 {
        let mut hash = Fnv64::default();
        hash.write(&self.expires_at.map_or(i64::MIN, |at| at.0).to_le_bytes());
        for Change { entity, op, if_version } in &self.changes {
            let (kind, field, value) = match op {
                Op::Set(field, value) => ("set", field.as_str(), value.as_str()),
                Op::Remove(field) => ("remove", field.as_ref().map_or("", FieldName::as_str), ""),
                Op::Increment(field, value) => ("increment", field.as_str(), value.as_str()),
            };
            for text in [entity.as_str(), kind, field, value] {
                hash.write(&(text.len() as u64).to_le_bytes());
                hash.write(text.as_bytes());
            }
            hash.write(&if_version.map_or([0xff; 8], u64::to_le_bytes));
        }
        hash.write(self.by.actor.as_bytes());
        hash.write(&[0]);
        hash.write(self.by.reason.as_bytes());
        hash.0
    }
}

impl Key {
    /// As it is kept: whose key, and its text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the changes came to.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

fn check_key(text: &str) -> Result<(), Refusal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if (1..=KEY_BYTES_MAX).contains(&text.len()) && plain {
        return Ok(());
    }
    let found = text.len();
    let detail = format!(
        "expected 1 to {KEY_BYTES_MAX} printable ASCII characters without spaces, found {found} \
         bytes"
    );
    Err(Refusal::invalid("idempotency_key", detail))
}

/// FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the standard library's
/// hashes may change with its version, and fingerprints are kept.
struct Fnv64(u64);

impl Default for Fnv64 {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv64 {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u64::from(*byte);
            self.0 = self.0.wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

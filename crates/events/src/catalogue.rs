//! The catalogue: which event types exist, read from the options on their payload messages.
//!
//! It holds Worldbus's own types and, loaded from FileDescriptorSets, the studios'. Not for:
//! typed payloads, which generated code knows at compile time ([`crate::Event`]).

pub mod asyncapi;
mod entry;
mod extend;
mod request;
mod shared;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Display};
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;

use crate::error::{Error, Kind};

pub use entry::{EventType, Owner};
pub use extend::{Change, Extension};
pub use shared::SharedCatalogue;

/// The full name of the option that makes a message the payload of an event type.
const OPTION: &str = "worldbus.events.v1.event_type";
/// Bytes of a FileDescriptorSet.
const DESCRIPTOR_SET_BYTES_MAX: usize = 16 << 20;
/// Event types of one catalogue.
const EVENT_TYPES_MAX: usize = 65_536;
/// Names that the error for an unknown name suggests.
const SUGGESTIONS_MAX: usize = 3;
/// How alike a suggested name is, 0 to 1.
const SUGGESTION_LIKENESS_MIN: f64 = 0.75;

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue::empty()
        .with_files(crate::DESCRIPTOR_SET)
        .expect("the contract was compiled together with this crate, and a test loads it")
});

/// All known event types. Cheap enough to clone at start-up; share it with `Arc` afterwards.
#[derive(Clone)]
pub struct Catalogue {
    pool: DescriptorPool,
    /// By rising number.
    event_types: Vec<EventType>,
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    /// Worldbus's own event types.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// Adds the event types of a FileDescriptorSet, as protoc, buf and `worldbus-events-build`
    /// write it, with its imports or without. Files that are known already are skipped.
    ///
    /// # Errors
    /// `WrongCatalogue` if the bytes are no such set, an import is missing, a number is below
    /// 1000, a name or topic is not well-formed, or a number or name is taken: the message
    /// names both sides. `TooLarge` beyond 16 MiB or 65,536 event types.
    pub fn with_descriptor_set(self, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > DESCRIPTOR_SET_BYTES_MAX {
            let what = "bytes of a descriptor set";
            return Err(Error::too_large(what, bytes.len(), DESCRIPTOR_SET_BYTES_MAX));
        }
        self.with_files(bytes)
    }

    /// The event types by rising number.
    pub fn iter(&self) -> std::slice::Iter<'_, EventType> {
        self.event_types.iter()
    }

    /// The event type with this number.
    pub fn by_number(&self, number: u32) -> Option<&EventType> {
        let at = self.event_types.binary_search_by_key(&number, EventType::number).ok()?;
        Some(&self.event_types[at])
    }

    /// The event type with this name.
    ///
    /// # Errors
    /// `UnknownEventType`, suggesting the names most like it.
    pub fn by_name(&self, name: &str) -> Result<&EventType, Error> {
        match self.by_name.get(name) {
            Some(&at) => Ok(&self.event_types[at]),
            None => Err(self.unknown(name)),
        }
    }

    /// The name for people of a number: the event type's, or the number itself.
    pub fn name_of(&self, number: u32) -> Cow<'_, str> {
        match self.by_number(number) {
            Some(event_type) => Cow::Borrowed(event_type.name()),
            None => Cow::Owned(number.to_string()),
        }
    }

    /// The topics of all event types, each once, sorted.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.iter().map(EventType::topic).collect::<BTreeSet<_>>().into_iter()
    }

    fn empty() -> Self {
        Self { pool: DescriptorPool::new(), event_types: Vec::new(), by_name: HashMap::new() }
    }

    fn with_files(mut self, bytes: &[u8]) -> Result<Self, Error> {
        check_syntax(bytes)?;
        self.pool.decode_file_descriptor_set(bytes).map_err(|error| not_a_set(&error))?;
        // Descriptors keep the pool that they come from alive: take all from the new one.
        let event_types = entry::read_all(&self.pool)?;
        if event_types.len() > EVENT_TYPES_MAX {
            return Err(Error::too_large("event types", event_types.len(), EVENT_TYPES_MAX));
        }
        self.by_name = index(&event_types)?;
        self.event_types = event_types;
        Ok(self)
    }

    /// Why a topic is unknown, for people: with those that are alike, of this catalogue and of
    /// `existing`, or all.
    pub fn unknown_topic<'a>(
        &'a self,
        name: &str,
        existing: impl IntoIterator<Item = &'a str>,
    ) -> String {
        let mut known: Vec<&str> = self.topics().chain(existing).collect();
        known.sort_unstable();
        known.dedup();
        match alike(name, known.iter().copied()).as_slice() {
            [] => format!("unknown topic {name:.80?}; there are {}", known.join(", ")),
            alike => format!("unknown topic {name:.80?}; did you mean {}?", alike.join(" or ")),
        }
    }

    /// Why nothing of an event type comes of some topics, for people, if so; no topics are all.
    /// Nothing is known of where a type travels that is not in the catalogue.
    pub fn elsewhere(&self, event_type: u32, topics: &[&str]) -> Option<String> {
        let known = self.by_number(event_type)?;
        let (name, topic) = (known.name(), known.topic());
        if topics.is_empty() || topics.contains(&topic) {
            return None;
        }
        let asked = topics.join(", ");
        Some(format!("{name} has the topic {topic}, not {asked:.80}; ask for {topic}, or no topic"))
    }

    fn unknown(&self, name: &str) -> Error {
        let context = match alike(name, self.iter().map(EventType::name)).as_slice() {
            [] => format!("{name:.80?}; `worldbus catalog` lists the known ones"),
            alike => format!("{name:.80?}; did you mean {}?", alike.join(" or ")),
        };
        Error::new(Kind::UnknownEventType, context)
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event_types = self.event_types.len();
        f.debug_struct("Catalogue").field("event_types", &event_types).finish_non_exhaustive()
    }
}

impl<'a> IntoIterator for &'a Catalogue {
    type Item = &'a EventType;
    type IntoIter = std::slice::Iter<'a, EventType>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Those of the known names that are like this one, the likest first.
fn alike<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut alike: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness >= SUGGESTION_LIKENESS_MIN)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(SUGGESTIONS_MAX).map(|(_, name)| name).collect()
}

/// Refuses what makes prost-reflect panic: a syntax that it does not know.
fn check_syntax(bytes: &[u8]) -> Result<FileDescriptorSet, Error> {
    let set = FileDescriptorSet::decode(bytes).map_err(|error| not_a_set(&error))?;
    for file in &set.file {
        if !matches!(file.syntax(), "" | "proto2" | "proto3") {
            let (name, syntax) = (file.name(), file.syntax());
            return Err(wrong(format!("{name}: syntax {syntax:?}; expected \"proto3\"")));
        }
    }
    Ok(set)
}

fn not_a_set(error: &dyn Display) -> Error {
    wrong(format!(
        "not a usable FileDescriptorSet: {error}; expected what `protoc --include_imports \
         --descriptor_set_out` or `buf build` writes"
    ))
}

fn wrong(context: String) -> Error {
    Error::new(Kind::WrongCatalogue, context)
}

/// The places of the names in `event_types`, which are sorted by number. Refuses a number or
/// name that stands twice.
fn index(event_types: &[EventType]) -> Result<HashMap<String, usize>, Error> {
    for pair in event_types.windows(2) {
        if pair[0].number() == pair[1].number() {
            return Err(taken("number", pair[0].number(), &pair[0], &pair[1]));
        }
    }
    let mut by_name = HashMap::with_capacity(event_types.len());
    for (at, event_type) in event_types.iter().enumerate() {
        if let Some(other) = by_name.insert(event_type.name().to_owned(), at) {
            return Err(taken("name", event_type.name(), &event_types[other], event_type));
        }
    }
    Ok(by_name)
}

fn taken(what: &str, value: impl Display, first: &EventType, second: &EventType) -> Error {
    wrong(format!("{what} {value} stands twice: {first} and {second}"))
}

#[cfg(test)]
pub(crate) mod tests;

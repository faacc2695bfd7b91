//! How a catalogue becomes a larger one: files of studios are added, or replaced by newer versions
//! that keep all that was published decodable. Not for: where a catalogue is kept.

use std::collections::{BTreeMap, HashSet};

use prost::Message;
use prost_reflect::{
    Cardinality, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};

use super::{BUILTIN, Catalogue, DESCRIPTOR_SET_BYTES_MAX, EventType, check_syntax, wrong};
use crate::error::Error;

/// A FileDescriptorSet whose files stay the bytes that they are: decoded, their options would lose
/// what makes an event type.
#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// What becomes of an event type of a set that is added to a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not known.
    Added,
    /// Its file is another than before.
    Updated,
    /// Its file is the same as before.
    Unchanged,
}

/// A catalogue that was extended by a set.
#[derive(Debug, Clone)]
pub struct Extension {
    /// The larger catalogue.
    pub catalogue: Catalogue,
    /// The event types of the set, by rising number.
    pub types: Vec<(EventType, Change)>,
}

impl Catalogue {
    /// This catalogue with the files of a FileDescriptorSet. One that is there already, by its
    /// name, is replaced; those of Worldbus and those that they import stay as they are.
    ///
    /// # Errors
    /// Those of [`Catalogue::with_descriptor_set`]; `WrongCatalogue` if an event type of this
    /// catalogue would be gone, have another number, name, topic or message, or if what was
    /// published of it could not be decoded any more: fields may be added, nothing else. The
    /// message names both sides.
    pub fn extended(&self, set: &[u8]) -> Result<Extension, Error> {
        let given = studio_files(set)?;
        let mut files = self.studio_files();
        files.extend(given.iter().map(|(name, file)| (name.clone(), file.clone())));
        let catalogue = Self::builtin().with_descriptor_set(&encode(files))?;
        self.check_kept_in(&catalogue)?;
        let of_set = catalogue.iter().filter(|of| given.contains_key(of.file().name()));
        let types = of_set.map(|of| (of.clone(), self.change_to(of))).collect();
        Ok(Extension { catalogue, types })
    }

    /// This catalogue together with the studios' types of another process's. Of a file that both
    /// have the newer version counts: the one that extends the other.
    ///
    /// # Errors
    /// Those of [`Catalogue::extended`], where neither extends the other.
    pub fn joined(&self, set: &[u8]) -> Result<Self, Error> {
        let newer = self.extended(set).map(|extension| extension.catalogue);
        newer.or_else(|error| {
            let older = Self::builtin().with_descriptor_set(set);
            let joined = older.and_then(|older| older.extended(&self.studio_set()));
            joined.map_or(Err(error), |extension| Ok(extension.catalogue))
        })
    }

    /// The files of studios as a FileDescriptorSet, without Worldbus's own and those that they
    /// import: what [`Catalogue::with_descriptor_set`] makes this catalogue of again.
    pub fn studio_set(&self) -> Vec<u8> {
        encode(self.studio_files())
    }

    fn studio_files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.pool.files().filter(|file| !is_builtin(file.name()));
        files.map(|file| (file.name().to_owned(), file.encode_to_vec())).collect()
    }

    fn change_to(&self, newer: &EventType) -> Change {
        let same = |older: &EventType| {
            older.file().file_descriptor_proto() == newer.file().file_descriptor_proto()
        };
        match self.by_number(newer.number()) {
            None => Change::Added,
            Some(older) if same(older) => Change::Unchanged,
            Some(_) => Change::Updated,
        }
    }

    /// Refuses a catalogue that does not have all of this one's event types as they are.
    fn check_kept_in(&self, newer: &Self) -> Result<(), Error> {
        for older in self {
            let successor = newer.by_number(older.number());
            let Some(successor) = successor.or_else(|| newer.by_name(older.name()).ok()) else {
                return Err(wrong(format!(
                    "{older} of {} would be gone; keep it in the file, even if it is not \
                     published any more",
                    older.file().name()
                )));
            };
            let key = |of: &EventType| {
                let names = [of.name(), of.topic(), of.message_name()].map(str::to_owned);
                (of.number(), names)
            };
            if key(older) != key(successor) {
                return Err(wrong(format!(
                    "{older} on topic {} is there and would become {successor} on topic {}; give \
                     the new one a number and a name of its own",
                    older.topic(),
                    successor.topic()
                )));
            }
            let mut seen = HashSet::new();
            if let Some(what) = broken(older.message(), successor.message(), &mut seen) {
                return Err(wrong(format!("{older} would change: {what}; only add fields")));
            }
        }
        Ok(())
    }
}

impl EventType {
    fn file(&self) -> FileDescriptor {
        self.message().parent_file()
    }

    /// The .proto file that defines it, e.g. `studio/v1/quest.proto`.
    pub fn file_name(&self) -> String {
        self.file().name().to_owned()
    }
}

fn is_builtin(file: &str) -> bool {
    BUILTIN.pool.get_file_by_name(file).is_some()
}

/// The files of a set by name, without Worldbus's own and those that they import.
fn studio_files(set: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    if set.len() > DESCRIPTOR_SET_BYTES_MAX {
        let what = "bytes of a descriptor set";
        return Err(Error::too_large(what, set.len(), DESCRIPTOR_SET_BYTES_MAX));
    }
    let decoded = check_syntax(set)?;
    let Files { file } = Files::decode(set).map_err(|error| super::not_a_set(&error))?;
    let names = decoded.file.iter().map(|file| file.name().to_owned());
    Ok(names.zip(file).filter(|(name, _)| !is_builtin(name)).collect())
}

fn encode(files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    Files { file: files.into_values().collect() }.encode_to_vec()
}

/// What of a message and all that it holds a newer version reads otherwise, if anything. `seen`
/// holds the messages that were compared.
fn broken(
    older: &MessageDescriptor,
    newer: &MessageDescriptor,
    seen: &mut HashSet<String>,
) -> Option<String> {
    if !seen.insert(older.full_name().to_owned()) {
        return None;
    }
    older.fields().find_map(|field| {
        let named = format!("field {} = {}", field.full_name(), field.number());
        let Some(successor) = newer.get_field(field.number()) else {
            return Some(format!("{named} would be gone"));
        };
        if shape(&field) != shape(&successor) {
            let (name, (_, kind, cardinality, _)) = (successor.full_name(), shape(&successor));
            return Some(format!("{named} would be {name}, {cardinality:?} {kind}"));
        }
        broken_kind(&field.kind(), &successor.kind(), seen)
    })
}

/// What must stay of a field: its name, type and cardinality, and its oneof.
fn shape(field: &FieldDescriptor) -> (String, String, Cardinality, Option<String>) {
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let oneof = oneof.as_ref().map(OneofDescriptor::name).map(str::to_owned);
    (field.name().to_owned(), kind, field.cardinality(), oneof)
}

fn broken_kind(older: &Kind, newer: &Kind, seen: &mut HashSet<String>) -> Option<String> {
    match (older, newer) {
        (Kind::Message(older), Kind::Message(newer)) => broken(older, newer, seen),
        (Kind::Enum(older), Kind::Enum(newer)) => older.values().find_map(|value| {
            let successor = newer.get_value(value.number());
            let same = successor.is_some_and(|successor| successor.name() == value.name());
            let named = format!("value {} = {}", value.full_name(), value.number());
            (!same).then(|| format!("{named} would be gone"))
        }),
        _ => None,
    }
}

//! The `Direct` impls: how each message that payloads hold reads its fields from a slice.
//!
//! For proto3, whose every kind of field is here. A payload that holds another message, of proto2
//! or of Google's types, has no impl and is decoded by prost.

use std::collections::BTreeMap;
use std::fmt::{Error, Write as _};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};

use crate::names;

/// The package of Google's types, which prost has ready.
const GOOGLE: &str = "google.protobuf";
const WIRE_BYTES: u32 = 2;

/// Messages by full name.
pub(crate) type Messages = BTreeMap<String, MessageDescriptor>;

/// The payloads that can be read so, and all messages that they hold.
pub(crate) fn messages<'a>(payloads: impl Iterator<Item = &'a MessageDescriptor>) -> Messages {
    let mut all = Messages::new();
    for payload in payloads {
        let mut held = Messages::new();
        if collect(payload, &mut held) {
            all.extend(held);
        }
    }
    all
}

/// Adds a message and all that it holds; whether all can be read.
fn collect(message: &MessageDescriptor, held: &mut Messages) -> bool {
    let is_proto3 = message.parent_file().syntax() == Syntax::Proto3;
    if !is_proto3 || message.package_name() == GOOGLE {
        return false;
    }
    if held.insert(message.full_name().to_owned(), message.clone()).is_some() {
        return true;
    }
    message.fields().all(|field| match field.kind() {
        Kind::Message(inner) => collect(&inner, held),
        _ => true,
    })
}

/// The impl of a message; an entry of a map has none.
pub(crate) fn write(
    source: &mut String,
    message: &MessageDescriptor,
    events_crate: &str,
) -> Result<(), Error> {
    if message.is_map_entry() {
        return Ok(());
    }
    let wire = format!("{events_crate}::wire");
    let numbers: Vec<String> = message.fields().map(|field| field.number().to_string()).collect();
    writeln!(
        source,
        "#[allow(deprecated, clippy::all)]\n\
         impl {wire}::Direct for {path} {{\n    \
             fn read(&mut self, bytes: &[u8], depth: u32) -> {wire}::Read {{\n        \
                 let mut input = {wire}::Input::new(bytes, depth);\n        \
                 while !input.is_empty() {{\n            \
                     match input.key()? {{",
        path = names::path(message),
    )?;
    for field in message.fields() {
        field_arms(source, &field, &wire)?;
    }
    writeln!(
        source,
        "                key => input.skip(key, &[{}])?,\n            \
                     }}\n        \
                 }}\n        \
                 {wire}::Read::Some(())\n    \
             }}\n}}",
        numbers.join(", "),
    )
}

/// The arms of a field: one for each wire type that it may have.
fn field_arms(source: &mut String, field: &FieldDescriptor, wire: &str) -> Result<(), Error> {
    let (read, wire_type) = reading(&field.kind());
    let (key, name) = (key(field), names::snake(field.name()));
    let mut arm = |key: u32, read: String| writeln!(source, "{:16}{key} => {read},", "");
    if field.is_map() {
        return arm(key, format!("input.entry(&mut self.{name}, {})?", entry(field, wire)));
    }
    if field.is_list() {
        arm(key, format!("input.{read}({wire}::push(&mut self.{name}))?"))?;
        if wire_type == WIRE_BYTES {
            return Ok(());
        }
        let packed = field.number() << 3 | WIRE_BYTES;
        return arm(packed, format!("input.packed(&mut self.{name}, {wire}::Input::{read})?"));
    }
    if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        return arm(key, variant(field, &oneof));
    }
    let place = match field.supports_presence() {
        true => format!("self.{name}.get_or_insert_default()"),
        false => format!("&mut self.{name}"),
    };
    arm(key, format!("input.{read}({place})?"))
}

/// Reads a variant: into the one that is there, since messages are merged.
fn variant(field: &FieldDescriptor, oneof: &OneofDescriptor) -> String {
    let (read, _) = reading(&field.kind());
    let variant = format!("{}::{}", names::oneof_path(oneof), names::camel(field.name()));
    let name = names::snake(oneof.name());
    format!(
        "{{\n{indent}let mut value = match self.{name}.take() {{\n{indent}    \
             Some({variant}(value)) => value,\n{indent}    \
             _ => ::core::default::Default::default(),\n{indent}\
         }};\n{indent}\
         input.{read}(&mut value)?;\n{indent}\
         self.{name} = Some({variant}(value));\n                }}",
        indent = " ".repeat(20),
    )
}

/// How to read key and value of an entry.
fn entry(field: &FieldDescriptor, wire: &str) -> String {
    let Kind::Message(entry) = field.kind() else { return String::new() };
    let of = |field: FieldDescriptor| {
        format!("({}, {wire}::Input::{})", key(&field), reading(&field.kind()).0)
    };
    let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
    format!("{}, {}", of(key), of(value))
}

/// The key of a field whose values stand one by one.
fn key(field: &FieldDescriptor) -> u32 {
    field.number() << 3 | reading(&field.kind()).1
}

/// The method of `Input` that reads such a value, and its wire type.
fn reading(kind: &Kind) -> (&'static str, u32) {
    match kind {
        Kind::Int32 | Kind::Enum(_) => ("int32", 0),
        Kind::Int64 => ("int64", 0),
        Kind::Uint32 => ("uint32", 0),
        Kind::Uint64 => ("uint64", 0),
        Kind::Sint32 => ("sint32", 0),
        Kind::Sint64 => ("sint64", 0),
        Kind::Bool => ("bool", 0),
        Kind::Double => ("double", 1),
        Kind::Fixed64 => ("fixed64", 1),
        Kind::Sfixed64 => ("sfixed64", 1),
        Kind::String => ("string", WIRE_BYTES),
        Kind::Bytes => ("bytes", WIRE_BYTES),
        Kind::Message(_) => ("message", WIRE_BYTES),
        Kind::Float => ("float", 5),
        Kind::Fixed32 => ("fixed32", 5),
        Kind::Sfixed32 => ("sfixed32", 5),
    }
}

//! How a message reads its fields: a loop over their keys.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::{WIRE_BYTES, entry, key, oneof, value, variant};
use crate::names;

/// The method `read` of a message.
pub(super) fn method(message: &MessageDescriptor, wire: &str) -> String {
    let arms: String = message.fields().map(|field| arms(&field, wire)).collect();
    let numbers: Vec<String> = message.fields().map(|field| field.number().to_string()).collect();
    format!(
        "    fn read(&mut self, bytes: &[u8], depth: u32) -> {wire}::Read {{\n        \
                 let mut input = {wire}::Input::new(bytes, depth);\n        \
                 while !input.is_empty() {{\n            \
                     match input.key()? {{\n\
                         {arms}                \
                         key => input.skip(key, &[{numbers}])?,\n            \
                     }}\n        \
                 }}\n        \
                 {wire}::Read::Some(())\n    \
             }}\n",
        numbers = numbers.join(", "),
    )
}

/// The arms of a field: one for each wire type that it may have.
fn arms(field: &FieldDescriptor, wire: &str) -> String {
    let (read, wire_type) = value(&field.kind());
    let (key, name) = (key(field), names::snake(field.name()));
    let arm = |key: u32, read: String| format!("{:16}{key} => {read},\n", "");
    if field.is_map() {
        let entry = entry(field, &format!("{wire}::Input"));
        return arm(key, format!("input.entry(&mut self.{name}, {entry})?"));
    }
    if field.is_list() {
        let mut arms = arm(key, format!("input.{read}({wire}::push(&mut self.{name}))?"));
        if wire_type != WIRE_BYTES {
            let packed = field.number() << 3 | WIRE_BYTES;
            let read = format!("input.packed(&mut self.{name}, {wire}::Input::{read})?");
            arms += &arm(packed, read);
        }
        return arms;
    }
    if oneof(field).is_some() {
        return arm(key, into_variant(field));
    }
    let place = match field.supports_presence() {
        true => format!("self.{name}.get_or_insert_default()"),
        false => format!("&mut self.{name}"),
    };
    arm(key, format!("input.{read}({place})?"))
}

/// Reads a variant: into the one that is there, since messages are merged.
fn into_variant(field: &FieldDescriptor) -> String {
    let Some(oneof) = oneof(field) else { return String::new() };
    let (read, _) = value(&field.kind());
    let (variant, name) = (variant(field, &oneof), names::snake(oneof.name()));
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

//! How a message writes its fields: in prost's order, by rising number, a oneof where its first
//! variant is.

use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

use super::{WIRE_BYTES, entry, key, oneof, value, variant};
use crate::names;

/// The method `write` of a message.
pub(super) fn method(message: &MessageDescriptor, wire: &str) -> String {
    let put = format!("{wire}::put");
    let fields = message.fields().filter(|field| oneof(field).is_none());
    let fields = fields.map(|field| (field.number(), statement(&field, &put)));
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    let oneofs = oneofs.map(|oneof| (first_number(&oneof), choice(&oneof, &put)));

    let mut statements: Vec<(u32, String)> = fields.chain(oneofs).collect();
    statements.sort_by_key(|(number, _)| *number);
    let statements: String = statements.into_iter().map(|(_, statement)| statement).collect();
    format!("    fn write(&self, out: &mut ::std::vec::Vec<u8>) {{\n{statements}    }}\n")
}

/// Writes a field as often as it has a value.
fn statement(field: &FieldDescriptor, put: &str) -> String {
    let (write, _) = value(&field.kind());
    let name = names::snake(field.name());
    let statement = |how: &str, key: u32, write: String| {
        format!("        {put}::{how}(out, {key}, &self.{name}, {write});\n")
    };
    let one = format!("{put}::{write}");
    if field.is_map() {
        statement("entries", key(field), entry(field, put))
    } else if field.is_packed() {
        statement("packed", field.number() << 3 | WIRE_BYTES, one)
    } else if field.is_list() || field.supports_presence() {
        statement("each", key(field), one)
    } else {
        statement("plain", key(field), one)
    }
}

/// Writes the variant that is there.
fn choice(of: &OneofDescriptor, put: &str) -> String {
    let arm = |field: FieldDescriptor| {
        let (variant, (write, _)) = (variant(&field, of), value(&field.kind()));
        let key = key(&field);
        format!("            Some({variant}(value)) => {put}::{write}(out, {key}, value),\n")
    };
    let arms: String = of.fields().map(arm).collect();
    let name = names::snake(of.name());
    format!("        match &self.{name} {{\n{arms}            None => (),\n        }}\n")
}

fn first_number(oneof: &OneofDescriptor) -> u32 {
    oneof.fields().map(|field| field.number()).min().unwrap_or_default()
}

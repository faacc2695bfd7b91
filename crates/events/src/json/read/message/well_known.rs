//! Google's well-known types, whose JSON is not that of other messages.

use prost::Message;
use prost_reflect::{DynamicMessage, EnumDescriptor, MessageDescriptor, Value};

use super::Reader;
use crate::json::read::cursor::{Cursor, text};

/// Any JSON value.
pub(super) const VALUE: &str = "google.protobuf.Value";

/// Whether the enum is that of null.
pub(super) fn is_null(of: &EnumDescriptor) -> bool {
    of.full_name() == "google.protobuf.NullValue"
}

/// The message at the cursor, if its type has a JSON form of its own.
pub(super) fn read(
    reader: &mut Reader,
    cursor: &mut Cursor<'_>,
    of: &MessageDescriptor,
    depth: usize,
) -> Option<Result<DynamicMessage, String>> {
    let name = of.full_name().strip_prefix("google.protobuf.")?;
    Some(match name {
        "Any" => any(reader, cursor, of, depth),
        "Timestamp" | "Duration" | "FieldMask" => formatted(cursor, of),
        "Struct" => one_field(reader, cursor, of, "fields", depth),
        "ListValue" => one_field(reader, cursor, of, "values", depth),
        "Value" => match kind_of_value(cursor.peek()) {
            "null_value" => {
                cursor.take();
                let mut message = DynamicMessage::new(of.clone());
                message.set_field_by_name("null_value", Value::EnumNumber(0));
                Ok(message)
            }
            field => one_field(reader, cursor, of, field, depth),
        },
        "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value"
        | "UInt32Value" | "BoolValue" | "StringValue" | "BytesValue" => {
            one_field(reader, cursor, of, "value", depth)
        }
        _ => return None,
    })
}

/// The field of a google.protobuf.Value for what begins with this byte.
fn kind_of_value(byte: u8) -> &'static str {
    match byte {
        b'n' => "null_value",
        b't' | b'f' => "bool_value",
        b'"' => "string_value",
        b'{' => "struct_value",
        b'[' => "list_value",
        _ => "number_value",
    }
}

/// A message whose JSON is that of one of its fields.
fn one_field(
    reader: &mut Reader,
    cursor: &mut Cursor<'_>,
    of: &MessageDescriptor,
    name: &str,
    depth: usize,
) -> Result<DynamicMessage, String> {
    let field = of.get_field_by_name(name);
    let field = field.ok_or_else(|| format!("{} has no field {name}", of.full_name()))?;
    let mut message = DynamicMessage::new(of.clone());
    message.set_field(&field, reader.field(cursor, &field, depth)?);
    Ok(message)
}

/// A message whose JSON is a text of a format of its own.
fn formatted(cursor: &mut Cursor<'_>, of: &MessageDescriptor) -> Result<DynamicMessage, String> {
    let token = cursor.take();
    text(token)?;
    let mut json = serde_json::Deserializer::from_str(token);
    DynamicMessage::deserialize(of.clone(), &mut json).map_err(|error| {
        // Lines and columns would count from the token's start.
        let text = error.to_string();
        text.rsplit_once(" at line ").map_or(text.clone(), |(text, _)| text.to_owned())
    })
}

/// A message of the type that `@type` names: its fields next to it, or the form of its own of a
/// well-known type as `value`.
fn any(
    reader: &mut Reader,
    cursor: &mut Cursor<'_>,
    of: &MessageDescriptor,
    depth: usize,
) -> Result<DynamicMessage, String> {
    let mut entries = Vec::new();
    cursor.object(|cursor, name| {
        entries.push((name, cursor.take()));
        Ok(())
    })?;
    let mut any = DynamicMessage::new(of.clone());
    let Some(at) = entries.iter().position(|(name, _)| name == "@type") else {
        return match entries.is_empty() {
            true => Ok(any),
            false => Err("it has no \"@type\"".to_owned()),
        };
    };
    let url = text(entries.swap_remove(at).1)?;
    let name = url.rsplit('/').next().unwrap_or(&url);
    let inner = of.parent_pool().get_message_by_name(name);
    let inner = inner.ok_or_else(|| format!("@type {url:.80?} is not in the catalogue"))?;
    let mut message = DynamicMessage::new(inner.clone());
    let mut seen = Vec::new();
    for (name, json) in entries {
        let cursor = &mut Cursor::new(json);
        match inner.full_name().starts_with("google.protobuf.") {
            true if name == "value" => message = reader.message(cursor, &inner, depth + 1)?,
            true => return Err(format!("unrecognized field name '{name:.80}'")),
            false => reader.entry(cursor, &mut message, &mut seen, &name, depth + 1)?,
        }
    }
    any.set_field_by_name("type_url", Value::String(url.clone().into_owned()));
    any.set_field_by_name("value", Value::Bytes(message.encode_to_vec().into()));
    Ok(any)
}

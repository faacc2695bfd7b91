//! JSON Schema (draft 7) of the proto3 JSON form of messages, from their descriptors.
//!
//! It describes what we write. Reading takes more, e.g. numbers for 64-bit integers.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::reference;

/// Collects the schemas of messages, each once, recursive ones included.
#[derive(Default)]
pub(super) struct Schemas {
    wanted: Vec<MessageDescriptor>,
    seen: HashSet<String>,
    comments: HashMap<String, Comments>,
}

/// The comment in front of a declaration, by its path in the file.
type Comments = HashMap<Vec<i32>, String>;

impl Schemas {
    /// A reference to the schema of a message, which [`Schemas::finish`] then contains.
    pub(super) fn reference(&mut self, message: &MessageDescriptor) -> Value {
        if self.seen.insert(message.full_name().to_owned()) {
            self.wanted.push(message.clone());
        }
        reference("components/schemas", message.full_name())
    }

    /// All schemas by the full name of their message.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        let mut schemas = BTreeMap::new();
        while let Some(message) = self.wanted.pop() {
            let schema = self.message(&message);
            schemas.insert(message.full_name().to_owned(), schema);
        }
        schemas.into_iter().collect()
    }

    fn message(&mut self, message: &MessageDescriptor) -> Value {
        let file = message.parent_file();
        let properties: Map<String, Value> = message
            .fields()
            .map(|field| {
                let comment = self.comment(&file, field.path());
                (field.name().to_owned(), described(self.field(&field), comment))
            })
            .collect();
        let schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        described(schema, self.comment(&file, message.path()))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let values = self.value(&entry.map_entry_value_field().kind());
                json!({ "type": "object", "additionalProperties": values })
            }
            kind if field.is_list() => json!({ "type": "array", "items": self.value(&kind) }),
            kind => self.value(&kind),
        }
    }

    fn value(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Double | Kind::Float => {
                let special = json!({ "enum": ["NaN", "Infinity", "-Infinity"] });
                json!({ "anyOf": [{ "type": "number" }, special] })
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX })
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$" })
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$" })
            }
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Enum(of) => names(of),
            Kind::Message(message) => {
                well_known(message.full_name()).unwrap_or_else(|| self.reference(message))
            }
        }
    }

    fn comment(&mut self, file: &FileDescriptor, path: &[i32]) -> Option<String> {
        let comments =
            self.comments.entry(file.name().to_owned()).or_insert_with(|| comments(file));
        comments.get(path).cloned()
    }
}

fn comments(file: &FileDescriptor) -> Comments {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.map_or(&[][..], |info| &info.location);
    locations
        .iter()
        .filter_map(|location| {
            let text = location.leading_comments.as_deref()?;
            let words: Vec<&str> = text.split_whitespace().collect();
            Some((location.path.clone(), words.join(" ")))
        })
        .collect()
}

/// Next to a reference other words are ignored (draft 7), so it is wrapped.
fn described(schema: Value, comment: Option<String>) -> Value {
    let Some(comment) = comment else { return schema };
    match schema {
        Value::Object(mut map) if !map.contains_key("$ref") => {
            map.insert("description".to_owned(), comment.into());
            map.into()
        }
        other => json!({ "allOf": [other], "description": comment }),
    }
}

fn names(of: &EnumDescriptor) -> Value {
    let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
    json!({ "type": "string", "enum": names })
}

/// The messages that proto3 JSON has forms of their own for.
fn well_known(full_name: &str) -> Option<Value> {
    let schema = match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$" }),
        "FieldMask" | "StringValue" => json!({ "type": "string" }),
        "BytesValue" => json!({ "type": "string", "contentEncoding": "base64" }),
        "BoolValue" => json!({ "type": "boolean" }),
        "Int32Value" | "UInt32Value" => json!({ "type": "integer" }),
        "Int64Value" | "UInt64Value" => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
        "FloatValue" | "DoubleValue" => json!({ "type": ["number", "string"] }),
        "Struct" | "Empty" | "Any" => json!({ "type": "object" }),
        "ListValue" => json!({ "type": "array" }),
        "Value" => json!({}),
        _ => return None,
    };
    Some(schema)
}

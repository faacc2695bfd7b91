//! A payload message of the catalogue from its proto3 JSON.
//!
//! Written here and not left to prost-reflect, whose reader takes numbers that are out of range by
//! less than a double can show, `+1` and `inf` as numbers, and more levels than can be decoded.

mod well_known;

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::cursor::{Cursor, shown};
use super::fault::Step;
use super::scalar;
use crate::limits::PAYLOAD_DEPTH_MAX;

/// Reads messages, and knows where it is when that fails.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// From the payload to the value that is read.
    pub(super) path: Vec<Step>,
}

impl Reader {
    /// The message at the cursor. `depth` counts as decoders of the binary form do: messages and
    /// entries of maps around this one.
    pub(super) fn message(
        &mut self,
        cursor: &mut Cursor<'_>,
        of: &MessageDescriptor,
        depth: usize,
    ) -> Result<DynamicMessage, String> {
        check_depth(depth)?;
        if let Some(special) = well_known::read(self, cursor, of, depth) {
            return special;
        }
        let mut message = DynamicMessage::new(of.clone());
        let mut seen = Vec::new();
        cursor.object(|cursor, name| self.entry(cursor, &mut message, &mut seen, &name, depth))?;
        Ok(message)
    }

    /// One entry of a message's object; `seen` are the numbers of those before.
    pub(super) fn entry(
        &mut self,
        cursor: &mut Cursor<'_>,
        message: &mut DynamicMessage,
        seen: &mut Vec<u32>,
        name: &str,
        depth: usize,
    ) -> Result<(), String> {
        let of = prost_reflect::ReflectMessage::descriptor(message);
        let field = of.get_field_by_json_name(name).or_else(|| of.get_field_by_name(name));
        let field = field.ok_or_else(|| format!("unrecognized field name '{name:.80}'"))?;
        self.path.push(Step::Field(field.clone()));
        if seen.contains(&field.number()) {
            return Err("it stands twice".to_owned());
        }
        seen.push(field.number());
        if cursor.peek() == b'n' && !takes_null(&field) {
            cursor.take();
        } else {
            if let Some(oneof) = field.containing_oneof()
                && let Some(other) = oneof.fields().find(|other| message.has_field(other))
            {
                return Err(format!("it excludes {}, which is set, too", other.name()));
            }
            message.set_field(&field, self.field(cursor, &field, depth)?);
        }
        self.path.pop();
        Ok(())
    }

    /// The value of a field, whether it repeats or not.
    pub(super) fn field(
        &mut self,
        cursor: &mut Cursor<'_>,
        field: &FieldDescriptor,
        depth: usize,
    ) -> Result<Value, String> {
        let kind = field.kind();
        match &kind {
            Kind::Message(entry) if field.is_map() => self.map(cursor, entry, depth + 1),
            _ if field.is_list() => self.list(cursor, &kind, depth),
            _ => self.single(cursor, &kind, depth),
        }
    }

    fn list(
        &mut self,
        cursor: &mut Cursor<'_>,
        kind: &Kind,
        depth: usize,
    ) -> Result<Value, String> {
        let mut values = Vec::new();
        cursor.array(|cursor, index| {
            self.path.push(Step::Index(index));
            values.push(self.single(cursor, kind, depth)?);
            self.path.pop();
            Ok(())
        })?;
        Ok(Value::List(values))
    }

    fn map(
        &mut self,
        cursor: &mut Cursor<'_>,
        entry: &MessageDescriptor,
        depth: usize,
    ) -> Result<Value, String> {
        let key_kind = entry.map_entry_key_field().kind();
        let value_kind = entry.map_entry_value_field().kind();
        let mut values = HashMap::new();
        cursor.object(|cursor, name| {
            check_depth(depth)?;
            self.path.push(Step::Key(name.to_string()));
            let key = scalar::key(&key_kind, &name)?;
            let value = self.single(cursor, &value_kind, depth)?;
            if values.insert(key, value).is_some() {
                return Err("it stands twice".to_owned());
            }
            self.path.pop();
            Ok(())
        })?;
        Ok(Value::Map(values))
    }

    fn single(
        &mut self,
        cursor: &mut Cursor<'_>,
        kind: &Kind,
        depth: usize,
    ) -> Result<Value, String> {
        match kind {
            Kind::Message(of) => self.message(cursor, of, depth + 1).map(Value::Message),
            Kind::Enum(of) if well_known::is_null(of) && cursor.peek() == b'n' => {
                cursor.take();
                Ok(Value::EnumNumber(0))
            }
            _ => match cursor.peek() {
                b'{' | b'[' => Err(format!("{} is not a single value", shown(cursor.take()))),
                _ => scalar::value(kind, cursor.take()),
            },
        }
    }
}

fn check_depth(depth: usize) -> Result<(), String> {
    if depth > PAYLOAD_DEPTH_MAX {
        return Err(format!("more than {PAYLOAD_DEPTH_MAX} messages within one another"));
    }
    Ok(())
}

/// Whether null is a value of the field; of all others it means that the field is not set.
fn takes_null(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_list() || field.is_map() => false,
        Kind::Message(of) => of.full_name() == well_known::VALUE,
        Kind::Enum(of) => well_known::is_null(&of),
        _ => false,
    }
}

//! Entries as items, and items as entries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use worldbus_service::state::Entry;

/// An item of DynamoDB: each attribute is an object of its type and its value.
pub(crate) type Item = Map<String, Value>;

/// The partition key.
pub(crate) const PART: &str = "part";
/// The sort key.
pub(crate) const NAME: &str = "name";
pub(crate) const REVISION: &str = "revision";
const VALUE: &str = "value";

/// The partition of the entries, and that of the last revision.
pub(crate) const ENTRIES: &str = "entry";
const REVISIONS: &str = "revision";
/// Before each key: a sort key is never empty.
const MARK: char = '=';

pub(crate) fn text(text: &str) -> Value {
    json!({ "S": text })
}

pub(crate) fn number(number: u64) -> Value {
    json!({ "N": number.to_string() })
}

fn binary(bytes: &[u8]) -> Value {
    json!({ "B": STANDARD.encode(bytes) })
}

/// The sort key of an entry, or of all whose keys begin so.
pub(crate) fn name(key: &str) -> String {
    format!("{MARK}{key}")
}

/// Where an entry is.
pub(crate) fn place(key: &str) -> Item {
    at(ENTRIES, key)
}

/// Where the last revision is.
pub(crate) fn last_revision() -> Item {
    at(REVISIONS, "")
}

fn at(part: &str, key: &str) -> Item {
    Item::from_iter([(PART.to_owned(), text(part)), (NAME.to_owned(), text(&name(key)))])
}

pub(crate) fn written(key: &str, revision: u64, value: &[u8]) -> Item {
    let mut item = place(key);
    item.insert(REVISION.to_owned(), number(revision));
    item.insert(VALUE.to_owned(), binary(value));
    item
}

pub(crate) fn revision(item: &Item) -> Option<u64> {
    item.get(REVISION)?["N"].as_str()?.parse().ok()
}

/// Key and entry; `None` if it is no item of ours.
pub(crate) fn read(item: &Item) -> Option<(String, Entry)> {
    let key = item.get(NAME)?["S"].as_str()?.strip_prefix(MARK)?.to_owned();
    let value = STANDARD.decode(item.get(VALUE)?["B"].as_str()?).ok()?;
    Some((key, Entry { value, revision: revision(item)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_comes_back_and_other_items_are_none() {
        let item = written("clock/\u{e9}", 7, &[0, 255]);
        let entry = Entry { value: vec![0, 255], revision: 7 };
        assert_eq!(read(&item), Some(("clock/\u{e9}".to_owned(), entry)));
        for lost in [NAME, REVISION, VALUE] {
            let mut other = item.clone();
            other.remove(lost);
            assert_eq!(read(&other), None);
        }
        assert_eq!(read(&last_revision()), None);
    }
}

//! Entries as items, and items as entries.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use worldbus_service::state::Entry;

/// An item of DynamoDB.
pub(crate) type Item = HashMap<String, AttributeValue>;

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

pub(crate) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The sort key of an entry, or of all whose keys begin so.
pub(crate) fn name(key: &str) -> String {
    format!("{MARK}{key}")
}

/// Where an entry is.
pub(crate) fn place(key: &str) -> Item {
    [(PART.to_owned(), text(ENTRIES)), (NAME.to_owned(), text(name(key)))].into()
}

/// Where the last revision is.
pub(crate) fn last_revision() -> Item {
    [(PART.to_owned(), text(REVISIONS)), (NAME.to_owned(), text(name("")))].into()
}

pub(crate) fn written(key: &str, revision: u64, value: Vec<u8>) -> Item {
    let mut item = place(key);
    item.insert(REVISION.to_owned(), number(revision));
    item.insert(VALUE.to_owned(), AttributeValue::B(Blob::new(value)));
    item
}

pub(crate) fn revision(item: &Item) -> Option<u64> {
    item.get(REVISION)?.as_n().ok()?.parse().ok()
}

/// Key and entry; `None` if it is no item of ours.
pub(crate) fn read(item: &Item) -> Option<(String, Entry)> {
    let key = item.get(NAME)?.as_s().ok()?.strip_prefix(MARK)?.to_owned();
    let value = item.get(VALUE)?.as_b().ok()?.clone().into_inner();
    Some((key, Entry { value, revision: revision(item)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_comes_back_and_other_items_are_none() {
        let item = written("clock/\u{e9}", 7, vec![0, 255]);
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

//! What one commit changes, and its bytes: the body of a record.
//!
//! ```text
//! flags u8 │ if GROUP: id u64 │ head bytes │ data bytes      (`format::group`)
//! records u32 │ { kind u8 │ id u64 │ value bytes } × records (`format::record`)
//! removed u32 │ { kind u8 │ id u64 } × removed               small records that go
//! dead u32 │ { number u64 │ key bytes │ value bytes } × dead
//! if DEAD_FIRST: number u64                                  dead letters below it go
//! if MOVED: groups u32 │ { id u64 │ head bytes │ data bytes │ indexes bytes } × groups
//!
//! flags: WHOLE 1 │ GROUP 2 │ DEAD_FIRST 4 │ MOVED 8
//!   WHOLE: the small records are all that there are, as in the first record of a segment
//!   MOVED: what is still kept of groups of a segment that goes, appended again
//!   indexes: { index u32 } of each batch: which it was in the group as it was committed
//! ```
//!
//! What retention removes of a topic follows from its head: batches below its first offset.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes};

use crate::format::codec::{Kind, Take};

const WHOLE: u8 = 1;
const GROUP: u8 = 2;
const DEAD_FIRST: u8 = 4;
const MOVED: u8 = 8;

/// What one commit changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) group: Option<NewGroup>,
    /// Groups that were committed before, or a part of each.
    pub(crate) moved: Vec<NewGroup>,
    pub(crate) records: Vec<(Kind, u64, Bytes)>,
    /// Small records that go.
    pub(crate) records_removed: Vec<(Kind, u64)>,
    /// Number, key, value; in the place of one of that number, if there is one.
    pub(crate) dead: Vec<(u64, Bytes, Bytes)>,
    /// Dead letters below this number go.
    pub(crate) dead_first: Option<u64>,
    /// Whether `records` are all that there are.
    pub(crate) whole: bool,
}

/// A commit group to be written.
#[derive(Debug)]
pub(crate) struct NewGroup {
    pub(crate) id: u64,
    pub(crate) head: Bytes,
    pub(crate) data: Bytes,
    /// Of one that is moved: which its batches were as it was committed.
    pub(crate) indexes: Option<Bytes>,
}

impl NewGroup {
    /// Which batch of the commit the one at a place is.
    pub(crate) fn index(&self, place: usize) -> u32 {
        let index = self.indexes.as_ref().and_then(|indexes| {
            indexes.get(place * 4..)?.first_chunk().map(|index| u32::from_le_bytes(*index))
        });
        index.unwrap_or(place as u32)
    }
}

/// All small records as of the last commit, by their keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records(pub(crate) BTreeMap<(Kind, u64), Bytes>);

impl Records {
    /// Takes over what a commit changed.
    pub(crate) fn apply(&mut self, changes: &Changes) {
        for (kind, id, value) in &changes.records {
            self.0.insert((*kind, *id), value.clone());
        }
        for key in &changes.records_removed {
            self.0.remove(key);
        }
    }
}

impl Changes {
    /// Appends its bytes. `all` are the small records of the first record of a segment, with those
    /// of this commit.
    pub(crate) fn encode(&self, all: Option<&Records>, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        out.put_u8(
            flag(all.is_some(), WHOLE)
                | flag(self.group.is_some(), GROUP)
                | flag(self.dead_first.is_some(), DEAD_FIRST)
                | flag(!self.moved.is_empty(), MOVED),
        );
        if let Some(NewGroup { id, head, data, .. }) = &self.group {
            out.put_u64_le(*id);
            put_bytes(out, head);
            put_bytes(out, data);
        }
        match all {
            None => {
                put_records(out, self.records.iter().map(|(kind, id, value)| (*kind, *id, value)))
            }
            Some(all) => {
                put_records(out, all.0.iter().map(|(&(kind, id), value)| (kind, id, value)))
            }
        }
        out.put_u32_le(self.records_removed.len() as u32);
        for &(kind, id) in &self.records_removed {
            out.put_u8(kind as u8);
            out.put_u64_le(id);
        }
        out.put_u32_le(self.dead.len() as u32);
        for (number, key, value) in &self.dead {
            out.put_u64_le(*number);
            put_bytes(out, key);
            put_bytes(out, value);
        }
        if let Some(first) = self.dead_first {
            out.put_u64_le(first);
        }
        if !self.moved.is_empty() {
            out.put_u32_le(self.moved.len() as u32);
        }
        for NewGroup { id, head, data, indexes } in &self.moved {
            out.put_u64_le(*id);
            put_bytes(out, head);
            put_bytes(out, data);
            put_bytes(out, indexes.as_deref().unwrap_or_default());
        }
    }

    /// Reads what [`Changes::encode`] made; slices of it.
    pub(crate) fn decode(body: &Bytes) -> Option<Self> {
        let mut take = Take(body);
        let flags = take.u8()?;
        let mut this = Self { whole: flags & WHOLE != 0, ..Self::default() };
        if flags & GROUP != 0 {
            let id = take.u64()?;
            let (head, data) = (take.bytes()?, take.bytes()?);
            let (head, data) = (body.slice_ref(head), body.slice_ref(data));
            this.group = Some(NewGroup { id, head, data, indexes: None });
        }
        for _ in 0..take.u32()? {
            let (kind, id) = (Kind::from_number(take.u8()?)?, take.u64()?);
            this.records.push((kind, id, body.slice_ref(take.bytes()?)));
        }
        for _ in 0..take.u32()? {
            this.records_removed.push((Kind::from_number(take.u8()?)?, take.u64()?));
        }
        for _ in 0..take.u32()? {
            let (number, key) = (take.u64()?, take.bytes()?);
            this.dead.push((number, body.slice_ref(key), body.slice_ref(take.bytes()?)));
        }
        if flags & DEAD_FIRST != 0 {
            this.dead_first = Some(take.u64()?);
        }
        let moved = if flags & MOVED == 0 { 0 } else { take.u32()? };
        for _ in 0..moved {
            let (id, head) = (take.u64()?, body.slice_ref(take.bytes()?));
            let (data, indexes) = (take.bytes()?, take.bytes()?);
            let (data, indexes) = (body.slice_ref(data), Some(body.slice_ref(indexes)));
            this.moved.push(NewGroup { id, head, data, indexes });
        }
        take.0.is_empty().then_some(this)
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_u32_le(bytes.len() as u32);
    out.extend_from_slice(bytes);
}

fn put_records<'a>(
    out: &mut Vec<u8>,
    records: impl ExactSizeIterator<Item = (Kind, u64, &'a Bytes)>,
) {
    out.put_u32_le(records.len() as u32);
    for (kind, id, value) in records {
        out.put_u8(kind as u8);
        out.put_u64_le(id);
        put_bytes(out, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let group =
            |id, indexes| NewGroup { id, head: bytes("head"), data: bytes("data"), indexes };
        let changes = Changes {
            group: Some(group(4, None)),
            moved: vec![group(2, Some(bytes("indexes")))],
            records: vec![(Kind::Tally, 0, bytes("tally"))],
            records_removed: vec![(Kind::Opening, 3)],
            dead: vec![(9, bytes("key"), bytes("value"))],
            dead_first: Some(2),
            whole: false,
        };
        let mut all = Records::default();
        all.0.insert((Kind::Topic, 1), bytes("topic"));
        all.apply(&changes);
        for whole in [false, true] {
            let mut body = Vec::new();
            changes.encode(whole.then_some(&all), &mut body);
            let decoded = Changes::decode(&Bytes::from(body)).unwrap();
            assert_eq!((decoded.whole, decoded.records.len()), (whole, 1 + usize::from(whole)));
            let again = Changes { whole: false, records: changes.records.clone(), ..decoded };
            assert_eq!(format!("{again:?}"), format!("{changes:?}"));
        }
    }

    proptest! {
        #[test]
        fn noise_is_no_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Changes::decode(&Bytes::from(noise));
        }
    }
}

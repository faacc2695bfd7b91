//! The journal: append-only segment files, which are the truth of a log. `log.db` is their fold
//! (`store`): index, cursors, dead letters and tallies as they follow from the records here.
//!
//! ```text
//! log-0000000007.seg              log-0000000008.seg              log-0000000009.seg
//! ┌────────┬───┬───┬───┬───────┐  ┌────────┬───┬───┬──────────┐  ┌────────┬──────────┐
//! │ header │ 1 │ 2 │ 3 │ zeros │  │ header │ 4 │ 5 │ zeros    │  │ header │ zeros    │
//! └────────┴───┴───┴───┴───────┘  └────────┴───┴───┴──────────┘  └────────┴──────────┘
//!            ▲                               ▲   ▲                 made ahead, not used yet
//!            │                               │   └ where the next record goes, if it fits
//!            └ holds all small records       └ likewise: the fold can be rebuilt from here
//! ```
//!
//! A record is what one commit group changes (`changes`): batches, heads of topics, subscriptions
//! with their cursors, dead letters and what was taken out. Its layout is in `layout`.
//!
//! # The order of syncs
//!
//! 1. A segment is made under a temporary name, with space for all of its bytes, synced, renamed,
//!    and its directory is synced. Only then does a record go into it. So each byte that a record
//!    takes is allocated and reads as zero before, and a segment that holds a record has a name
//!    that lasts. Until it is used it is filled with zeros, part by part, each synced (`prepare`).
//! 2. A record is one write, then one sync of the file's data. Nothing is acknowledged, shown to
//!    readers or given to the fold before that sync has returned. The next write begins after it:
//!    so if record n + 1 has left any trace, record n was synced, and a fault in n is damage.
//! 3. The fold gets records in their order, after their sync: it is never ahead of the journal. It
//!    is not synced at each commit; a power loss leaves it older, and opening brings it up to date.
//! 4. The oldest segment goes when no topic has a batch in it, or those that it has, and dead
//!    letters whose only copy is in it, were appended again and synced. It is unlinked and the
//!    directory is synced before the next one goes: the numbers of segments never have a gap.
//! 5. At opening the segments are synced before they are read: what a killed process wrote and did
//!    not sync is not shown before it is durable.
//!
//! A failed sync, of a file or of the directory, is final: what the disk has is unknown from then
//! on, and asking again would report success for pages that the system has dropped.
//!
//! # How it may end
//!
//! Behind the last record are zeros, or a torn group: bytes of one record that was never
//! acknowledged. A disk writes sectors of 512 bytes whole or not at all, in any order; a process
//! that is killed leaves a beginning. So of a torn record at least one sector is zeros, or its end
//! is: the last byte of a record is never zero. Where the head of the record is valid, nothing but
//! zeros is behind its end; where it is not, it is itself in a sector that is zeros, in part. No
//! other record has begun behind it. That is healed: the bytes are copied to a file `torn-…`, a
//! warning names it, and zeros take their place. Whatever else is not a record is damage, and
//! refused by segment and byte.
//!
//! What no check can find: a disk that loses the end of the journal, the last groups whole or a
//! sector of the last, after it was synced, and before the fold had it. Where the fold had it, it
//! is found: the fold is ahead. And a bit that flips in the last group, if a sector of it is all
//! zeros by nature, passes for torn; the copy has it.

pub(crate) mod append;
pub(crate) mod changes;
pub(crate) mod disk;
pub(crate) mod heal;
mod layout;
mod prepare;
pub(crate) mod read;
pub(crate) mod scan;
pub(crate) mod segments;
mod window;

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

pub(crate) use append::Journal;
pub(crate) use changes::{Changes, NewGroup};
pub(crate) use layout::Place;

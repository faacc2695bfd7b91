//! The fold of a log, a SQLite file: its layout, what is found in it, how it follows the journal,
//! and opening both.

pub(crate) mod database;
pub(crate) mod failure;
pub(crate) mod fold;
mod load;
pub(crate) mod lock;
mod names;
pub(crate) mod open;
pub(crate) mod path;
pub(crate) mod private;
mod query;
mod schema;
mod takeover;

pub(crate) use load::{DeadPlace, Loaded};
pub(crate) use names::Names;
pub(crate) use query::{
    Entry, Page, dead_letters, dead_letters_in, dead_letters_numbered, entries_in, entry_at,
    group_head, oldest_entries,
};

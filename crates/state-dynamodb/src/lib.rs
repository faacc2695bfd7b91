//! Small state in a table of DynamoDB, which any number of processes share: the adapter of AWS for
//! [`worldbus_service::StateStore`].
//!
//! An item is an entry: partition key `part` = `entry`, sort key `name` = `=` and the key,
//! `revision` and `value`. One more item, `part` = `revision`, has the last revision that was
//! given; every write is a transaction that raises it by one. So revisions rise over the whole
//! store and are never used twice, and a list during which none was given is one consistent view.
//!
//! Not for: more than some writes a second. Writers take turns at the one item.

pub mod actions;
mod address;
mod failure;
mod item;
mod store;

pub use address::Options;
pub use store::DynamoDb;

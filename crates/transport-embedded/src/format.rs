//! The bytes of what is stored: small records, and commit groups of batches. Not here: the cursors
//! of subscriptions, which write and read themselves, and the tables (`store`).

pub(crate) mod codec;
pub(crate) mod group;
pub(crate) mod record;

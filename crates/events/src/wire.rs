//! Reading messages straight from slices, for generated code: `worldbus-events-build` writes a
//! [`Direct`] impl for each message that payloads hold.
//!
//! Not prost's own reading, which walks any kind of buffer and costs several times as much. prost
//! has the last word all the same: what is not read here, because it is damaged or because no
//! common writer writes it (groups, deep nesting), prost reads from the start. So both accept the
//! same bytes and make the same of them, and errors are prost's.

mod input;

pub use input::{Input, Read};

/// Messages within one another that are read here; deeper ones are left to prost. Less than what
/// prost takes, which counts unknown fields as one level more.
const DEPTH_MAX: u32 = 32;

/// A message that reads its own fields. Implemented by generated code only.
pub trait Direct: Default {
    /// Merges the fields of `bytes`, which is all that there is of the message, with `depth`
    /// levels of messages left. `None`, and a message of any content, for what prost shall decide.
    fn read(&mut self, bytes: &[u8], depth: u32) -> Read;
}

impl<M: Direct> Direct for Box<M> {
    fn read(&mut self, bytes: &[u8], depth: u32) -> Read {
        M::read(self, bytes, depth)
    }
}

/// A message from its bytes; `None` for what prost shall decide.
#[inline]
pub fn direct<M: Direct>(bytes: &[u8]) -> Option<M> {
    let mut message = M::default();
    message.read(bytes, DEPTH_MAX)?;
    Some(message)
}

/// Another element of a repeated field.
#[inline]
pub fn push<T: Default>(field: &mut Vec<T>) -> &mut T {
    field.push_mut(T::default())
}

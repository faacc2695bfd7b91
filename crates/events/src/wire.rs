//! Messages straight from slices and into vectors, for generated code: `worldbus-events-build`
//! writes a [`Direct`] impl for each message that payloads hold.
//!
//! Not prost's own code, which is for any kind of buffer and costs several times as much. prost has
//! the last word all the same: what is not read here, because it is damaged or because no common
//! writer writes it (groups, deep nesting), prost reads from the start. So both accept the same
//! bytes and make the same of them, and errors are prost's. What is written is the same, too.

mod input;
pub mod put;

pub use input::{Input, Read};

/// Messages within one another that are read here; deeper ones are left to prost. Less than what
/// prost takes, which counts unknown fields as one level more.
const DEPTH_MAX: u32 = 32;

/// A message that reads and writes its own fields. Implemented by generated code only.
pub trait Direct: Default {
    /// Merges the fields of `bytes`, which is all that there is of the message, with `depth`
    /// levels of messages left. `None`, and a message of any content, for what prost shall decide.
    fn read(&mut self, bytes: &[u8], depth: u32) -> Read;

    /// Writes the fields behind what is there.
    fn write(&self, out: &mut Vec<u8>);
}

impl<M: Direct> Direct for Box<M> {
    fn read(&mut self, bytes: &[u8], depth: u32) -> Read {
        M::read(self, bytes, depth)
    }

    fn write(&self, out: &mut Vec<u8>) {
        M::write(self, out);
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

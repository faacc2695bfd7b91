//! What makes a payload message an event.

use crate::error::{Error, Kind};

/// The payload message of an event type. Implemented by generated code only: for Worldbus's
/// own types here, for a studio's by the `worldbus-events-build` helper.
pub trait Event: prost::Message + Default + Clone + 'static {
    /// The event type's number on the wire.
    const NUMBER: u32;
    /// The event type's name for people, e.g. `weather.changed`.
    const NAME: &'static str;
    /// The topic that events of this type travel on.
    const TOPIC: &'static str;

    /// Decodes a payload: what prost's `decode` returns, at a fraction of its cost where generated
    /// code reads the payload by itself.
    ///
    /// # Errors
    /// `WrongPayload` if the bytes are not such a message. Set them aside; do not retry.
    #[inline]
    fn from_payload(payload: &[u8]) -> Result<Self, Error> {
        match Self::direct(payload) {
            Some(event) => Ok(event),
            None => by_prost(payload),
        }
    }

    /// Appends the payload: the bytes that prost's `encode` writes.
    fn write_payload(&self, out: &mut Vec<u8>) {
        self.encode_raw(out);
    }

    /// Decodes a payload by generated code alone, see [`crate::wire`]. `None` if prost shall decide
    /// what it is, as for types that have no such code.
    fn direct(_payload: &[u8]) -> Option<Self> {
        None
    }
}

#[inline(never)]
fn by_prost<E: Event>(payload: &[u8]) -> Result<E, Error> {
    E::decode(payload)
        .map_err(|error| Error::new(Kind::WrongPayload, format!("{}: {error}", E::NAME)))
}

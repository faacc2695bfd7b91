//! What makes a payload message an event.

/// The payload message of an event type. Implemented by generated code only: for Worldbus's
/// own types here, for a studio's by the `worldbus-events-build` helper.
pub trait Event: prost::Message + Default + Clone + 'static {
    /// The event type's number on the wire.
    const NUMBER: u32;
    /// The event type's name for people, e.g. `weather.changed`.
    const NAME: &'static str;
    /// The topic that events of this type travel on.
    const TOPIC: &'static str;
}

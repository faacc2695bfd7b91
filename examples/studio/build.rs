//! Compiles the studio's own event types. Nothing generated is committed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    worldbus_events_build::Builder::new().compile(&["proto/studio/v1/quest.proto"], &["proto"])
}

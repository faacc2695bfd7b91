//! Compiles the service's event type. Nothing generated is committed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    worldbus_events_build::Builder::new()
        .events_crate("::worldbus_events")
        .compile(&["proto/tide/v1/tide.proto"], &["proto"])
}

//! Compiles the contract in `proto/` to Rust.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = |name: &str| format!("../../proto/worldbus/events/v1/{name}.proto");
    worldbus_events_build::Builder::new().events_crate("crate").compile(
        &["catalogue", "envelope", "npc", "story", "time", "weather", "world_state"].map(file),
        &["../../proto"],
    )
}

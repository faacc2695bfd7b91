//! Compiles the gRPC service in `proto/worldbus/bus` to Rust, without `protoc`.
#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files")]

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let mut compiler = protox::Compiler::new(["../../proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("../../proto/worldbus/bus/v1/bus.proto")?;
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out_dir.join("bus.binpb"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        // Batches travel through without being copied.
        .bytes(".worldbus.bus.v1")
        .extern_path(".worldbus.events.v1", "::worldbus_events::v1")
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

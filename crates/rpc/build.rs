//! Compiles the gRPC services in `proto/worldbus/{bus,people,state,time}` to Rust, without
//! `protoc`.
#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files")]

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let compiler = |file: &str| -> Result<_, protox::Error> {
        let mut compiler = protox::Compiler::new(["../../proto"])?;
        compiler.include_imports(true).include_source_info(true);
        compiler.open_file(file)?;
        Ok(compiler)
    };
    let bus = compiler("../../proto/worldbus/bus/v1/bus.proto")?;
    let time = compiler("../../proto/worldbus/time/v1/time.proto")?;
    let state = compiler("../../proto/worldbus/state/v1/state.proto")?;
    let people = compiler("../../proto/worldbus/people/v1/people.proto")?;
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out_dir.join("bus.binpb"), bus.encode_file_descriptor_set())?;
    std::fs::write(out_dir.join("time.binpb"), time.encode_file_descriptor_set())?;
    std::fs::write(out_dir.join("state.binpb"), state.encode_file_descriptor_set())?;
    std::fs::write(out_dir.join("people.binpb"), people.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        // Batches travel through without being copied.
        .bytes(".worldbus.bus.v1")
        .codec_path("crate::codec::BoundedCodec")
        .extern_path(".worldbus.events.v1", "::worldbus_events::v1")
        .emit_rerun_if_changed(false)
        .compile_fds(bus.file_descriptor_set())?;
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .compile_fds(time.file_descriptor_set())?;
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .compile_fds(state.file_descriptor_set())?;
    tonic_prost_build::configure()
        .extern_path(".worldbus.events.v1", "::worldbus_events::v1")
        .emit_rerun_if_changed(false)
        .compile_fds(people.file_descriptor_set())?;
    Ok(())
}

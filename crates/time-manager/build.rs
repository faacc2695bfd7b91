//! Compiles the gRPC service in `proto/worldbus/time` to Rust, without `protoc`.
#![expect(clippy::disallowed_methods, reason = "a build script reads the environment")]

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto/worldbus/time");
    let mut compiler = protox::Compiler::new(["../../proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("../../proto/worldbus/time/v1/time.proto")?;
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

//! Build helper: turns .proto files with catalogue options into Rust types that implement
//! `worldbus_events::Event`, in pure Rust (no `protoc`).
//!
//! The `events` crate uses it for Worldbus's own event types, a studio for its own:
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     worldbus_events_build::Builder::new().compile(&["proto/studio/v1/quest.proto"], &["proto"])
//! }
//! ```
//!
//! It writes one Rust file a protobuf package to `OUT_DIR`, as prost does, and next to them
//! `catalogue.binpb`, the FileDescriptorSet that `worldbus --catalog` takes. The crate needs
//! `worldbus` and nothing else, but `prost-types` if it uses Google's well-known types.
//! Not for: anything at run time; reading a catalogue is `worldbus_events::Catalogue`.

#![allow(clippy::disallowed_methods, reason = "a build script reads and writes files")]

mod direct;
mod generate;
mod names;
mod resolve;

use std::error::Error;
use std::path::{Path, PathBuf};

/// Compiles .proto files for a crate. See the crate's documentation for an example.
#[derive(Debug, Default)]
pub struct Builder {
    events_crate: Option<String>,
    out_dir: Option<PathBuf>,
}

impl Builder {
    /// A builder that writes to `OUT_DIR` and refers to the `events` crate by its own name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path at which generated code finds the `events` crate. `crate` means that the
    /// code is that crate. Default: `::worldbus::events`, the facade, which brings prost along.
    pub fn events_crate(mut self, path: &str) -> Self {
        self.events_crate = Some(path.to_owned());
        self
    }

    /// Writes there instead of to `OUT_DIR`.
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Compiles `files`, each inside one of the `includes` folders. Worldbus's own files and
    /// Google's well-known ones can be imported without being in a folder.
    ///
    /// # Errors
    /// A file cannot be read or is wrong (the message names file, line and what was
    /// expected), or `OUT_DIR` is not set, as outside a build script.
    pub fn compile(
        self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(), Box<dyn Error>> {
        for include in includes {
            println!("cargo:rerun-if-changed={}", include.as_ref().display());
        }
        let out_dir = match self.out_dir {
            Some(dir) => dir,
            None => PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?),
        };
        let mut compiler = protox::Compiler::with_file_resolver(resolve::resolver(includes));
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(files)?;
        // The encoded form keeps the catalogue options; decoding it into prost_types would
        // lose them.
        let encoded = compiler.encode_file_descriptor_set();
        let event_crate = self.events_crate.as_deref().unwrap_or("::worldbus::events");
        generate::rust(&compiler, &encoded, event_crate, &out_dir)?;
        std::fs::write(out_dir.join("catalogue.binpb"), encoded)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

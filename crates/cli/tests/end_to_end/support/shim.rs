//! A wall clock of a process that a test sets, by a library that is loaded before all others.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;

/// The wall clock of the processes that are started with it.
pub(crate) struct Shim {
    folder: tempfile::TempDir,
    ahead: File,
}

impl Shim {
    /// A clock that is right. Compiles the library with `cc`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/support/shim.c");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("shim.so"));
        let done =
            compile.args([source, "-ldl"]).status().expect("a C compiler, as the README requires");
        assert!(done.success());
        let ahead = File::create(folder.path().join("ahead")).unwrap();
        let this = Self { folder, ahead };
        this.set_ahead_s(0);
        this
    }

    /// Sets how far the clock is ahead, also of processes that run.
    pub(crate) fn set_ahead_s(&self, seconds: i64) {
        self.ahead.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// Gives a process that is about to start this clock.
    pub(crate) fn apply<'a>(&self, process: &'a mut Command) -> &'a mut Command {
        let path = |name: &str| -> PathBuf { self.folder.path().join(name) };
        process.env("LD_PRELOAD", path("shim.so")).env("WB_CLOCK", path("ahead"))
    }
}

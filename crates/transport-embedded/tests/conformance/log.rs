//! An embedded log in a directory, as an engine that the suite can restart.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use worldbus_bus::Transport;
use worldbus_conformance::Engine;
use worldbus_transport_embedded::{Embedded, Options};

pub(crate) struct Log {
    dir: TempDir,
    options: Options,
    open: Mutex<Arc<Embedded>>,
}

impl Log {
    pub(crate) fn open(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = Arc::new(Embedded::open(dir.path(), options.clone()).unwrap());
        Self { dir, options, open: Mutex::new(open) }
    }

    fn current(&self) -> Arc<Embedded> {
        Arc::clone(&self.open.lock().unwrap())
    }
}

impl Engine for Log {
    fn transport(&self) -> Arc<dyn Transport> {
        self.current()
    }

    /// Closes the log and opens the same directory.
    fn restart(&self) -> Option<BoxFuture<'_, ()>> {
        let restart = async {
            self.current().close().await.unwrap();
            let open = Embedded::open(self.dir.path(), self.options.clone()).unwrap();
            *self.open.lock().unwrap() = Arc::new(open);
        };
        Some(restart.boxed())
    }
}

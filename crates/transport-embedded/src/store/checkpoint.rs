//! Moving committed pages from the write-ahead log into the database, off the writer's way.
//!
//! A thread with a connection of its own does it while the writer goes on; measured, the long
//! tails of publish latency came with checkpoints in the writer. The log restarts when all
//! of it has been moved; under unbroken load the writer lends a hand: behind a checkpoint that
//! has just ended little is left to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// Bytes written after which the thread moves pages.
const CHECKPOINT_BYTES: usize = 6 << 20;
/// Bytes written after which the writer restarts the log behind such a move. So much is
/// reserved for it when the log is opened.
pub(crate) const RESTART_BYTES: usize = 16 << 20;
/// Bytes written after which the writer does so whatever it costs.
const TRUNCATE_BYTES: usize = 256 << 20;
/// What a commit costs besides its batches: pages of index, heads, cursors, and what its last
/// page has left over.
const COMMIT_BYTES: usize = 24 << 10;

/// The writer's side.
pub(crate) struct Checkpointer {
    asks: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// A move has ended since the last restart.
    moved: Arc<AtomicBool>,
    since_asked: usize,
    since_restart: usize,
}

impl Checkpointer {
    /// Starts the thread.
    pub(crate) fn start(connection: Connection) -> std::io::Result<Self> {
        let (asks, asked) = sync_channel(1);
        let moved = Arc::new(AtomicBool::new(false));
        let moved_flag = Arc::clone(&moved);
        let thread = std::thread::Builder::new()
            .name("worldbus-checkpoint".to_owned())
            .spawn(move || run(&connection, &asked, &moved_flag))?;
        let (since_asked, since_restart) = (0, 0);
        Ok(Self { asks: Some(asks), thread: Some(thread), moved, since_asked, since_restart })
    }

    /// Counts what a commit wrote.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.since_asked += bytes + COMMIT_BYTES;
        self.since_restart += bytes + COMMIT_BYTES;
        if self.since_asked >= CHECKPOINT_BYTES
            && let Some(asks) = &self.asks
        {
            // One that is already asked for is enough.
            let _ = asks.try_send(());
            self.since_asked = 0;
        }
    }

    /// Restarts the log if it is long.
    pub(crate) fn restart_if_due(&mut self, connection: &Connection) {
        let mode = match self.since_restart {
            TRUNCATE_BYTES.. => "TRUNCATE",
            RESTART_BYTES.. if self.moved.swap(false, Ordering::AcqRel) => "RESTART",
            _ => return,
        };
        if checkpoint(connection, mode) {
            self.since_restart = 0;
        }
    }

    /// Stops the thread and waits for it.
    pub(crate) fn end(mut self) {
        drop(self.asks.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, asked: &Receiver<()>, moved: &AtomicBool) {
    while asked.recv().is_ok() {
        if checkpoint(connection, "PASSIVE") {
            moved.store(true, Ordering::Release);
        }
    }
}

/// Whether it came to its end.
pub(crate) fn checkpoint(connection: &Connection, mode: &str) -> bool {
    let statement = format!("PRAGMA wal_checkpoint({mode})");
    match connection.query_row(&statement, [], |row| row.get::<_, bool>(0)) {
        Ok(busy) => !busy,
        Err(error) => {
            // Nothing is lost: it stands in the write-ahead log.
            tracing::warn!(%error, mode, "checkpoint failed; it is tried again");
            false
        }
    }
}

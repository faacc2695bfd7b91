//! The connections that read: a few, each used by one reader at a time, off the async threads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::open;
use crate::store::StoreError;
use crate::store::group::interrupted;

/// Readers at a time; others wait in order of arrival.
const READER_COUNT: usize = 2;

/// The readers of one file.
#[derive(Debug)]
pub(in crate::store) struct Readers {
    path: Arc<Path>,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn open(path: &Arc<Path>) -> Result<Self, StoreError> {
        let connections = (0..READER_COUNT).map(|_| open::reader(path));
        let connections: Result<Vec<_>, _> = connections.collect();
        let connections = connections.map_err(|fault| fault.into_error(path))?;
        let places = Arc::new(Semaphore::new(READER_COUNT));
        Ok(Self { path: Arc::clone(path), places, idle: Arc::new(Mutex::new(connections)) })
    }

    /// Reads within one transaction: one consistent view.
    pub(in crate::store) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| interrupted())?;
        let (idle, path) = (Arc::clone(&self.idle), Arc::clone(&self.path));
        let read = tokio::task::spawn_blocking(move || {
            let _place = place;
            let lent = Lent::take(idle, &path).map_err(|fault| fault.into_error(&path))?;
            lent.within(work).map_err(|fault| fault.into_error(&path))
        });
        read.await.map_err(|_| interrupted())?
    }
}

/// A connection that goes back when it is dropped.
struct Lent {
    idle: Arc<Mutex<Vec<Connection>>>,
    connection: Option<Connection>,
}

impl Lent {
    fn take(idle: Arc<Mutex<Vec<Connection>>>, path: &Path) -> Result<Self, Fault> {
        let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // One was lost with a panic: its place is ours.
        let connection = connection.map_or_else(|| open::reader(path), Ok)?;
        Ok(Self { idle, connection: Some(connection) })
    }

    fn within<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(connection) = &self.connection else {
            return Err(Fault::damaged("no connection"));
        };
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        let read = work(&transaction)?;
        transaction.finish()?;
        Ok(read)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}

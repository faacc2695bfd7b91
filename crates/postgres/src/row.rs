//! What goes into a statement and what comes out of it.

use std::sync::Arc;

use tokio_postgres::types::{FromSql, ToSql};

use worldbus_service::state::{Error, Kind};

/// The values of `$1`, `$2`, …
pub type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What a statement returned.
#[derive(Debug)]
pub struct Row {
    row: tokio_postgres::Row,
    /// The database as messages name it.
    name: Arc<str>,
}

impl Row {
    pub(crate) fn new(row: tokio_postgres::Row, name: Arc<str>) -> Self {
        Self { row, name }
    }

    /// The column at `index`, from 0.
    ///
    /// # Errors
    /// [`Kind::Damaged`] if it is not there or of another type: the tables are not as our
    /// migrations made them.
    pub fn get<'a, T: FromSql<'a>>(&'a self, index: usize) -> Result<T, Error> {
        self.row.try_get(index).map_err(|error| {
            let what = "the tables are not as this program made them: restore them from a copy";
            let text = format!("{}: column {index}: {error}; {what}", self.name);
            Error::new(Kind::Damaged, text).caused_by(error)
        })
    }
}

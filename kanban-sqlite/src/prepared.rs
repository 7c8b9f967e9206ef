//! The statements of one transaction.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use kanban_core::Result;
use rusqlite::{CachedStatement, Connection};

use crate::error::storage;

/// What a statement is found by without looking at its text: where the text lies, or the name of the table that it updates,
/// and which columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    at: *const u8,
    len: usize,
    columns: u64,
}

/// The statements that a transaction has used so far, ready to be used again. The connection keeps them beyond it, but to find one
/// by its text costs as much as to read a row, and a group of commands asks for the same ones again and again.
pub(crate) struct Prepared<'c> {
    connection: &'c Connection,
    /// The last used is the last.
    idle: RefCell<Vec<(Key, CachedStatement<'c>)>>,
}

impl<'c> Prepared<'c> {
    pub(crate) fn on(connection: &'c Connection) -> Self {
        Self {
            connection,
            idle: RefCell::default(),
        }
    }

    /// Uses the statement with a text.
    pub(crate) fn with<T>(
        &self,
        doing: &'static str,
        text: &'static str,
        work: impl FnOnce(&mut CachedStatement<'c>) -> Result<T>,
    ) -> Result<T> {
        let key = Key {
            at: text.as_ptr(),
            len: text.len(),
            columns: 0,
        };
        self.lend(doing, key, || text.into(), work)
    }

    /// Uses the statement that updates some columns of a table, given by the bits of their places. `text` makes it.
    pub(crate) fn with_update<T>(
        &self,
        doing: &'static str,
        (table, columns): (&'static str, u64),
        text: impl FnOnce() -> String,
        work: impl FnOnce(&mut CachedStatement<'c>) -> Result<T>,
    ) -> Result<T> {
        let key = Key {
            at: table.as_ptr(),
            len: table.len(),
            columns,
        };
        self.lend(doing, key, || text().into(), work)
    }

    fn lend<T>(
        &self,
        doing: &'static str,
        key: Key,
        text: impl FnOnce() -> Cow<'static, str>,
        work: impl FnOnce(&mut CachedStatement<'c>) -> Result<T>,
    ) -> Result<T> {
        let mut statement = match self.take(key) {
            Some(statement) => statement,
            None => self
                .connection
                .prepare_cached(&text())
                .map_err(|error| storage(doing, error))?,
        };
        // One that failed goes back to the connection.
        let done = work(&mut statement)?;
        self.idle.borrow_mut().push((key, statement));
        Ok(done)
    }

    fn take(&self, key: Key) -> Option<CachedStatement<'c>> {
        let mut idle = self.idle.borrow_mut();
        let at = idle.iter().rposition(|(idle, _)| *idle == key)?;
        Some(idle.remove(at).1)
    }
}

impl fmt::Debug for Prepared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("idle", &self.idle.borrow().len())
            .finish_non_exhaustive()
    }
}

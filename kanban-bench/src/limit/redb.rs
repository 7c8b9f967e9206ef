//! redb by hand: typed tables with the store's names and keys, each opened at its first use in a transaction.

use std::path::Path;

use kanban_core::RootMode;
use redb::{ConcurrencyMode, Database, ReadOnlyTable, ReadableDatabase, ReadableTable};

use self::tables::{BY_PRIORITY, EVENT, Row, TASK, TEXT, Tables, Word};
use super::{Failed, Hand, Result};

mod rows;
mod tables;

macro_rules! failures {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for Failed {
            fn from(error: redb::$error) -> Self {
                Self::Redb(Box::new(error.into()))
            }
        }
    )*};
}
failures!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);

/// A board's file, opened by hand.
#[derive(Debug)]
pub struct Redb {
    database: Database,
}

impl Redb {
    /// Opens a board's file as the store does: the same mode, the same cache.
    ///
    /// # Errors
    /// redb's.
    pub fn open(file: &Path, mode: RootMode) -> Result<Self> {
        let mode = match mode {
            RootMode::Shared => ConcurrencyMode::MultiWriter,
            RootMode::Exclusive => ConcurrencyMode::ExclusiveWriter,
        };
        let mut builder = Database::builder();
        builder.set_cache_size(32 * 1024 * 1024);
        builder.set_concurrency_mode(mode);
        Ok(Self {
            database: builder.open(file)?,
        })
    }

    /// The last number that the board has given to an event.
    ///
    /// # Errors
    /// redb's.
    pub fn last_number(&self) -> Result<i64> {
        let txn = self.database.begin_read()?;
        let events = txn.open_table(EVENT)?;
        let last = events.last()?.map_or(0, |(number, _)| number.value());
        Ok(last.cast_signed())
    }

    /// Looks at every row and key once.
    ///
    /// # Errors
    /// redb's.
    pub fn warm(&self) -> Result<()> {
        tables::walk(&self.database.begin_read()?)
    }

    /// Runs one transaction, durably.
    ///
    /// # Errors
    /// redb's, and the closure's.
    pub(super) fn transact(
        &self,
        hand: &mut Hand,
        work: impl FnOnce(&mut Tables<'_>, &mut Hand) -> Result<()>,
    ) -> Result<()> {
        let txn = self.database.begin_write()?;
        let mut tables = Tables::of(&txn);
        work(&mut tables, hand)?;
        tables.leave_marks(hand)?;
        drop(tables);
        Ok(txn.commit()?)
    }

    /// Reads a task with its texts in one snapshot. Answers how many bytes.
    ///
    /// # Errors
    /// redb's; a task that is not there.
    pub fn read(&self, id: &str) -> Result<usize> {
        let txn = self.database.begin_read()?;
        let tasks: ReadOnlyTable<Word, Row> = txn.open_table(TASK)?;
        let texts = txn.open_table(TEXT)?;
        let mut len = tasks.get(id)?.ok_or(Failed::Row)?.value().to_vec().len();
        for entry in texts.range((id, "")..=(id, "~"))? {
            len += entry?.1.value().to_vec().len();
        }
        Ok(len)
    }

    /// Reads the first tasks by priority in one snapshot. Answers how many bytes.
    ///
    /// # Errors
    /// redb's.
    pub fn list(&self, rows: usize) -> Result<usize> {
        let txn = self.database.begin_read()?;
        let order = txn.open_table(BY_PRIORITY)?;
        let tasks = txn.open_table(TASK)?;
        let mut len = 0;
        for entry in order.iter()?.take(rows) {
            let key = entry?.0;
            let row = tasks.get(key.value().2)?.ok_or(Failed::Row)?;
            len += row.value().to_vec().len();
        }
        Ok(len)
    }
}

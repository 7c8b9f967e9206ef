//! What is read by hand: every column of every row, in one snapshot.

use rusqlite::{Result, Row, params};

use super::{Sqlite, len, sql, text_len};
use crate::limit::Seen;
use crate::said::NEWS;

impl Sqlite {
    /// Reads a task with its texts.
    ///
    /// # Errors
    /// SQLite's; a task that is not there.
    pub(crate) fn read(&self, id: &str) -> Result<Seen> {
        self.snapshot(|| {
            let task = self.look(sql::DETAIL, params![id])?;
            if task.rows == 0 {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            let bytes = task.bytes + self.look(sql::TEXTS, params![id])?.bytes;
            Ok(Seen { bytes, ..task })
        })
    }

    /// Reads the first tasks by priority.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn list(&self, rows: usize) -> Result<Seen> {
        self.snapshot(|| self.look(sql::LIST, params![len(rows)]))
    }

    /// Reads the first events after a number.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn events(&self, after: u64, rows: usize) -> Result<Seen> {
        self.snapshot(|| self.look(sql::NEWS, params![after.cast_signed(), len(rows)]))
    }

    /// Reads all counters, and seeks the oldest ready task.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn stats(&self) -> Result<Seen> {
        self.snapshot(|| {
            self.look(sql::OLDEST_READY, [])?;
            self.look(sql::COUNTS, [])
        })
    }

    /// Reads the subscriptions, and of each the first event that is news to it. Answers those that have any.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn pending(&self, rows: usize) -> Result<Seen> {
        self.snapshot(|| {
            let mut statement = self.statement(sql::LISTENERS)?;
            let columns = statement.column_count();
            let mut listeners = statement.query([len(rows)])?;
            let mut seen = Seen::default();
            while let Some(row) = listeners.next()? {
                let cursor: i64 = row.get(9)?;
                let news = self.look(sql::FIRST_NEWS, params![cursor, NEWS])?;
                seen.rows += news.rows;
                seen.bytes += text_of(row, columns)? + news.bytes;
            }
            Ok(seen)
        })
    }

    fn snapshot<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        self.statement("BEGIN")?.execute([])?;
        let read = read();
        self.statement("COMMIT")?.execute([])?;
        read
    }

    /// Looks at every column of every row.
    fn look(&self, text: &str, params: impl rusqlite::Params) -> Result<Seen> {
        let mut statement = self.statement(text)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params)?;
        let mut seen = Seen::default();
        while let Some(row) = rows.next()? {
            seen.rows += 1;
            seen.bytes += text_of(row, columns)?;
        }
        Ok(seen)
    }
}

/// How many bytes of text are in the columns of a row.
fn text_of(row: &Row<'_>, columns: usize) -> Result<usize> {
    let mut len = 0;
    for column in 0..columns {
        len += text_len(row.get_ref(column)?);
    }
    Ok(len)
}

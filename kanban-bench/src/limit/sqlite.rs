//! SQLite by hand: prepared statements on one connection.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OpenFlags, Result, params};

use self::statements as sql;
use super::Hand;

mod reads;
mod rows;
mod statements;

/// From how many pages in the `-wal` on a commit by hand checkpoints: the 16 MiB from which the store does while it is busy.
pub(crate) const CHECKPOINT_PAGES: u32 = 4096;

/// How much of the file a writer keeps in memory, as the store's does.
pub(crate) const WRITER_CACHE_KIB: u32 = 16_384;
/// How much of it a reader keeps.
pub(crate) const READER_CACHE_KIB: u32 = 4_096;

/// How a connection by hand commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Each commit is flushed.
    Full,
    /// Checkpoints alone are.
    Normal,
}

/// A connection to a board's file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Connection,
    /// By how much the counters of the open transaction have moved, by status and assignee.
    moves: RefCell<BTreeMap<(&'static str, String), i64>>,
}

impl Sqlite {
    /// Opens a board's file as the store does, where it matters for speed: WAL, the same cache, the same flushes.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn open(file: &Path, synchronous: Synchronous) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(std::time::Duration::from_mins(5))?;
        let level = match synchronous {
            Synchronous::Full => 2,
            Synchronous::Normal => 1,
        };
        connection.pragma_update(None, "synchronous", level)?;
        connection.set_prepared_statement_cache_capacity(64);
        let database = Self {
            connection,
            moves: RefCell::default(),
        };
        database.cache(WRITER_CACHE_KIB)?;
        Ok(database)
    }

    /// Sets how much of the file the connection keeps in memory, in KiB.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn cache(&self, kib: u32) -> Result<()> {
        let kib = -i64::from(kib);
        self.connection.pragma_update(None, "cache_size", kib)
    }

    /// Looks at every page once, and prepares every statement.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn warm(&self) -> Result<()> {
        for text in sql::ALL {
            self.statement(text)?;
        }
        let pages = "SELECT sum(ncell) FROM dbstat";
        self.connection.query_row(pages, [], |_| Ok(()))
    }

    /// Sets from how many pages in the `-wal` on a commit checkpoints; SQLite's own default is 1,000.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn checkpoint_from(&self, pages: u32) -> Result<()> {
        self.connection
            .pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))
    }

    /// The last number that the board has given to an event.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn last_number(&self) -> Result<i64> {
        let one = "SELECT max(seq, event, run, comment, subscription, lease) FROM board";
        self.connection.query_row(one, [], |row| row.get(0))
    }

    fn statement(&self, text: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(text)
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn begin(&self) -> Result<()> {
        self.statement("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Writes the counters that have moved, each once as the store does, leaves the marks of a group, and commits.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn commit(&self, hand: &Hand) -> Result<()> {
        self.write_counters()?;
        self.statement(sql::NUMBERS)?.execute([hand.last])?;
        self.statement(sql::GROUP)?
            .execute(params![hand.last, hand.now])?;
        self.statement("COMMIT")?.execute([]).map(drop)
    }

    fn moved(&self, from: &'static str, to: &'static str, assignee: &str) {
        self.count(from, assignee, -1);
        self.count(to, assignee, 1);
    }

    fn count(&self, status: &'static str, assignee: &str, by: i64) {
        let mut moves = self.moves.borrow_mut();
        *moves.entry((status, assignee.to_owned())).or_default() += by;
    }

    /// Writes each counter that has moved once. One at 0 has no row.
    fn write_counters(&self) -> Result<()> {
        for ((status, assignee), by) in self.moves.take() {
            let tasks = by.unsigned_abs().cast_signed();
            if by > 0 {
                self.statement(sql::COUNT_UP)?
                    .execute(params![status, assignee, tasks])?;
            } else if by < 0
                && self
                    .statement(sql::COUNT_DOWN)?
                    .execute(params![status, assignee, tasks])?
                    == 0
            {
                self.statement(sql::COUNT_OUT)?
                    .execute(params![status, assignee])?;
            }
        }
        Ok(())
    }
}

fn len(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn text_len(value: rusqlite::types::ValueRef<'_>) -> usize {
    value.as_bytes().map_or(0, <[u8]>::len)
}

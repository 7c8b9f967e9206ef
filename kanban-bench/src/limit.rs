//! The engines' own limits: the same row changes as the store makes, by the shortest hand-written loop, in groups as long
//! as the store's were.
//!
//! A loop works on a board that the store has made and filled, so tables, indexes and rows are the same; a test compares
//! every table and index after the same work by both. What a loop includes is told by each function of `Rows` and
//! `Limit`; every operation of [`Point`](crate::workload::point::Point) has one. None of them checks rules beyond the status of the one task that it changes, builds answers, hands work
//! between threads or waits for anybody. The board's counters are written once per transaction; the store writes them
//! with every command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kanban_core::Durability;

use crate::clients::Outcome;
use crate::subject::{Store, Subject};

mod end;
mod hand;
mod meter;
mod reads;
pub(crate) mod redb;
mod rows;
pub mod sqlite;
mod told;

pub(crate) use self::end::End;
pub(crate) use self::hand::{Hand, HandTask, known};
pub(crate) use self::meter::Meter;
pub(crate) use self::reads::Seen;
pub(crate) use self::rows::Rows;

/// What it is called in an id.
pub const LIMIT: &str = "limit";

/// What may go wrong by hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// SQLite said no.
    #[error("SQLite by hand")]
    Sqlite(#[from] rusqlite::Error),
    /// redb said no.
    #[error("redb by hand")]
    Redb(#[source] Box<::redb::Error>),
    /// The row is not what the loop expects.
    #[error("a row is missing, or a task is in another status")]
    Row,
}

/// What may go wrong by hand, or not.
pub(crate) type Result<T, E = Failed> = std::result::Result<T, E>;

/// A board's file that nobody else has open, for any number of threads to open by hand.
#[derive(Debug, Clone)]
pub(crate) enum BoardFile {
    /// Each thread opens a connection of SQLite.
    Sqlite(PathBuf, sqlite::Synchronous),
    /// All threads have one database of redb.
    Redb(Arc<redb::Redb>),
}

impl BoardFile {
    /// The file of a board.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn at(subject: Subject, file: &Path) -> Result<Self> {
        Ok(match subject.store {
            Store::Sqlite => Self::Sqlite(file.to_owned(), synchronous(subject)),
            Store::Redb => Self::Redb(Arc::new(redb::Redb::open(subject, file)?)),
        })
    }

    /// Opens it for a thread that reads: as the store does, with a smaller cache.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn open_reader(&self) -> Result<Limit> {
        let limit = self.open()?;
        if let Limit::Sqlite(database) = &limit {
            database.cache(sqlite::READER_CACHE_KIB)?;
        }
        Ok(limit)
    }

    /// Opens it for a thread that writes as the store does, where that matters for speed.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn open(&self) -> Result<Limit> {
        match self {
            Self::Sqlite(file, synchronous) => {
                let database = sqlite::Sqlite::open(file, *synchronous)?;
                database.checkpoint_from(sqlite::CHECKPOINT_PAGES)?;
                Ok(Limit::Sqlite(database))
            }
            Self::Redb(database) => Ok(Limit::Redb(Arc::clone(database))),
        }
    }
}

/// A board's file, opened by hand for one thread.
#[derive(Debug)]
pub(crate) enum Limit {
    /// By SQLite.
    Sqlite(sqlite::Sqlite),
    /// By redb.
    Redb(Arc<redb::Redb>),
}

impl Limit {
    /// Opens a board's file for one thread alone.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn open(subject: Subject, file: &Path) -> Result<Self> {
        BoardFile::at(subject, file)?.open()
    }

    /// Reads everything once, as far as the engine's cache holds it, and prepares every statement. A store that has filled a
    /// board has it there, too.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn warm(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => Ok(database.warm()?),
            Self::Redb(database) => database.warm(),
        }
    }

    /// Begins behind the numbers that the board has given.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn hand(&self) -> Result<Hand> {
        Ok(Hand::behind(match self {
            Self::Sqlite(database) => database.last_number()?,
            Self::Redb(database) => database.last_number()?,
        }))
    }

    /// The same with everything read once, and one commit behind it: the first of a connection to SQLite flushes the head of the
    /// `-wal` and its folder too, three times in all, which a store has long behind it.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn warm_hand(&self) -> Result<Hand> {
        self.warm()?;
        let mut hand = self.hand()?;
        self.transact(&mut hand, |_, _| Ok(()))?;
        Ok(hand)
    }

    /// Runs one transaction, with the marks that a group of the store leaves: the board's counters and the group's own row.
    ///
    /// # Errors
    /// The engine's, and the closure's.
    pub(crate) fn transact(
        &self,
        hand: &mut Hand,
        work: impl FnOnce(&mut dyn Rows, &mut Hand) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(database) => {
                database.begin()?;
                let mut rows = database;
                work(&mut rows, hand)?;
                Ok(database.commit(hand)?)
            }
            Self::Redb(database) => {
                database.transact(hand, |tables, hand| work(tables as &mut dyn Rows, hand))
            }
        }
    }

    /// Makes `calls` calls in transactions of `group`, with a warm cache. A call is given its number, and takes as long as its transaction.
    ///
    /// # Errors
    /// The engine's, and the closure's.
    pub(crate) fn run(
        &self,
        group: usize,
        calls: usize,
        mut call: impl FnMut(&mut dyn Rows, &mut Hand, usize) -> Result<()>,
    ) -> Result<Outcome> {
        let mut hand = self.warm_hand()?;
        let mut meter = Meter::start();
        for from in (0..calls).step_by(group.max(1)) {
            let mut numbers = from..calls.min(from + group.max(1));
            meter.time(numbers.len(), || {
                self.transact(&mut hand, |rows, hand| {
                    numbers.try_for_each(|nth| call(rows, hand, nth))
                })
            })?;
        }
        Ok(meter.end())
    }

    /// Makes `calls` reads, one after the other, with the cache as it is. A read is given its number, and answers what it has looked at.
    ///
    /// # Errors
    /// The engine's, and the closure's.
    pub(crate) fn look(
        &self,
        calls: usize,
        read: impl Fn(&Self, usize) -> Result<Seen>,
    ) -> Result<Outcome> {
        let mut meter = Meter::start();
        for nth in 0..calls {
            let seen = meter.time(1, || read(self, nth))?;
            std::hint::black_box(seen);
        }
        Ok(meter.end())
    }
}

/// How SQLite commits at the durability of a subject. A lazy store commits as one at `Process` does, and flushes some ten times
/// a second besides; the loop leaves that out, so its limit is that of `Process`.
#[must_use]
pub const fn synchronous(subject: Subject) -> sqlite::Synchronous {
    match subject.durability {
        Durability::Power => sqlite::Synchronous::Full,
        _ => sqlite::Synchronous::Normal,
    }
}

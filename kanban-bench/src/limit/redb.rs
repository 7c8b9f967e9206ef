//! redb by hand: typed tables with the store's names and keys, each opened at its first use in a transaction.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kanban_core::{Durability, RootMode};
use redb::{ConcurrencyMode, Database, ReadableDatabase, ReadableTable};

use self::tables::{EVENT, Tables};
use super::{Failed, Hand, Result};
use crate::clock::now;
use crate::subject::Subject;

mod keys;
mod lengths;
mod reads;
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
    SetDurabilityError,
    TableError,
    StorageError,
    CommitError
);

/// A board's file, opened by hand.
#[derive(Debug)]
pub(crate) struct Redb {
    database: Database,
    lazy: Option<Lazy>,
}

/// Which commits may wait, as the store's may: until one is half an interval old.
#[derive(Debug)]
struct Lazy {
    wait: Duration,
    /// Since when a commit waits that is not flushed.
    since: Mutex<Option<Instant>>,
}

impl Lazy {
    /// In a shared root no commit waits: redb refuses that there, for other processes would not see it.
    fn of(subject: Subject) -> Option<Self> {
        match (subject.durability, subject.mode) {
            (Durability::Lazy { interval }, RootMode::Exclusive) => Some(Self {
                wait: interval / 2,
                since: Mutex::default(),
            }),
            _ => None,
        }
    }

    /// How the next commit is made. One that is flushed takes along all that wait.
    fn next(&self) -> redb::Durability {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        match *since {
            Some(begin) if begin.elapsed() >= self.wait => {
                *since = None;
                redb::Durability::Immediate
            }
            Some(_) => redb::Durability::None,
            None => {
                *since = Some(now());
                redb::Durability::None
            }
        }
    }
}

impl Redb {
    /// Opens a board's file as the store does: the same mode, the same cache, the same durability of commits.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn open(subject: Subject, file: &Path) -> Result<Self> {
        let mode = match subject.mode {
            RootMode::Shared => ConcurrencyMode::MultiWriter,
            RootMode::Exclusive => ConcurrencyMode::ExclusiveWriter,
        };
        let mut builder = Database::builder();
        builder.set_cache_size(32 * 1024 * 1024);
        builder.set_concurrency_mode(mode);
        Ok(Self {
            database: builder.open(file)?,
            lazy: Lazy::of(subject),
        })
    }

    /// The last number that the board has given to an event.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn last_number(&self) -> Result<i64> {
        let txn = self.database.begin_read()?;
        let events = txn.open_table(EVENT)?;
        let last = events.last()?.map_or(0, |(number, _)| number.value());
        Ok(last.cast_signed())
    }

    /// Looks at every row and key once.
    ///
    /// # Errors
    /// redb's.
    pub(crate) fn warm(&self) -> Result<()> {
        tables::walk(&self.database.begin_read()?)
    }

    /// Runs one transaction, durably unless the board is lazy.
    ///
    /// # Errors
    /// redb's, and the closure's.
    pub(super) fn transact(
        &self,
        hand: &mut Hand,
        work: impl FnOnce(&mut Tables<'_>, &mut Hand) -> Result<()>,
    ) -> Result<()> {
        let mut txn = self.database.begin_write()?;
        let mut tables = Tables::of(&txn);
        work(&mut tables, hand)?;
        tables.leave_marks(hand)?;
        drop(tables);
        if let Some(lazy) = &self.lazy {
            txn.set_durability(lazy.next())?;
        }
        Ok(txn.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{LAZY, Store};

    #[test]
    fn a_lazy_loop_flushes_once_the_oldest_commit_is_half_an_interval_old() {
        let subject = Subject::new(Store::Redb).exclusive().at(LAZY);
        let lazy = Lazy::of(subject).expect("it is lazy");
        assert_eq!(lazy.wait, Duration::from_millis(50));
        let all_at_once = Lazy {
            wait: Duration::from_hours(1),
            ..lazy
        };
        let waits = (0..3).all(|_| matches!(all_at_once.next(), redb::Durability::None));
        assert!(waits, "none is an hour old");
        let one_by_one = Lazy {
            wait: Duration::ZERO,
            since: Mutex::default(),
        };
        let commits: Vec<bool> = (0..4)
            .map(|_| matches!(one_by_one.next(), redb::Durability::Immediate))
            .collect();
        assert_eq!(commits, [false, true, false, true]);
    }

    #[test]
    fn a_loop_waits_only_where_the_store_does() {
        let redb = Subject::new(Store::Redb);
        for subject in [redb.at(LAZY), redb.exclusive()] {
            assert!(Lazy::of(subject).is_none(), "{subject}");
        }
    }
}

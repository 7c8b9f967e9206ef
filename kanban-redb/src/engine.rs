//! One open board.

mod mend;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use kanban_core::{
    BoardState, Copied, Engine, Error, Result, Txn, Unavailable, Upkeep, Verdict, View, Violation,
    WriteEnd,
};
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::backup;
use crate::check;
use crate::core::Core;
use crate::error::{contained, storage, too_long};
use crate::setup::{self, is_latched};
use crate::view::Board;
use crate::wait::Deadline;

/// One open board: one database, which all threads share. Its transactions stay inside.
pub struct RedbEngine {
    core: Core,
    /// None where it could not be opened anew, and once it is closed.
    database: RwLock<Option<Database>>,
    /// Held by who writes, or opens the file anew.
    writing: Mutex<()>,
    /// A commit is uncertain: nothing is written before the file is opened anew.
    is_uncertain: AtomicBool,
    /// What was committed is in this process alone.
    has_unflushed: AtomicBool,
}

impl RedbEngine {
    pub(crate) fn open(core: Core, create: Option<&BoardState>) -> Result<Self> {
        let (database, identity) = setup::set_up(&core, create)?;
        core.remember(identity);
        Ok(Self {
            core,
            database: RwLock::new(Some(database)),
            writing: Mutex::default(),
            is_uncertain: AtomicBool::new(false),
            has_unflushed: AtomicBool::new(false),
        })
    }

    fn with_database<T>(&self, call: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        self.core.usable()?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| {
            let context = "the board's file could not be opened anew";
            let lost = || Error::unavailable(Unavailable::Io, context);
            self.core.usable().err().unwrap_or_else(lost)
        })?;
        contained(|| call(database))
    }

    /// Takes the database away from all threads. A transaction that still reads it ends with an error.
    fn take(&self) -> Option<Database> {
        self.database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn is_uncertain(&self) -> bool {
        self.is_uncertain.load(Ordering::SeqCst)
    }

    fn begin_read(&self) -> Result<ReadTransaction> {
        self.mend()?;
        self.with_database(|database| {
            database
                .begin_read()
                .map_err(|error| storage("beginning a read", error))
        })
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        Deadline::after(self.core.busy_deadline).retry(|| {
            self.with_database(|database| {
                database
                    .try_begin_write()
                    .map_err(|error| storage("beginning a write", error))
            })
        })
    }

    /// Reads, as long as the file does not grow too much behind the snapshot: what a commit replaces stays in it.
    fn read_watched<T>(
        &self,
        read: impl FnOnce(&ReadTransaction, &dyn Fn() -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        let txn = self.begin_read()?;
        // redb doubles a file that is too small.
        let bound = self
            .core
            .place
            .len()
            .saturating_mul(2)
            .saturating_add(self.core.growth_max);
        read(&txn, &|| {
            if self.core.place.len() > bound {
                Err(too_long())
            } else {
                Ok(())
            }
        })
    }

    fn transact(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        let mut txn = match self.begin_write() {
            Ok(txn) => txn,
            // Since an error of an earlier call redb does nothing more: only opening the file anew mends that.
            Err(error) if is_latched(&error) => return WriteEnd::Uncertain(error),
            Err(error) => return WriteEnd::NotWritten(error),
        };
        let commits = self.core.settings.commits;
        if let Err(error) = txn.set_durability(commits) {
            return WriteEnd::NotWritten(storage("beginning a write", error));
        }
        // A transaction that is dropped by a panic leaves its pages unused until a repair.
        let filled = catch_unwind(AssertUnwindSafe(|| fill(&mut Board::of(&txn))));
        if let Ok(Ok(Verdict::Commit)) = filled {
            return match contained(|| txn.commit().map_err(|error| storage("committing", error))) {
                Ok(()) => {
                    self.has_unflushed
                        .store(self.core.settings.forgets(), Ordering::SeqCst);
                    WriteEnd::Done(Verdict::Commit)
                }
                Err(error) => WriteEnd::Uncertain(error),
            };
        }
        // Nothing was written, whether or not this goes well.
        let _ = contained(|| {
            txn.abort()
                .map_err(|error| storage("undoing a transaction", error))
        });
        match filled {
            Ok(Ok(verdict)) => WriteEnd::Done(verdict),
            Ok(Err(error)) => WriteEnd::NotWritten(error),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Engine for RedbEngine {
    fn read(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        let txn = self.begin_read()?;
        ask(&Board::of(&txn))
    }

    fn read_long(&self, ask: &mut dyn FnMut(&dyn View) -> Result<()>) -> Result<()> {
        self.read_watched(|txn, go_on| ask(&Board::watched(txn, go_on)))
    }

    fn backup(&self, to: &Path, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
        self.read_watched(|txn, has_room| {
            backup::copy(txn, to, &|copied| {
                has_room()?;
                go_on(copied)
            })
        })
    }

    fn write(&self, fill: &mut dyn FnMut(&mut dyn Txn) -> Result<Verdict>) -> WriteEnd {
        if let Err(error) = self.core.usable() {
            return WriteEnd::NotWritten(error);
        }
        let _alone = match self.alone() {
            Ok(alone) => alone,
            Err(error) => return WriteEnd::NotWritten(error),
        };
        if self.is_uncertain() {
            let context = "a commit is uncertain, the file must be opened anew";
            return WriteEnd::NotWritten(Error::unavailable(Unavailable::Io, context));
        }
        let end = self.transact(fill);
        // An acknowledged write must be where others look for it. Whatever else went wrong, a moved file is why.
        let end = match self.core.in_place() {
            Ok(()) => end,
            Err(error) => WriteEnd::Uncertain(error),
        };
        if matches!(end, WriteEnd::Uncertain(_)) {
            self.is_uncertain.store(true, Ordering::SeqCst);
        }
        end
    }

    /// Where commits are immediate each was durable when it returned. Else an immediate one, of nothing, takes those before
    /// it along.
    fn flush(&self) -> Result<()> {
        self.core.usable()?;
        let _alone = self.alone()?;
        if self.has_unflushed.load(Ordering::SeqCst) {
            let mut txn = self.begin_write()?;
            // What the header names is on the disk before it names it. In one phase a flush that fails can leave a header that
            // names pages which the system calls clean though they were never written: all of the file is written again then.
            txn.set_two_phase_commit(true);
            let done = contained(|| txn.commit().map_err(|error| storage("flushing", error)));
            if let Err(error) = done {
                self.is_uncertain.store(true, Ordering::SeqCst);
                return Err(error);
            }
            self.has_unflushed.store(false, Ordering::SeqCst);
        }
        self.core.in_place()
    }

    fn outlives_process(&self) -> bool {
        !self.core.settings.forgets()
    }

    fn reopen(&self) -> Result<()> {
        self.core.usable()?;
        // Until it is done: what is opened by its path otherwise may be another board.
        self.is_uncertain.store(true, Ordering::SeqCst);
        let _alone = self.alone()?;
        self.exchange()?;
        self.is_uncertain.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Nothing: redb has no log to fold in, and gives pages that are not needed to the next write by itself.
    fn idle(&self) -> Upkeep {
        Upkeep::Done
    }

    /// Nothing: no thread holds anything between two calls.
    fn release_thread(&self) {}

    fn close(&self) -> Result<()> {
        if self.core.is_forked() || !self.core.shut() {
            return Ok(());
        }
        let Some(database) = self.take() else {
            return Ok(());
        };
        // It takes along what is in this process alone. Where there is nothing, none of its errors loses any.
        let closed = setup::try_close(database);
        match self.has_unflushed.load(Ordering::SeqCst) {
            true => closed,
            false => Ok(()),
        }
    }

    fn check(&self, limit: usize) -> Result<Vec<Violation>> {
        let mut found = self.read_watched(|txn, go_on| check::rows(txn, go_on, limit))?;
        if found.len() < limit {
            found.extend(check::pages(self, &self.core)?);
        }
        Ok(found)
    }
}

impl Drop for RedbEngine {
    fn drop(&mut self) {
        // Without taking the lock: in a forked child a thread that is not there any more may hold it.
        let database = self.database.get_mut();
        let Some(database) = database.unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        if self.core.is_forked() {
            // Closing it here would give up the parent's locks.
            std::mem::forget(database);
            return;
        }
        setup::close(database);
    }
}

impl fmt::Debug for RedbEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbEngine")
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;

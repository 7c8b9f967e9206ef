//! Opening the file anew while the board is open: redb does nothing more on a database after an error of its file.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError, TryLockError};

use kanban_core::{Error, ErrorKind, Result};

use super::RedbEngine;
use crate::setup;
use crate::wait::Deadline;

impl RedbEngine {
    /// Keeps others from writing and from opening the file anew, once those are done who do.
    pub(crate) fn alone(&self) -> Result<MutexGuard<'_, ()>> {
        Deadline::after(self.core.busy_deadline).retry(|| {
            self.try_alone()
                .ok_or_else(|| Error::new(ErrorKind::Busy, "another thread writes"))
        })
    }

    fn try_alone(&self) -> Option<MutexGuard<'_, ()>> {
        match self.writing.try_lock() {
            Ok(alone) => Some(alone),
            // A rule has panicked in a write, which was undone.
            Err(TryLockError::Poisoned(alone)) => Some(alone.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Before a read: opens the file anew if an error of it was met. Other readers of the old database end as `Busy`; all that
    /// they still had to read would have failed.
    pub(super) fn mend(&self) -> Result<()> {
        self.core.usable()?;
        if !self.core.health.has_failed() {
            return Ok(());
        }
        // A write that is on its way meets the error itself, or ends without the file. Then it is the turn of the executor,
        // or of the next read.
        let Some(_alone) = self.try_alone() else {
            return Ok(());
        };
        // Asked again: others came first. A commit that is uncertain is the executor's to find out, and so is the end of those
        // that no flush has followed yet; all others are in the file, so that none goes with the database.
        let is_whole = !self.is_uncertain() && !self.has_unflushed.load(Ordering::SeqCst);
        if self.core.health.has_failed() && is_whole {
            self.exchange()?;
        }
        Ok(())
    }

    /// Closes the database and opens the file anew, which writes it again first if a flush of it has failed. Only alone. Where it
    /// fails there is none, and the next read tries again.
    pub(super) fn exchange(&self) -> Result<()> {
        self.core.in_place()?;
        // Held to the end: who begins something meanwhile waits, and finds the new database.
        let mut open = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Asked again: nothing is opened behind a close.
        self.core.usable()?;
        self.core.health.fail();
        if let Some(database) = open.take() {
            setup::close(database);
        }
        // Until it is open again somebody else may have it.
        let opened = setup::open(&self.core).inspect_err(|_| self.core.health.doubt());
        let (database, identity) = opened?;
        // Asked again: by now it is open.
        if let Err(error) = self.core.place.expect(identity).and(self.core.in_place()) {
            setup::close(database);
            return Err(error);
        }
        self.core.health.succeed();
        *open = Some(database);
        Ok(())
    }
}

//! One board in the memory of this process: its committed state, and whose turn it is to write.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kanban_core::{Error, ErrorKind, Result};

use crate::schema::Tables;

/// A board. Everybody in this process who has it open holds it; the last one to let go frees it.
#[derive(Debug)]
pub(crate) struct Board {
    committed: Mutex<Arc<Tables>>,
    is_written: Mutex<bool>,
    written: Condvar,
    /// The board's file, whose lock is this board's for as long as it lives.
    file: File,
    /// A forked child has a copy of the board, which is not the board.
    process: u32,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Board);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_written) = false;
        self.0.written.notify_one();
    }
}

impl Turn<'_> {
    /// From now on this is the board.
    pub(crate) fn commit(&self, tables: Tables) {
        // The old state may be large and the last of its kind: it is freed after the lock is.
        let _before = std::mem::replace(&mut *lock(&self.0.committed), Arc::new(tables));
    }
}

impl Board {
    pub(crate) fn new(tables: Tables, file: File) -> Self {
        Self {
            committed: Mutex::new(Arc::new(tables)),
            is_written: Mutex::default(),
            written: Condvar::new(),
            file,
            process: std::process::id(),
        }
    }

    /// The committed state. It stays as it is, whatever is written later.
    pub(crate) fn snapshot(&self) -> Arc<Tables> {
        Arc::clone(&lock(&self.committed))
    }

    /// Waits for the turn to write, up to a deadline: another store of this process may have it.
    pub(crate) fn turn(&self, deadline: Duration) -> Result<Turn<'_>> {
        let is_written = lock(&self.is_written);
        let (mut is_written, _) = self
            .written
            .wait_timeout_while(is_written, deadline, |is_written| *is_written)
            .unwrap_or_else(PoisonError::into_inner);
        if *is_written {
            let context = "another store of this process writes";
            return Err(Error::new(ErrorKind::Busy, context));
        }
        *is_written = true;
        Ok(Turn(self))
    }

    pub(crate) const fn process(&self) -> u32 {
        self.process
    }

    /// Whether its file was removed: nobody can open it any more.
    pub(crate) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|file| file.nlink() == 0)
    }
}

/// No code of ours panics while it holds a lock; a panic of others is not kept from those who come after.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

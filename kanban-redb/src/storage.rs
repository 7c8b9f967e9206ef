//! The file under redb: redb's own, but no wait for a lock is without end.
//!
//! redb waits for the locks of other processes as long as they hold them: one that is stopped would stop all others.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::time::Duration;

use kanban_core::{Error, ErrorKind, Result};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::error::storage;
use crate::wait::Deadline;

#[cfg(test)]
use crate::engine::tests::{Faults, Op};

/// The file under redb.
#[derive(Debug)]
pub(crate) struct Storage {
    file: FileBackend,
    /// How long a lock is waited for.
    patience: Duration,
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<Faults>>,
}

impl Storage {
    pub(crate) fn of(file: File, patience: Duration) -> Result<Self> {
        let file = FileBackend::new(file).map_err(|error| storage("opening the board", error))?;
        Ok(Self {
            file,
            patience,
            #[cfg(test)]
            faults: None,
        })
    }

    fn wait(&self, try_lock: impl Fn() -> Result<bool, BackendError>) -> Result<(), BackendError> {
        let mut failed = None;
        let taken = Deadline::after(self.patience).retry(|| match try_lock() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(ErrorKind::Busy, "")),
            Err(error) => {
                failed = Some(error);
                Ok(())
            }
        });
        match (taken, failed) {
            (_, Some(error)) => Err(error),
            (Ok(()), None) => Ok(()),
            (Err(_), None) => Err(BackendError::Io(io::ErrorKind::TimedOut.into())),
        }
    }

    #[cfg(test)]
    fn meet(&self, op: Op) -> io::Result<()> {
        self.faults
            .as_ref()
            .map_or(Ok(()), |faults| faults.meet(op))
    }
}

/// In a test: what goes wrong with an operation of the file.
macro_rules! fault {
    ($storage:ident, $op:ident) => {
        #[cfg(test)]
        $storage.meet(Op::$op)?;
    };
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        fault!(self, Read);
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        fault!(self, SetLen);
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        fault!(self, Sync);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        fault!(self, Write);
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|| self.file.try_lock_range(start, end))
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|| self.file.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_not_given_up_is_waited_for_no_longer_than_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let open = || {
            let mut options = File::options();
            let file = options
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            Storage::of(file.unwrap(), Duration::from_millis(5)).unwrap()
        };
        let (holder, other) = (open(), open());
        let range = (Bound::Included(10), Bound::Excluded(20));
        holder.lock_range(range.0, range.1).unwrap();
        for waited in [
            other.lock_range(range.0, range.1),
            other.lock_shared_range(range.0, range.1),
        ] {
            let error = waited.expect_err("it is held");
            let error = storage("waiting", redb::StorageError::from(error));
            assert_eq!(*error.kind(), ErrorKind::Busy, "{error:?}");
        }
        holder.unlock_range(range.0, range.1).unwrap();
        other.lock_range(range.0, range.1).unwrap();
    }
}

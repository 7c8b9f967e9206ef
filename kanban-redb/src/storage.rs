//! The file under redb: redb's own, but no wait for a lock is without end, and nothing new gets into the file before it
//! is known to be a board.
//!
//! redb waits for the locks of other processes as long as they hold them: one that is stopped would stop all others.

mod again;

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use kanban_core::{Error, ErrorKind, Result};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::error::{storage, system};
use crate::health::Health;
use crate::trial::{LockRange, Step, Trial};
use crate::wait::Deadline;

#[cfg(test)]
use crate::costs::{Cost, count};
#[cfg(test)]
use crate::engine::tests::{Faults, Op};

/// In a test: what goes wrong with an operation of the file.
macro_rules! fault {
    ($storage:ident, $op:ident) => {
        #[cfg(test)]
        $storage.meet(Op::$op)?;
    };
}

/// redb's lock of its header in a shared file. It is part of redb's protocol between processes.
const HEADER: LockRange = (Bound::Included(0), Bound::Excluded(320));

/// The file under redb. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    file: Arc<FileBackend>,
    /// How long a lock is waited for.
    patience: Duration,
    trial: Arc<Trial>,
    /// Told when the file fails: redb takes nothing more from it, and says so only to who asks next.
    health: Arc<Health>,
    /// The same file, past redb's own: to ask where it has holes.
    raw: Arc<File>,
    /// redb has looked at it.
    is_looked_at: Arc<AtomicBool>,
    #[cfg(test)]
    pub(crate) faults: Option<Arc<Faults>>,
}

impl Storage {
    pub(crate) fn of(file: File, patience: Duration, health: Arc<Health>) -> Result<Self> {
        let raw = file
            .try_clone()
            .map_err(|error| system("opening the board's file", error))?;
        let file = FileBackend::new(file).map_err(|error| storage("opening the board", error))?;
        Ok(Self {
            file: Arc::new(file),
            patience,
            trial: Arc::new(Trial::new()),
            health,
            raw: Arc::new(raw),
            is_looked_at: Arc::default(),
            #[cfg(test)]
            faults: None,
        })
    }

    /// Does to the file what redb has done so far, in that order, and keeps nothing back from now on. Until then, and
    /// where this fails, the file stays as it is whatever redb does.
    pub(crate) fn let_through(&self) -> Result<(), BackendError> {
        self.trial.end(|kept| {
            // Only in a shared file does redb give its lock of the writer up.
            if kept.writer.is_some() {
                // Taken once, around all: others read the header, and must not see half of it.
                self.lock_range(HEADER.0, HEADER.1)?;
            }
            for step in &kept.steps {
                match step {
                    Step::Write(offset, data) => self.write_now(*offset, data)?,
                    Step::SetLen(len) => self.set_len_now(*len)?,
                    Step::Sync => self.sync_now()?,
                }
            }
            if let Some(writer) = kept.writer {
                self.file.unlock_range(HEADER.0, HEADER.1)?;
                self.file.unlock_range(writer.0, writer.1)?;
            }
            self.health.trust();
            Ok(())
        })
    }

    fn read_now(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        fault!(self, Read);
        self.trial.read(&self.file, offset, out)
    }

    fn write_now(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        fault!(self, Write);
        #[cfg(test)]
        count(Cost::Write, 1);
        #[cfg(test)]
        count(Cost::Byte, data.len());
        self.file.write(offset, data)?;
        #[cfg(test)]
        self.did(Step::Write(offset, data.to_vec()));
        Ok(())
    }

    fn set_len_now(&self, len: u64) -> io::Result<()> {
        fault!(self, SetLen);
        #[cfg(test)]
        count(Cost::Resize, 1);
        self.file.set_len(len)?;
        #[cfg(test)]
        self.did(Step::SetLen(len));
        Ok(())
    }

    fn sync_now(&self) -> io::Result<()> {
        let done = self.try_sync();
        if done.is_err() {
            self.health.doubt();
        }
        done
    }

    fn try_sync(&self) -> io::Result<()> {
        fault!(self, Sync);
        #[cfg(test)]
        count(Cost::Flush, 1);
        self.file.sync_data()?;
        #[cfg(test)]
        self.did(Step::Sync);
        Ok(())
    }

    /// After an error of any of these redb is done with the file.
    fn told<T, E>(&self, done: Result<T, E>) -> Result<T, E> {
        if done.is_err() {
            self.health.fail();
        }
        done
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

    #[cfg(test)]
    fn did(&self, step: Step) {
        if let Some(faults) = &self.faults {
            faults.did(step);
        }
    }
}

impl StorageBackend for Storage {
    /// What redb asks first, once it has its locks.
    fn len(&self) -> io::Result<u64> {
        self.told(self.make_sure().and_then(|()| self.trial.len(&self.file)))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        debug_assert!(
            self.is_looked_at.load(std::sync::atomic::Ordering::SeqCst),
            "redb reads before it has asked for the length"
        );
        self.told(self.read_now(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.trial.keeps(|| Step::SetLen(len)) {
            return Ok(());
        }
        self.told(self.set_len_now(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.trial.keeps(|| Step::Sync) {
            return Ok(());
        }
        self.told(self.sync_now())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.trial.keeps(|| Step::Write(offset, data.to_vec())) {
            return Ok(());
        }
        self.told(self.write_now(offset, data))
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
        if self.trial.keeps_lock((start, end)) {
            return Ok(());
        }
        self.told(self.file.unlock_range(start, end))
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_shared_file_is_looked_at_others_read_it_and_do_not_write_it() {
        use redb::{ConcurrencyMode, ReadableDatabase, TransactionError};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut builder = redb::Builder::new();
        builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        let other = builder.create(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        let file = File::options().read(true).write(true).open(&path);
        let looked_at = Storage::of(file.unwrap(), Duration::from_secs(5), Arc::default()).unwrap();
        let database = builder.create_with_backend(looked_at.clone()).unwrap();
        let begun = other.try_begin_write();
        assert!(matches!(begun, Err(TransactionError::WouldBlock)));
        other.begin_read().unwrap();
        assert!(std::fs::read(&path).unwrap() == before);
        looked_at.let_through().unwrap();
        other.try_begin_write().unwrap().commit().unwrap();
        database.try_begin_write().unwrap().commit().unwrap();
    }

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
            Storage::of(file.unwrap(), Duration::from_millis(5), Arc::default()).unwrap()
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

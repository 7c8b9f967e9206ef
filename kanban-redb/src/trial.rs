//! What redb does to a file before it is known to be a board: kept in memory, and done to the file afterwards or never.
//!
//! redb can be asked nothing before it has opened a file, and opening writes: it mends what a crash has left, and marks
//! the file as open. A file that is then refused must be left as it was.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::core::lock;

/// From where to where a lock goes.
pub(crate) type LockRange = (Bound<u64>, Bound<u64>);

/// redb's lock of who writes a shared file, its "writer byte". It is part of redb's protocol between processes.
const WRITER: LockRange = (Bound::Included(1 << 62), Bound::Included(1 << 62));

/// Something that redb does to a file.
#[derive(Debug)]
pub(crate) enum Step {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// What is kept back, and what the file looks like with it.
#[derive(Debug)]
pub(crate) struct Trial {
    is_on: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) steps: Vec<Step>,
    /// The lock of the writer, which is held on to: another process that wrote now would be overwritten.
    pub(crate) writer: Option<LockRange>,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self {
            is_on: AtomicBool::new(true),
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        // Once it is off, which is soon, nothing more is locked. It is not turned on again.
        if !self.is_on.load(Ordering::Acquire) {
            return None;
        }
        Some(lock(&self.kept))
    }

    /// Keeps a step back. False if it is to be done.
    pub(crate) fn keeps(&self, step: impl FnOnce() -> Step) -> bool {
        let Some(mut kept) = self.kept() else {
            return false;
        };
        kept.steps.push(step());
        true
    }

    /// Keeps a lock that redb gives up. False if it is to be given up.
    pub(crate) fn keeps_lock(&self, range: LockRange) -> bool {
        let Some(mut kept) = self.kept().filter(|_| range == WRITER) else {
            return false;
        };
        kept.writer = Some(range);
        true
    }

    /// Hands over all that is kept, for it to be done, and ends the trial if that goes well. If it does not, all that
    /// comes is kept back too.
    pub(crate) fn end<E>(&self, act: impl FnOnce(&Kept) -> Result<(), E>) -> Result<(), E> {
        let Some(mut kept) = self.kept() else {
            return Ok(());
        };
        act(&kept)?;
        *kept = Kept::default();
        self.is_on.store(false, Ordering::Release);
        Ok(())
    }

    /// The file's length, as redb is to see it.
    pub(crate) fn len(&self, file: &FileBackend) -> io::Result<u64> {
        let len = file.len()?;
        Ok(self.kept().map_or(len, |kept| kept.len(len)))
    }

    /// Reads the file, as redb is to see it.
    pub(crate) fn read(&self, file: &FileBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.kept() {
            Some(kept) if !kept.steps.is_empty() => kept.read(file, offset, out),
            _ => file.read(offset, out),
        }
    }
}

impl Kept {
    fn len(&self, of_file: u64) -> u64 {
        self.steps.iter().fold(of_file, |len, step| match step {
            Step::Write(at, data) => len.max(at.saturating_add(data.len() as u64)),
            Step::SetLen(len) => *len,
            Step::Sync => len,
        })
    }

    fn read(&self, file: &FileBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let len = file.len()?;
        if offset.saturating_add(out.len() as u64) > self.len(len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let there = bytes_until(len, offset, out.len());
        let (there, beyond) = out.split_at_mut(there);
        file.read(offset, there)?;
        beyond.fill(0);
        for step in &self.steps {
            match step {
                Step::Write(at, data) => lay_over(out, offset, data, *at),
                Step::SetLen(len) => {
                    let there = bytes_until(*len, offset, out.len());
                    out.split_at_mut(there).1.fill(0);
                }
                Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// How many of the bytes from an offset lie before an end.
fn bytes_until(end: u64, offset: u64, bytes: usize) -> usize {
    usize::try_from(end.saturating_sub(offset)).map_or(bytes, |before| before.min(bytes))
}

/// Copies what lies at one place of the file over what lies at another, as far as they meet.
fn lay_over(out: &mut [u8], out_at: u64, data: &[u8], data_at: u64) {
    let out = out.split_at_mut(bytes_until(data_at, out_at, out.len())).1;
    let data = data.split_at(bytes_until(out_at, data_at, data.len())).1;
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file, and one to which the same is done in a trial.
    struct Pair {
        plain: FileBackend,
        tried: FileBackend,
        trial: Trial,
    }

    impl Pair {
        fn write(&self, at: u64, data: &[u8]) {
            self.plain.write(at, data).unwrap();
            assert!(self.trial.keeps(|| Step::Write(at, data.to_vec())));
        }

        fn set_len(&self, len: u64) {
            self.plain.set_len(len).unwrap();
            assert!(self.trial.keeps(|| Step::SetLen(len)));
        }

        fn compare(&self, rng: &mut fastrand::Rng) {
            let len = self.plain.len().unwrap();
            assert_eq!(self.trial.len(&self.tried).unwrap(), len);
            let at = rng.u64(..=len);
            let mut plain = vec![1; rng.usize(..300)];
            let mut tried = vec![2; plain.len()];
            match self.plain.read(at, &mut plain) {
                Ok(()) => {
                    self.trial.read(&self.tried, at, &mut tried).unwrap();
                    assert_eq!(tried, plain, "{} bytes at {at}", plain.len());
                }
                Err(_) => assert!(self.trial.read(&self.tried, at, &mut tried).is_err()),
            }
        }
    }

    #[test]
    fn a_trial_looks_like_the_file_that_it_would_make_and_leaves_the_one_that_is() {
        for seed in 0..50 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let file = || {
                let file = tempfile::tempfile().unwrap();
                let file = FileBackend::new(file).unwrap();
                file.write(0, &[7; 1000]).unwrap();
                file
            };
            let pair = Pair {
                plain: file(),
                tried: file(),
                trial: Trial::new(),
            };
            for _ in 0..30 {
                if rng.u32(..4) == 0 {
                    pair.set_len(rng.u64(..2000));
                } else {
                    let data = vec![rng.u8(..); rng.usize(1..300)];
                    pair.write(rng.u64(..1500), &data);
                }
                pair.compare(&mut rng);
            }
            let mut found = vec![0; 1000];
            pair.tried.read(0, &mut found).unwrap();
            assert_eq!((pair.tried.len().unwrap(), found), (1000, vec![7; 1000]));
        }
    }
}

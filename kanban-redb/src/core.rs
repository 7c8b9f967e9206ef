//! What an open board is besides its database.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kanban_core::{Error, ErrorKind, Result};
use redb::{Builder, ConcurrencyMode, Durability};

use crate::files::{Identity, Place};
use crate::health::Health;
use crate::storage::Storage;

/// What is done about damage when a board is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenCheck {
    /// What redb has closed is trusted, as redb does; what a crash has left it mends.
    #[default]
    Trust,
    /// The checksums of all pages are verified first, which reads the whole file: a damaged one is refused as
    /// [`Corrupt`](kanban_core::ErrorKind::Corrupt).
    Verify,
}

/// How the database is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mode: ConcurrencyMode,
    pub(crate) cache_len_max: usize,
    pub(crate) check: OpenCheck,
    /// What a write's commit is. One that is not immediate is in this process alone until the next that is.
    pub(crate) commits: Durability,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: ConcurrencyMode::MultiWriter,
            cache_len_max: 32 * 1024 * 1024,
            check: OpenCheck::Trust,
            commits: Durability::Immediate,
        }
    }
}

impl Settings {
    /// Whether a killed process forgets its last commits.
    pub(crate) const fn forgets(self) -> bool {
        matches!(self.commits, Durability::None)
    }

    pub(crate) fn builder(self) -> Builder {
        let mut builder = Builder::new();
        builder
            .set_cache_size(self.cache_len_max)
            .set_concurrency_mode(self.mode)
            .set_check_integrity_on_open(self.check == OpenCheck::Verify);
        builder
    }
}

/// What an open board is besides its database.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    pub(crate) busy_deadline: Duration,
    pub(crate) growth_max: u64,
    /// A forked child has another.
    process: u32,
    closed: AtomicBool,
    pub(crate) health: Arc<Health>,
    /// Which file is open.
    identity: Mutex<Option<Identity>>,
    /// What a test does to the file under redb.
    #[cfg(test)]
    pub(crate) faults: Option<Arc<crate::engine::tests::Faults>>,
}

impl Core {
    pub(crate) fn new(
        place: Place,
        settings: Settings,
        busy_deadline: Duration,
        growth_max: u64,
    ) -> Self {
        Self {
            place,
            settings,
            busy_deadline,
            growth_max,
            process: std::process::id(),
            closed: AtomicBool::new(false),
            health: Arc::default(),
            identity: Mutex::default(),
            #[cfg(test)]
            faults: None,
        }
    }

    /// `Closed` if the board is, or if this is a forked child: it shares the parent's locks, and would give them up.
    pub(crate) fn usable(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) || self.is_forked() {
            return Err(closed());
        }
        Ok(())
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Nothing is begun from now on. Whether it was open.
    pub(crate) fn shut(&self) -> bool {
        !self.closed.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn remember(&self, identity: Identity) {
        *lock(&self.identity) = Some(identity);
    }

    /// Fails with `Replaced` if the path names another file than the one that is open.
    pub(crate) fn in_place(&self) -> Result<()> {
        let remembered = *lock(&self.identity);
        remembered.map_or(Ok(()), |identity| self.place.expect(identity))
    }

    /// The board's file, for redb.
    pub(crate) fn storage(&self, file: File) -> Result<Storage> {
        let health = Arc::clone(&self.health);
        #[cfg_attr(not(test), expect(unused_mut, reason = "under test it has faults"))]
        let mut storage = Storage::of(file, self.busy_deadline, health)?;
        #[cfg(test)]
        storage.faults.clone_from(&self.faults);
        Ok(storage)
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What is known of a board's file by the errors that it has met.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of a board's file.
#[derive(Debug)]
pub(crate) struct Health {
    has_failed: AtomicBool,
    is_in_doubt: AtomicBool,
}

impl Default for Health {
    /// That of a file that nobody has opened yet: whoever had it before may have met an error, and told nobody.
    fn default() -> Self {
        Self {
            has_failed: AtomicBool::new(false),
            is_in_doubt: AtomicBool::new(true),
        }
    }
}

impl Health {
    /// Whether the file has failed, since when redb does nothing more on the database, or could not be opened anew.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// It must be opened anew.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::SeqCst);
    }

    /// It was.
    pub(crate) fn succeed(&self) {
        self.has_failed.store(false, Ordering::SeqCst);
    }

    /// Whether what is read from the file may be in the system's cache alone, and not be written by the next flush.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::SeqCst)
    }

    /// A flush has failed.
    pub(crate) fn doubt(&self) {
        self.is_in_doubt.store(true, Ordering::SeqCst);
    }

    /// It is opened, and what its header names is on the disk.
    pub(crate) fn trust(&self) {
        self.is_in_doubt.store(false, Ordering::SeqCst);
    }
}

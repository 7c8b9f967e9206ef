//! What is known of a board's file by the errors that it has met.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of a board's file.
#[derive(Debug, Default)]
pub(crate) struct Health {
    has_failed: AtomicBool,
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
}

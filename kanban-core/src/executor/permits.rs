//! How many exports, backups and imports of a store are under way at once: each has a thread and files of its own.

use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Mutex, lock};

/// How many are under way at most. They share one disk: more would only take longer.
const PERMITS: usize = 4;

/// The permits of a store.
#[derive(Debug, Default)]
pub(super) struct Permits {
    taken: Arc<Mutex<usize>>,
}

/// One of them, given back when it is dropped. It outlives the store where its work does.
#[derive(Debug)]
pub(super) struct Permit(Arc<Mutex<usize>>);

impl Permits {
    /// Takes one; `Overloaded` if there is none left.
    pub(super) fn take(&self) -> Result<Permit> {
        let mut taken = lock(&self.taken);
        if *taken >= PERMITS {
            let context = "too many exports, backups and imports are under way";
            return Err(Error::new(ErrorKind::Overloaded, context));
        }
        *taken += 1;
        Ok(Permit(Arc::clone(&self.taken)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *lock(&self.0) -= 1;
    }
}

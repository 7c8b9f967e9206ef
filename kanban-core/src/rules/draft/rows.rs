//! The rows of one kind that a command reads and writes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::error::Result;

/// A row that a command touches: as the transaction holds it, and as it will be. Boxed as in a change: a map makes room for
/// eleven of them at once.
#[derive(Debug)]
pub(super) struct Touched<T> {
    pub(super) before: Option<Box<T>>,
    pub(super) after: Option<Box<T>>,
}

/// The rows of one kind, by key. Each is asked for once: what the transaction holds does not change under a command.
#[derive(Debug)]
pub(super) struct Rows<K, T> {
    touched: BTreeMap<K, Touched<T>>,
    /// Rows that were read and are not written.
    read: RefCell<BTreeMap<K, Box<T>>>,
}

impl<K, T> Default for Rows<K, T> {
    fn default() -> Self {
        Self {
            touched: BTreeMap::new(),
            read: RefCell::default(),
        }
    }
}

impl<K: Ord + Clone, T: Clone> Rows<K, T> {
    /// A row, as the draft leaves it. `look` asks the transaction.
    pub(super) fn get(
        &self,
        key: &K,
        look: impl FnOnce() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        if let Some(touched) = self.touched.get(key) {
            return Ok(touched.after.as_deref().cloned());
        }
        if let Some(row) = self.read.borrow().get(key) {
            return Ok(Some(T::clone(row)));
        }
        let row = look()?;
        if let Some(row) = &row {
            self.read
                .borrow_mut()
                .insert(key.clone(), Box::new(row.clone()));
        }
        Ok(row)
    }

    /// Remembers a row that the transaction has answered to a question for a set.
    pub(super) fn has_read(&mut self, key: &K, row: &T) {
        if !self.touched.contains_key(key) {
            let row = Box::new(row.clone());
            self.read.get_mut().insert(key.clone(), row);
        }
    }

    /// The row that is going to be written; none if it is not written so far, or goes.
    pub(super) fn written_mut(&mut self, key: &K) -> Option<&mut T> {
        self.touched.get_mut(key)?.after.as_deref_mut()
    }

    /// Writes a row. Its first write remembers what the transaction holds, which `look` asks if need be.
    pub(super) fn put(
        &mut self,
        key: K,
        after: T,
        look: impl FnOnce(&K) -> Result<Option<T>>,
    ) -> Result<()> {
        if let Some(touched) = self.touched.get_mut(&key) {
            touched.after = Some(Box::new(after));
            return Ok(());
        }
        let before = match self.read.get_mut().remove(&key) {
            Some(read) => Some(read),
            None => look(&key)?.map(Box::new),
        };
        let after = Some(Box::new(after));
        self.touched.insert(key, Touched { before, after });
        Ok(())
    }

    /// Writes or removes a row of which the caller knows what the transaction holds.
    pub(super) fn set(&mut self, key: K, before: Option<T>, after: Option<T>) {
        let [before, after] = [before, after].map(|row| row.map(Box::new));
        self.touched.insert(key, Touched { before, after });
    }

    /// What is going to be written, by key.
    pub(super) fn into_touched(self) -> impl Iterator<Item = Touched<T>> {
        self.touched.into_values()
    }
}

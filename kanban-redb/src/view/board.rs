//! One snapshot, or one open transaction: what its tables hold under a key, and in a range of keys.

use std::ops::Bound;

use kanban_core::{Error, Result};
use redb::{Key, Range, ReadableTable, Value};

use crate::error::{contained, storage};
use crate::rows::{Record, decode};
use crate::schema::{Row, Slot, Source, Tables};

/// A look that may end a read.
pub(crate) type GoOn<'g> = &'g dyn Fn() -> Result<()>;

/// One snapshot, or one open transaction.
pub(crate) struct Board<'g, S: Source> {
    pub(crate) tables: Tables<S>,
    /// Looked at with every question.
    go_on: Option<GoOn<'g>>,
}

/// From where to where a range goes.
pub(super) type Bounds<T> = (Bound<T>, Bound<T>);

impl<'g, S: Source> Board<'g, S> {
    pub(crate) fn of(source: S) -> Self {
        Self {
            tables: Tables::of(source),
            go_on: None,
        }
    }

    /// One whose every question looks first whether to go on.
    pub(crate) fn watched(source: S, go_on: GoOn<'g>) -> Self {
        Self {
            tables: Tables::of(source),
            go_on: Some(go_on),
        }
    }

    fn look(&self) -> Result<()> {
        self.go_on.map_or(Ok(()), |go_on| go_on())
    }

    /// What a table holds under a key.
    pub(crate) fn value<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        key: K::SelfType<'_>,
        read: impl FnOnce(V::SelfType<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.look()?;
        #[cfg(test)]
        crate::costs::count(crate::costs::Cost::Entry, 1);
        let table = slot.get()?;
        contained(|| {
            let found = table
                .get(key)
                .map_err(|error| storage("asking the board", error))?;
            found.map(|found| read(found.value())).transpose()
        })
    }

    /// The row under a key.
    pub(crate) fn row<K: Key, T: Record>(
        &self,
        slot: &Slot<S, K, Row>,
        key: K::SelfType<'_>,
    ) -> Result<Option<T>> {
        self.value(slot, key, decode)
    }

    /// Walks a range, up to a limit.
    pub(crate) fn walk<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        limit: usize,
        read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.scan(slot, range, |entries| collect(entries, limit, read))
    }

    /// The same, backwards.
    pub(super) fn walk_back<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        limit: usize,
        read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.scan(slot, range, |entries| collect(entries.rev(), limit, read))
    }

    /// The first entry of a range.
    pub(super) fn first<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.walk(slot, range, 1, read)?.pop())
    }

    fn scan<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        collect: impl FnOnce(Range<'_, K, V>) -> Result<T>,
    ) -> Result<T> {
        self.look()?;
        let table = slot.get()?;
        contained(|| {
            let entries = table.range(range);
            collect(entries.map_err(|error| storage("asking the board", error))?)
        })
    }

    /// A row that every board has.
    pub(super) fn only<T: Record>(&self, key: &str) -> Result<T> {
        let row = self.row(&self.tables.single, key)?;
        row.ok_or_else(|| Error::corrupt(format!("there is no row {key}")))
    }
}

fn collect<'t, K: Key + 'static, V: Value + 'static, T>(
    entries: impl Iterator<
        Item = Result<(redb::AccessGuard<'t, K>, redb::AccessGuard<'t, V>), redb::StorageError>,
    >,
    limit: usize,
    mut read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for entry in entries.take(limit) {
        #[cfg(test)]
        crate::costs::count(crate::costs::Cost::Entry, 1);
        let (key, value) = entry.map_err(|error| storage("asking the board", error))?;
        found.push(read(key.value(), value.value())?);
    }
    Ok(found)
}

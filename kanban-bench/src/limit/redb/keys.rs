//! The keys and counters of a task's row: those that differ move.

use redb::ReadableTable;

use super::tables::Tables;
use crate::limit::hand::Place;
use crate::limit::{Failed, Result};

/// A task's row, as its keys tell it.
#[derive(Clone, Copy)]
pub(super) struct Keyed<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) place: Place,
}

impl<'a> Keyed<'a> {
    const fn ranked(&self) -> (i32, i64, &'a str) {
        (self.place.rank, self.place.created_at, self.id)
    }

    const fn counted_as(&self) -> (&'a str, &'a str) {
        (self.place.status, self.name)
    }

    const fn by_age(&self) -> (i64, &'a str) {
        (self.place.created_at, self.id)
    }

    const fn by_update(&self) -> (i64, &'a str) {
        (self.place.updated_at, self.id)
    }

    const fn by_status(&self) -> (&'a str, i32, i64, &'a str) {
        let (rank, at, id) = self.ranked();
        (self.place.status, rank, at, id)
    }

    const fn by_assignee(&self) -> (&'a str, i32, i64, &'a str) {
        let (rank, at, id) = self.ranked();
        (self.name, rank, at, id)
    }

    fn claimable(&self) -> Option<(&'a str, &'a str, i32, i64, &'a str)> {
        let (rank, at, id) = self.ranked();
        let is_in_lane = ["ready", "review"].contains(&self.place.status);
        let key = (self.place.status, self.name, rank, at, id);
        (is_in_lane && self.place.not_before.is_none()).then_some(key)
    }

    fn waiting(&self) -> Option<(i64, &'a str)> {
        self.place.not_before.map(|at| (at, self.id))
    }

    fn ready(&self) -> Option<(i64, &'a str)> {
        (self.place.status == "ready").then_some(self.by_age())
    }

    fn by_expiry(&self) -> Option<(i64, &'a str)> {
        self.place.expires_at.map(|at| (at, self.id))
    }

    fn collectable(&self) -> Option<(i64, &'a str)> {
        self.place.settled_at.map(|at| (at, self.id))
    }
}

/// Moves a key of one index. A table is opened only if it is written to.
macro_rules! shift {
    ($tables:ident.$table:ident, $before:expr, $after:expr) => {
        let (before, after) = ($before, $after);
        if before != after {
            let table = $tables.$table()?;
            if let Some(before) = before {
                table.remove(before)?.ok_or(Failed::Row)?;
            }
            if let Some(after) = after {
                table.insert(after, ())?;
            }
        }
    };
}

impl Tables<'_> {
    /// Moves the keys and counters of a task, or gives it the first ones.
    pub(super) fn shift(&mut self, before: Option<Keyed<'_>>, after: Keyed<'_>) -> Result<()> {
        let (old, new) = (before.as_ref(), &after);
        shift!(
            self.claimable,
            old.and_then(Keyed::claimable),
            new.claimable()
        );
        shift!(self.waiting, old.and_then(Keyed::waiting), new.waiting());
        shift!(self.ready, old.and_then(Keyed::ready), new.ready());
        shift!(
            self.by_expiry,
            old.and_then(Keyed::by_expiry),
            new.by_expiry()
        );
        shift!(
            self.collectable,
            old.and_then(Keyed::collectable),
            new.collectable()
        );
        shift!(self.by_priority, old.map(Keyed::ranked), Some(new.ranked()));
        shift!(self.by_age, old.map(Keyed::by_age), Some(new.by_age()));
        shift!(
            self.by_update,
            old.map(Keyed::by_update),
            Some(new.by_update())
        );
        shift!(
            self.by_status,
            old.map(Keyed::by_status),
            Some(new.by_status())
        );
        shift!(
            self.by_assignee,
            old.map(Keyed::by_assignee),
            Some(new.by_assignee())
        );
        let (from, to) = (old.map(Keyed::counted_as), new.counted_as());
        if from == Some(to) {
            return Ok(());
        }
        if let Some(from) = from {
            self.step(from, -1)?;
        }
        self.step(to, 1)
    }

    /// Counts a task in or out. A counter at 0 has no row.
    fn step(&mut self, (status, name): (&str, &str), step: i64) -> Result<()> {
        let count = self.count()?;
        let key = (status, name);
        let tasks = count.get(key)?.map_or(0, |count| count.value());
        match tasks.saturating_add_signed(step) {
            0 => drop(count.remove(key)?),
            tasks => drop(count.insert(key, tasks)?),
        }
        Ok(())
    }
}

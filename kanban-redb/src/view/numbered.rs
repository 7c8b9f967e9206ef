//! Rows that have a number, and the indexes that find them by what they belong to.

use std::ops::Bound;

use kanban_core::{Attachment, Comment, Error, Event, Label, Result, Run, Subscription, TaskId};

use super::board::{Board, Bounds};
use crate::rows::{Record, decode};
use crate::schema::{Row, Slot, Source, Tables, Word};

/// A row with a number.
pub(super) trait Numbered: Record {
    /// Where the rows are.
    fn rows<S: Source>(tables: &Tables<S>) -> &Slot<S, u64, Row>;

    /// Where they are found by the task, or the scope, that they belong to.
    fn index<S: Source>(tables: &Tables<S>) -> &Slot<S, (Word, u64), ()>;
}

macro_rules! numbered {
    ($($row:ident: $table:ident by $index:ident;)*) => {$(
        impl Numbered for $row {
            fn rows<S: Source>(tables: &Tables<S>) -> &Slot<S, u64, Row> {
                &tables.$table
            }

            fn index<S: Source>(tables: &Tables<S>) -> &Slot<S, (Word, u64), ()> {
                &tables.$index
            }
        }
    )*};
}
numbered! {
    Run: run by run_of_task;
    Event: event by event_of_task;
    Comment: comment by comment_of_task;
    Attachment: attachment by attachment_of_task;
    Subscription: subscription by subscription_of_scope;
}

/// The numbers of one word, after one.
fn numbers_of(word: &str, after: Option<u64>) -> Bounds<(&str, u64)> {
    let from = after.map_or(Bound::Included((word, 0)), |after| {
        Bound::Excluded((word, after))
    });
    (from, Bound::Included((word, u64::MAX)))
}

impl<S: Source> Board<'_, S> {
    /// The row of a number.
    pub(super) fn numbered<T: Numbered>(&self, number: u64) -> Result<Option<T>> {
        self.row(T::rows(&self.tables), number)
    }

    /// The rows after a number, or from the first.
    pub(super) fn page<T: Numbered>(&self, after: Option<u64>, limit: usize) -> Result<Vec<T>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = (from, Bound::Unbounded);
        self.walk(T::rows(&self.tables), range, limit, |_, row| decode(row))
    }

    /// The same of those that belong to a task, or a scope.
    pub(super) fn page_of<T: Numbered>(
        &self,
        owner: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<T>> {
        let index = T::index(&self.tables);
        let range = numbers_of(owner, after);
        let found = self.walk(index, range, limit, |(_, number), ()| Ok(number))?;
        let rows = found
            .into_iter()
            .map(|number| self.found(index.name, number));
        rows.collect()
    }

    /// The row that an index has found: it is there.
    pub(super) fn found<T: Numbered>(&self, index: &str, number: u64) -> Result<T> {
        let row = self.numbered(number)?;
        row.ok_or_else(|| {
            let table = T::rows(&self.tables).name;
            Error::corrupt(format!(
                "{index} finds {table} {number}, which is not there"
            ))
        })
    }

    /// The last number that an index has for a task.
    pub(super) fn last_of(
        &self,
        index: &Slot<S, (Word, u64), ()>,
        task: &TaskId,
    ) -> Result<Option<u64>> {
        let range = numbers_of(task.as_str(), None);
        let last = self.walk_back(index, range, 1, |(_, number), ()| Ok(number))?;
        Ok(last.first().copied())
    }

    /// The row that was made for a request.
    pub(super) fn by_request<T: Numbered>(
        &self,
        index: &Slot<S, (Word, Word, u64), ()>,
        task: &TaskId,
        request: &Label,
    ) -> Result<Option<T>> {
        let key = |number| (task.as_str(), request.as_str(), number);
        let range = (Bound::Included(key(0)), Bound::Included(key(u64::MAX)));
        let found = self.first(index, range, |(_, _, number), ()| Ok(number))?;
        let row = found.map(|number| self.found(index.name, number));
        row.transpose()
    }
}

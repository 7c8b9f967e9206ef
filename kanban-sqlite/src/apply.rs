//! Changes, written into the open transaction.

use std::time::Duration;

use kanban_core::{
    Assignee, BoardState, Change, Error, ErrorKind, Event, GroupRecord, JsonObject, Link, Policy,
    Result, Task, TaskId, TextKind, Txn, View,
};
use rusqlite::{Params, params_from_iter};

use crate::error::storage;
use crate::rows::{Cell, Record};
use crate::statements as sql;
use crate::view::Board;

/// How long the mark of another instance is kept.
const GROUP_LIFE: Duration = Duration::from_hours(24);

const WRITING: &str = "writing to the board";

impl Txn for Board<'_> {
    fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Board { before, after } => self.update(&**before, &**after),
            Change::Policy { after } => self.replace(after),
            Change::Pause { before, after } => {
                self.put(before.as_ref(), after.as_ref(), sql::DELETE_PAUSE)
            }
            Change::Task { before, after } => self.task(before.as_deref(), after.as_deref()),
            Change::Text { task, kind, after } => self.text(task, *kind, after.as_deref()),
            Change::AddLink(link) => self.link(sql::INSERT_LINK, link),
            Change::RemoveLink(link) => self.link(sql::DELETE_LINK, link),
            Change::Run { before, after } => match before {
                None => self.insert(after.as_ref()),
                Some(before) => self.update(before.as_ref(), after.as_ref()),
            },
            Change::AddEvent(event) => self.event(event),
            Change::RemoveEvent(id) => self.delete(sql::DELETE_EVENT, &Cell::number(id.get())),
            Change::AddComment(comment) => self.insert(comment.as_ref()),
            Change::AddAttachment(attachment) => self.insert(attachment.as_ref()),
            Change::RemoveAttachment(attachment) => {
                self.delete(sql::DELETE_ATTACHMENT, &Cell::number(attachment.id.get()))
            }
            Change::Subscription { before, after } => self.put(
                before.as_deref(),
                after.as_deref(),
                sql::DELETE_SUBSCRIPTION,
            ),
            Change::Forget(task) => self.forget(task),
            Change::Group(record) => self.group(record),
        }
    }

    fn view(&self) -> &dyn View {
        self
    }
}

impl Board<'_> {
    /// The two rows that every board has.
    pub(crate) fn found(&self, board: &BoardState) -> Result<()> {
        self.insert(board)?;
        self.insert(&Policy::default())
    }

    fn execute(&self, text: &'static str, params: impl Params) -> Result<usize> {
        self.statements.with(WRITING, text, |statement| {
            let written = statement.execute(params);
            written.map_err(|error| storage(WRITING, error))
        })
    }

    fn execute_one(&self, text: &'static str, params: impl Params) -> Result<()> {
        one(self.execute(text, params)?, text)
    }

    fn insert<T: Record>(&self, row: &T) -> Result<()> {
        self.execute_one(T::TABLE.insert, params_from_iter(row.cells()))
    }

    fn delete(&self, text: &'static str, key: &Cell<'_>) -> Result<()> {
        self.execute_one(text, [key])
    }

    fn put<T: Record>(
        &self,
        before: Option<&T>,
        after: Option<&T>,
        delete: &'static str,
    ) -> Result<()> {
        match (before, after) {
            (None, Some(after)) => self.insert(after),
            (Some(before), Some(after)) => self.update(before, after),
            (Some(before), None) => match before.cells().first() {
                Some(key) => self.delete(delete, key),
                None => Ok(()),
            },
            (None, None) => Ok(()),
        }
    }

    /// Writes the columns that differ. The others' index entries do not move then.
    fn update<T: Record>(&self, before: &T, after: &T) -> Result<()> {
        let (old, new) = (before.cells(), after.cells());
        let pairs = old.iter().zip(&new).enumerate();
        let changed = pairs.filter(|(_, (old, new))| old != new);
        self.set::<T>(&new, changed.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// Writes all columns but the key.
    fn replace<T: Record>(&self, after: &T) -> Result<()> {
        let cells = after.cells();
        self.set::<T>(&cells, !1)
    }

    /// Writes the columns of which the bits are set.
    fn set<T: Record>(&self, cells: &[Cell<'_>], columns: u64) -> Result<()> {
        const { assert!(T::TABLE.columns.len() <= u64::BITS as usize) };
        let table = T::TABLE;
        let (Some(name), Some(key)) = (table.columns.first(), cells.first()) else {
            return Ok(());
        };
        if columns == 0 {
            return Ok(());
        }
        let is_wanted = |at: usize| columns >> at & 1 == 1;
        let text = || {
            let named = table.columns.iter().enumerate();
            let wanted = named.filter(|(at, _)| is_wanted(*at));
            let columns: Vec<&str> = wanted.map(|(_, column)| *column).collect();
            sql::update(table.name, name, &columns)
        };
        let values = cells.iter().enumerate();
        let values = values
            .filter(|(at, _)| is_wanted(*at))
            .map(|(_, cell)| cell);
        let params = params_from_iter(values.chain([key]));
        let update = (table.name, columns);
        let rows = self
            .statements
            .with_update(WRITING, update, text, |statement| {
                let written = statement.execute(params);
                written.map_err(|error| storage(WRITING, error))
            })?;
        one(rows, table.name)
    }

    fn task(&self, before: Option<&Task>, after: Option<&Task>) -> Result<()> {
        if before.map(counted_as) != after.map(counted_as) {
            let mut moves = self.moves.borrow_mut();
            for (task, by) in before
                .map(|task| (task, -1))
                .into_iter()
                .chain(after.map(|task| (task, 1)))
            {
                let (status, name) = counted_as(task);
                *moves.entry((status, name.to_owned())).or_default() += by;
            }
        }
        self.put(before, after, sql::DELETE_TASK)
    }

    /// Writes the counters that have moved: before the commit, and before a question about them. Many tasks of a group move
    /// the same ones.
    pub(crate) fn write_counters(&self) -> Result<()> {
        for ((status, name), by) in self.moves.take() {
            let tasks = by.unsigned_abs().cast_signed();
            let counter = (status, name.as_str(), tasks);
            match by {
                0 => {}
                1.. => self.execute_one(sql::COUNT_UP, counter)?,
                // A counter at 0 has no row.
                _ => {
                    if self.execute(sql::COUNT_DOWN, counter)? == 0 {
                        self.execute_one(sql::COUNT_OUT, counter)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn text(&self, task: &TaskId, kind: TextKind, after: Option<&str>) -> Result<()> {
        let (task, kind) = (task.as_str(), kind.as_str());
        match after {
            Some(text) => self.execute_one(sql::PUT_TEXT, (task, kind, text)),
            // Whether there was one is not said: none is nothing to remove.
            None => self.execute(sql::DELETE_TEXT, (task, kind)).map(|_| ()),
        }
    }

    fn link(&self, text: &'static str, link: &Link) -> Result<()> {
        self.execute_one(text, (link.parent.as_str(), link.child.as_str()))
    }

    /// An event that could not be read back would stop every later walk of the log: it stops its own command
    /// instead.
    fn event(&self, event: &Event) -> Result<()> {
        let cells = event.cells();
        if let Some(Cell::Text(data)) = cells.last()
            && data.len() > JsonObject::MAX_BYTES
        {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("data of an event: at most 64 KiB, found {}", data.len()),
            ));
        }
        self.execute_one(sql::INSERT_EVENT, params_from_iter(cells))
    }

    fn forget(&self, task: &TaskId) -> Result<()> {
        for text in [
            sql::FORGET_TEXTS,
            sql::FORGET_RUNS,
            sql::FORGET_EVENTS,
            sql::FORGET_COMMENTS,
            sql::FORGET_ATTACHMENTS,
            sql::FORGET_SUBSCRIPTIONS,
        ] {
            self.execute(text, [task.as_str()])?;
        }
        Ok(())
    }

    fn group(&self, record: &GroupRecord) -> Result<()> {
        self.insert(record)?;
        let oldest = record.at.before(GROUP_LIFE).get();
        let params = (oldest, record.instance.cast_signed());
        self.execute(sql::FORGET_GROUPS, params).map(|_| ())
    }
}

/// Exactly one row was written. A change names the row that the transaction holds: if it is not there, the file is not what it was
/// read as.
fn one(rows: usize, by: &str) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "one row was to be written, found {rows}: {by}"
    )))
}

/// The key of the counter that a task is in.
fn counted_as(task: &Task) -> (&'static str, &str) {
    let name = task.assignee.as_ref().map_or("", Assignee::as_str);
    (task.status.as_str(), name)
}

//! Changes, written into the open transaction.

use std::ops::Bound;
use std::time::Duration;

use kanban_core::{
    Attachment, Change, Comment, Error, ErrorKind, Event, EventId, GroupRecord, JsonObject, Link,
    Pause, Result, Run, Subscription, Task, TaskId, TextKind, Txn, View,
};
use redb::{Key, Value};

use crate::error::{contained, storage};
use crate::keys::{self, Indexed};
use crate::rows::{Record, encode};
use crate::schema::{BOARD_KEY, POLICY_KEY, Row, Slot, Writing};
use crate::view::Board;

/// How long the mark of another instance is kept.
const GROUP_LIFE: Duration = Duration::from_hours(24);

impl Txn for Board<'_, Writing<'_>> {
    fn apply(&mut self, change: &Change) -> Result<()> {
        let tables = &mut self.tables;
        match change {
            Change::Board { after, .. } => replace(&mut tables.single, BOARD_KEY, &**after),
            Change::Policy { after } => replace(&mut tables.single, POLICY_KEY, after),
            Change::Pause { before, after } => {
                let Some(row) = after.as_ref().or(before.as_ref()) else {
                    return Ok(());
                };
                let key = keys::pause(&row.target);
                write::<_, Pause>(&mut tables.pause, key, before.as_ref(), after.as_ref())
            }
            Change::Task { before, after } => self.task(before.as_deref(), after.as_deref()),
            Change::Text { task, kind, after } => self.text(task, *kind, after.as_deref()),
            Change::AddLink(link) => self.link(None, Some(link)),
            Change::RemoveLink(link) => self.link(Some(link), None),
            Change::Run { before, after } => self.run(before.as_deref(), Some(after)),
            Change::AddEvent(event) => self.add_event(event),
            Change::RemoveEvent(id) => self.remove_event(*id),
            Change::AddComment(comment) => self.comment(None, Some(comment)),
            Change::AddAttachment(attachment) => self.attachment(None, Some(attachment)),
            Change::RemoveAttachment(attachment) => self.attachment(Some(attachment), None),
            Change::Subscription { before, after } => {
                self.subscription(before.as_deref(), after.as_deref())
            }
            Change::Forget(task) => self.forget(task),
            Change::Group(record) => self.group(record),
        }
    }

    fn view(&self) -> &dyn View {
        self
    }
}

/// Writes, replaces or removes a row. A change names the row that the transaction holds: if that is not so, the file
/// is not what it was read as.
fn write<K: Key, T: Record>(
    slot: &mut Slot<Writing<'_>, K, Row>,
    key: K::SelfType<'_>,
    before: Option<&T>,
    after: Option<&T>,
) -> Result<()> {
    let bytes = after.map(encode).transpose()?;
    let found = put(slot, key, bytes.as_deref())?;
    expect(found == before.is_some(), slot.name)
}

/// Replaces a row that is there.
fn replace<T: Record>(
    slot: &mut Slot<Writing<'_>, &'static str, Row>,
    key: &str,
    after: &T,
) -> Result<()> {
    write(slot, key, Some(after), Some(after))
}

/// Inserts or removes what a table has under a key. Answers whether there was anything.
fn put<K: Key, V: Value>(
    slot: &mut Slot<Writing<'_>, K, V>,
    key: K::SelfType<'_>,
    value: Option<V::SelfType<'_>>,
) -> Result<bool> {
    #[cfg(test)]
    crate::costs::count(crate::costs::Cost::Put, 1);
    let table = slot.get_mut()?;
    contained(|| {
        let doing = |error| storage("writing to the board", error);
        let before = match value {
            Some(value) => table.insert(key, value).map_err(doing)?,
            None => table.remove(key).map_err(doing)?,
        };
        Ok(before.is_some())
    })
}

fn expect(is_right: bool, name: &str) -> Result<()> {
    if is_right {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "a row of {name} is there, or not, other than it was read"
    )))
}

/// One function per table whose rows have a number and are found by indexes.
macro_rules! numbered {
    ($($name:ident: $row:ident;)*) => {
        impl Board<'_, Writing<'_>> {$(
            fn $name(&mut self, before: Option<&$row>, after: Option<&$row>) -> Result<()> {
                let Some(row) = after.or(before) else { return Ok(()) };
                write(&mut self.tables.$name, row.id.get(), before, after)?;
                Indexed::shift(&mut self.tables, before, after)
            }
        )*}
    };
}
numbered! {
    run: Run;
    event: Event;
    comment: Comment;
    attachment: Attachment;
    subscription: Subscription;
}

impl Board<'_, Writing<'_>> {
    fn task(&mut self, before: Option<&Task>, after: Option<&Task>) -> Result<()> {
        let Some(row) = after.or(before) else {
            return Ok(());
        };
        write(&mut self.tables.task, row.id.as_str(), before, after)?;
        Indexed::shift(&mut self.tables, before, after)?;
        if before.map(keys::counted_as) != after.map(keys::counted_as) {
            if let Some(before) = before {
                self.count(before, |tasks| tasks.checked_sub(1))?;
            }
            if let Some(after) = after {
                self.count(after, |tasks| tasks.checked_add(1))?;
            }
        }
        Ok(())
    }

    /// A counter at 0 has no row.
    fn count(&mut self, task: &Task, step: impl Fn(u64) -> Option<u64>) -> Result<()> {
        let key = keys::counted_as(task);
        let found = self.value(&self.tables.count, key, Ok)?;
        let tasks = step(found.unwrap_or(0))
            .ok_or_else(|| Error::corrupt(format!("the counter of {key:?} leaves its bounds")))?;
        let was_there = put(
            &mut self.tables.count,
            key,
            Some(tasks).filter(|tasks| *tasks > 0),
        )?;
        expect(was_there == found.is_some(), "count")
    }

    fn text(&mut self, task: &TaskId, kind: TextKind, after: Option<&str>) -> Result<()> {
        // Whether there was one is not said.
        let key = (task.as_str(), kind.as_str());
        put(&mut self.tables.text, key, after.map(str::as_bytes)).map(|_| ())
    }

    fn link(&mut self, before: Option<&Link>, after: Option<&Link>) -> Result<()> {
        let Some(link) = after.or(before) else {
            return Ok(());
        };
        let key = (link.parent.as_str(), link.child.as_str());
        let found = put(&mut self.tables.link, key, after.map(|_| ()))?;
        expect(found == before.is_some(), "link")?;
        Indexed::shift(&mut self.tables, before, after)
    }

    /// An event that could not be read back would stop every later walk of the log: it stops its own command
    /// instead.
    fn add_event(&mut self, event: &Event) -> Result<()> {
        let bytes = event.data.to_text().len();
        if bytes > JsonObject::MAX_BYTES {
            let context = format!("data of an event: at most 64 KiB, found {bytes}");
            return Err(Error::new(ErrorKind::Internal, context));
        }
        self.event(None, Some(event))
    }

    fn remove_event(&mut self, id: EventId) -> Result<()> {
        let before: Option<Event> = self.row(&self.tables.event, id.get())?;
        expect(before.is_some(), "event")?;
        self.event(before.as_ref(), None)
    }

    fn group(&mut self, record: &GroupRecord) -> Result<()> {
        let before: Option<GroupRecord> = self.row(&self.tables.commit_group, record.instance)?;
        write(
            &mut self.tables.commit_group,
            record.instance,
            before.as_ref(),
            Some(record),
        )?;
        Indexed::shift(&mut self.tables, before.as_ref(), Some(record))?;
        let oldest = (record.at.before(GROUP_LIFE).get(), 0);
        let range = (Bound::Unbounded, Bound::Excluded(oldest));
        let index = &self.tables.commit_group_by_age;
        let old = self.walk(index, range, usize::MAX, |(_, instance), ()| Ok(instance))?;
        for instance in old {
            let row: Option<GroupRecord> = self.row(&self.tables.commit_group, instance)?;
            expect(row.is_some(), "commit_group")?;
            write(&mut self.tables.commit_group, instance, row.as_ref(), None)?;
            Indexed::shift(&mut self.tables, row.as_ref(), None)?;
        }
        Ok(())
    }

    /// Everything of a task but its row and its links.
    fn forget(&mut self, task: &TaskId) -> Result<()> {
        for kind in TextKind::ALL {
            self.text(task, *kind, None)?;
        }
        let scope = kanban_core::Scope::Task(task.clone());
        for run in self.runs_of(task, None, usize::MAX)? {
            self.run(Some(&run), None)?;
        }
        for comment in self.comments_of(task, None, usize::MAX)? {
            self.comment(Some(&comment), None)?;
        }
        for attachment in self.attachments_of(task, None, usize::MAX)? {
            self.attachment(Some(&attachment), None)?;
        }
        for subscription in self.subscriptions_of(&scope, None, usize::MAX)? {
            self.subscription(Some(&subscription), None)?;
        }
        // A task may have very many.
        while let page = self.events_of(task, EventId::new(0), 1000)?
            && !page.is_empty()
        {
            for event in &page {
                self.event(Some(event), None)?;
            }
        }
        Ok(())
    }
}

//! The keys of each index: what a row says about the tables that find it. `apply` moves them with the row, `check`
//! compares them with it.

use kanban_core::{
    Assignee, Attachment, Comment, Event, GroupRecord, Label, Link, PauseTarget, Result, Run,
    Scope, Status, Subscription, Task, TaskId,
};
use redb::{Key, ReadableTable, ReadableTableMetadata};

use crate::error::{contained, storage};
use crate::schema::{Slot, Source, Tables, Writing};

/// The assignee, or the empty text for nobody. It sorts first.
pub(crate) fn assignee(assignee: Option<&Assignee>) -> &str {
    assignee.map_or("", Assignee::as_str)
}

/// The assignee, or the empty text for the board.
pub(crate) fn pause(target: &PauseTarget) -> &str {
    match target {
        PauseTarget::Board => "",
        PauseTarget::Assignee(name) => name.as_str(),
    }
}

/// The task, or the empty text for the board.
pub(crate) fn scope(scope: &Scope) -> &str {
    scope.task().map_or("", TaskId::as_str)
}

/// The thread, or the empty text for none.
pub(crate) fn thread(thread: Option<&Label>) -> &str {
    thread.map_or("", Label::as_str)
}

/// Turns "highest priority first" into an ascending order.
pub(crate) const fn rank(priority: i32) -> i32 {
    !priority
}

/// And back.
pub(crate) const fn priority(rank: i32) -> i32 {
    !rank
}

/// The key of the counter that a task is in.
pub(crate) fn counted_as(task: &Task) -> (&str, &str) {
    (task.status.as_str(), assignee(task.assignee.as_ref()))
}

fn ranked(task: &Task) -> (i32, i64, &str) {
    (rank(task.priority), task.created_at.get(), task.id.as_str())
}

fn is_in_lane(task: &Task) -> bool {
    task.status.is_claimable() && !task.waiting
}

fn claimable(task: &Task) -> Option<(&str, &str, i32, i64, &str)> {
    let (status, name) = counted_as(task);
    let (rank, at, id) = ranked(task);
    is_in_lane(task).then_some((status, name, rank, at, id))
}

fn claimable_of_tenant(task: &Task) -> Option<(&str, &str, &str, i32, i64, &str)> {
    let (status, name, rank, at, id) = claimable(task)?;
    Some((task.tenant.as_ref()?.as_str(), status, name, rank, at, id))
}

fn waiting(task: &Task) -> Option<(i64, &str)> {
    let at = task.not_before.filter(|_| task.waiting)?;
    Some((at.get(), task.id.as_str()))
}

fn by_expiry(task: &Task) -> Option<(i64, &str)> {
    Some((task.claim.as_ref()?.expires_at.get(), task.id.as_str()))
}

fn due(task: &Task) -> Option<(i64, &str)> {
    Some((task.wake_at?.get(), task.id.as_str()))
}

fn collectable(task: &Task) -> Option<(i64, &str)> {
    let at = task.settled_at.filter(|_| task.collectable)?;
    Some((at.get(), task.id.as_str()))
}

fn by_key(task: &Task) -> Option<(&str, &str)> {
    let key = task.idempotency_key.as_ref()?;
    (task.status != Status::Archived).then_some((key.as_str(), task.id.as_str()))
}

fn by_request(task: &Task) -> Option<(&str, &str)> {
    let request = task.claim.as_ref()?.request_id.as_ref()?;
    Some((request.as_str(), task.id.as_str()))
}

fn by_age(task: &Task) -> (i64, &str) {
    (task.created_at.get(), task.id.as_str())
}

fn by_update(task: &Task) -> (i64, &str) {
    (task.updated_at.get(), task.id.as_str())
}

fn by_status(task: &Task) -> (&str, i32, i64, &str) {
    let (rank, at, id) = ranked(task);
    (task.status.as_str(), rank, at, id)
}

fn by_assignee(task: &Task) -> (&str, i32, i64, &str) {
    let (rank, at, id) = ranked(task);
    (assignee(task.assignee.as_ref()), rank, at, id)
}

fn by_tenant(task: &Task) -> Option<(&str, i32, i64, &str)> {
    let (rank, at, id) = ranked(task);
    Some((task.tenant.as_ref()?.as_str(), rank, at, id))
}

fn ready(task: &Task) -> Option<(i64, &str)> {
    (task.status == Status::Ready).then_some(by_age(task))
}

/// A row that indexes find.
pub(crate) trait Indexed {
    /// Moves the keys of a row that changes, and no others.
    fn shift(
        tables: &mut Tables<Writing<'_>>,
        before: Option<&Self>,
        after: Option<&Self>,
    ) -> Result<()>;

    /// Tells each index and whether it holds the row's key, where the row has one.
    fn look_up<S: Source>(
        &self,
        tables: &Tables<S>,
        tell: &mut dyn FnMut(&'static str, bool),
    ) -> Result<()>;

    /// Tells each index and how many keys it holds.
    fn count<S: Source>(tables: &Tables<S>, tell: &mut dyn FnMut(&'static str, u64)) -> Result<()>;
}

macro_rules! indexes {
    ($($row:ident { $($table:ident = $key:expr,)* })*) => {$(
        impl Indexed for $row {
            fn shift(tables: &mut Tables<Writing<'_>>, before: Option<&Self>, after: Option<&Self>) -> Result<()> {
                $({
                    let (before, after) = (before.and_then($key), after.and_then($key));
                    if before != after {
                        shift(&mut tables.$table, before, after)?;
                    }
                })*
                Ok(())
            }

            fn look_up<S: Source>(&self, tables: &Tables<S>, tell: &mut dyn FnMut(&'static str, bool)) -> Result<()> {
                $(if let Some(key) = Some(self).and_then($key) {
                    tell(tables.$table.name, holds(&tables.$table, key)?);
                })*
                Ok(())
            }

            fn count<S: Source>(tables: &Tables<S>, tell: &mut dyn FnMut(&'static str, u64)) -> Result<()> {
                $(tell(tables.$table.name, len(&tables.$table)?);)*
                Ok(())
            }
        }
    )*};
}

indexes! {
    Task {
        task_claimable = claimable,
        task_claimable_of_tenant = claimable_of_tenant,
        task_waiting = waiting,
        task_by_expiry = by_expiry,
        task_due = due,
        task_collectable = collectable,
        task_by_key = by_key,
        task_by_request = by_request,
        task_by_priority = |task: &'_ Task| Some(ranked(task)),
        task_by_age = |task: &'_ Task| Some(by_age(task)),
        task_by_update = |task: &'_ Task| Some(by_update(task)),
        task_by_status = |task: &'_ Task| Some(by_status(task)),
        task_by_assignee = |task: &'_ Task| Some(by_assignee(task)),
        task_by_tenant = by_tenant,
        task_ready = ready,
    }
    Link {
        link_by_child = |link: &'_ Link| Some((link.child.as_str(), link.parent.as_str())),
    }
    Run {
        run_of_task = |run: &'_ Run| Some((run.task.as_str(), run.id.get())),
        run_summarised = |run: &'_ Run| run.summary.as_ref().map(|_| (run.task.as_str(), run.id.get())),
    }
    Event {
        event_of_task = |event: &'_ Event| event.task.as_ref().map(|task| (task.as_str(), event.id.get())),
    }
    Comment {
        comment_of_task = |row: &'_ Comment| Some((row.task.as_str(), row.id.get())),
        comment_by_request = |row: &'_ Comment| {
            row.request_id.as_ref().map(|request| (row.task.as_str(), request.as_str(), row.id.get()))
        },
    }
    Attachment {
        attachment_of_task = |row: &'_ Attachment| Some((row.task.as_str(), row.id.get())),
        attachment_by_request = |row: &'_ Attachment| {
            row.request_id.as_ref().map(|request| (row.task.as_str(), request.as_str(), row.id.get()))
        },
    }
    Subscription {
        subscription_of_scope = |row: &'_ Subscription| Some((scope(&row.scope), row.id.get())),
        subscription_at = |row: &'_ Subscription| Some((
            scope(&row.scope), row.channel.as_str(), row.address.as_str(), thread(row.thread.as_ref()), row.id.get(),
        )),
    }
    GroupRecord {
        commit_group_by_age = |row: &'_ GroupRecord| Some((row.at.get(), row.instance)),
    }
}

fn shift<'k, K: Key>(
    slot: &mut Slot<Writing<'_>, K, ()>,
    before: Option<K::SelfType<'k>>,
    after: Option<K::SelfType<'k>>,
) -> Result<()> {
    let name = slot.name;
    #[cfg(test)]
    crate::costs::count(
        crate::costs::Cost::Put,
        usize::from(before.is_some()) + usize::from(after.is_some()),
    );
    let table = slot.get_mut()?;
    contained(|| {
        let doing = |error| storage("moving a key of an index", error);
        if let Some(before) = before
            && table.remove(before).map_err(doing)?.is_none()
        {
            return Err(kanban_core::Error::corrupt(format!(
                "{name} lacks the key of a row"
            )));
        }
        if let Some(after) = after
            && table.insert(after, ()).map_err(doing)?.is_some()
        {
            return Err(kanban_core::Error::corrupt(format!(
                "{name} has the key of no row"
            )));
        }
        Ok(())
    })
}

fn holds<S: Source, K: Key>(slot: &Slot<S, K, ()>, key: K::SelfType<'_>) -> Result<bool> {
    let table = slot.get()?;
    contained(|| {
        let found = table
            .get(key)
            .map_err(|error| storage("looking a key up", error))?;
        Ok(found.is_some())
    })
}

fn len<S: Source, K: Key>(slot: &Slot<S, K, ()>) -> Result<u64> {
    let table = slot.get()?;
    contained(|| table.len().map_err(|error| storage("counting keys", error)))
}

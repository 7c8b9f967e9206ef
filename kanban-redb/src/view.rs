//! The questions of the domain, each answered by one table.

mod tasks;

use std::ops::Bound;

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Error, Event,
    EventId, GroupRecord, Label, Lane, Link, ListIndex, ListKey, Millis, Pause, PauseTarget, Phase,
    Policy, PriorityKey, Result, Run, RunId, Scope, StatsRow, Status, Subscription, SubscriptionId,
    Task, TaskId, TextKind, View,
};
use redb::{Key, Range, ReadableTable, Value};

use crate::error::{contained, storage};
use crate::keys;
use crate::rows::{Record, decode};
use crate::schema::{BOARD_KEY, POLICY_KEY, Row, Slot, Source, Tables};

/// After every task id, assignee and word: the largest of their bytes is `z`.
const LAST: &str = "~";

/// A look that may end a read.
pub(crate) type GoOn<'g> = &'g dyn Fn() -> Result<()>;

/// One snapshot, or one open transaction.
pub(crate) struct Board<'g, S: Source> {
    pub(crate) tables: Tables<S>,
    /// Looked at with every question.
    go_on: Option<GoOn<'g>>,
}

/// From where to where a range goes.
type Bounds<T> = (Bound<T>, Bound<T>);

/// After a number, or from the first.
fn after(number: Option<u64>) -> Bound<u64> {
    number.map_or(Bound::Unbounded, Bound::Excluded)
}

/// The numbers of one word, after one.
fn numbers_of(word: &str, after: Option<u64>) -> Bounds<(&str, u64)> {
    let from = after.map_or(Bound::Included((word, 0)), |after| {
        Bound::Excluded((word, after))
    });
    (from, Bound::Included((word, u64::MAX)))
}

/// The second words of a first one, after one.
fn words_of<'k>(word: &'k str, after: Option<&'k TaskId>) -> Bounds<(&'k str, &'k str)> {
    let after = after.map_or("", TaskId::as_str);
    (
        Bound::Excluded((word, after)),
        Bound::Excluded((word, LAST)),
    )
}

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

    /// Walks a range. `step` says what becomes of each entry; none ends the walk.
    pub(crate) fn walk<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        limit: usize,
        mut read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.look()?;
        let table = slot.get()?;
        contained(|| {
            let range = table
                .range(range)
                .map_err(|error| storage("asking the board", error))?;
            collect(range, limit, &mut read)
        })
    }

    /// The same, backwards.
    fn walk_back<K: Key, V: Value, T>(
        &self,
        slot: &Slot<S, K, V>,
        range: Bounds<K::SelfType<'_>>,
        limit: usize,
        mut read: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.look()?;
        let table = slot.get()?;
        contained(|| {
            let range: Range<'_, K, V> = table
                .range(range)
                .map_err(|error| storage("asking the board", error))?;
            collect(range.rev(), limit, &mut read)
        })
    }

    /// The rows of a table after a number.
    fn rows<T: Record>(
        &self,
        slot: &Slot<S, u64, Row>,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Vec<T>> {
        self.walk(slot, (after(from), Bound::Unbounded), limit, |_, row| {
            decode(row)
        })
    }

    /// The rows that an index finds for a word, after a number.
    fn rows_of<T: Record>(
        &self,
        index: &Slot<S, (&'static str, u64), ()>,
        slot: &Slot<S, u64, Row>,
        word: &str,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Vec<T>> {
        let found = self.walk(index, numbers_of(word, from), limit, |(_, id), ()| Ok(id))?;
        found
            .into_iter()
            .map(|id| self.found(index.name, slot, id))
            .collect()
    }

    /// The row that an index has found: it is there.
    fn found<T: Record>(&self, index: &str, slot: &Slot<S, u64, Row>, id: u64) -> Result<T> {
        let row = self.row(slot, id)?;
        row.ok_or_else(|| {
            Error::corrupt(format!(
                "{index} finds {} {id}, which is not there",
                slot.name
            ))
        })
    }

    /// A row that every board has.
    fn only<T: Record>(&self, key: &str) -> Result<T> {
        let row = self.row(&self.tables.single, key)?;
        row.ok_or_else(|| Error::corrupt(format!("there is no row {key}")))
    }
}

fn collect<'t, K: Key + 'static, V: Value + 'static, T>(
    entries: impl Iterator<
        Item = Result<(redb::AccessGuard<'t, K>, redb::AccessGuard<'t, V>), redb::StorageError>,
    >,
    limit: usize,
    read: &mut impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for entry in entries.take(limit) {
        let (key, value) = entry.map_err(|error| storage("asking the board", error))?;
        found.push(read(key.value(), value.value())?);
    }
    Ok(found)
}

/// A task's id out of a key.
fn id(word: &str) -> Result<TaskId> {
    TaskId::new(word)
        .map_err(|invalid| Error::corrupt("the id of a task in a key").with_source(invalid))
}

impl<S: Source> View for Board<'_, S> {
    fn board(&self) -> Result<BoardState> {
        self.only(BOARD_KEY)
    }

    fn policy(&self) -> Result<Policy> {
        self.only(POLICY_KEY)
    }

    fn pauses(&self) -> Result<Vec<Pause>> {
        let all = (Bound::Unbounded, Bound::Unbounded);
        self.walk(&self.tables.pause, all, usize::MAX, |_, row| decode(row))
    }

    fn pause(&self, target: &PauseTarget) -> Result<Option<Pause>> {
        self.row(&self.tables.pause, keys::pause(target))
    }

    fn group(&self, instance: u64) -> Result<Option<GroupRecord>> {
        self.row(&self.tables.commit_group, instance)
    }

    fn task(&self, id: &TaskId) -> Result<Option<Task>> {
        self.row(&self.tables.task, id.as_str())
    }

    fn text(&self, id: &TaskId, kind: TextKind) -> Result<Option<String>> {
        self.value(&self.tables.text, (id.as_str(), kind.as_str()), |text| {
            let text = std::str::from_utf8(text);
            text.map(str::to_owned)
                .map_err(|error| Error::corrupt("a text of a task").with_source(error))
        })
    }

    fn task_by_key(&self, key: &Label) -> Result<Option<TaskId>> {
        self.first_of(&self.tables.task_by_key, key)
    }

    fn task_ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>> {
        let end = format!("{prefix}{LAST}");
        let range = (Bound::Included(prefix), Bound::Excluded(end.as_str()));
        self.walk(&self.tables.task, range, limit, |word, _| id(word))
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<Task>> {
        let range = (
            Bound::Excluded(after.map_or("", TaskId::as_str)),
            Bound::Unbounded,
        );
        self.walk(&self.tables.task, range, limit, |_, row| decode(row))
    }

    fn listed(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.in_list(index, after, limit)
    }

    fn claimed_by_request(&self, request_id: &Label) -> Result<Option<TaskId>> {
        self.first_of(&self.tables.task_by_request, request_id)
    }

    fn claimable(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.in_lane(lane, after, limit)
    }

    fn lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<Option<Assignee>>> {
        self.seek_lanes(phase, tenant, after, limit)
    }

    fn waiting(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.tables.task_waiting, None, until, limit)
    }

    fn expired(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.tables.task_by_expiry, None, until, limit)
    }

    fn due(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.tables.task_due, None, until, limit)
    }

    fn collectable(
        &self,
        until: Millis,
        after: Option<(Millis, &TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.by_time(&self.tables.task_collectable, after, until, limit)
    }

    fn count_in_status(&self, status: Status) -> Result<u64> {
        let range = (
            Bound::Included((status.as_str(), "")),
            Bound::Excluded((status.as_str(), LAST)),
        );
        let counts = self.walk(&self.tables.count, range, usize::MAX, |_, tasks| Ok(tasks))?;
        Ok(counts.into_iter().fold(0, u64::saturating_add))
    }

    fn count_of(&self, status: Status, assignee: Option<&Assignee>) -> Result<u64> {
        let key = (status.as_str(), keys::assignee(assignee));
        Ok(self.value(&self.tables.count, key, Ok)?.unwrap_or(0))
    }

    fn counts(&self) -> Result<Vec<StatsRow>> {
        self.all_counts()
    }

    fn oldest_ready(&self) -> Result<Option<Millis>> {
        let all = (Bound::Unbounded, Bound::Unbounded);
        let found = self.walk(&self.tables.task_ready, all, 1, |(at, _), ()| {
            Ok(Millis::new(at))
        })?;
        Ok(found.first().copied())
    }

    fn has_link(&self, link: &Link) -> Result<bool> {
        let key = (link.parent.as_str(), link.child.as_str());
        Ok(self.value(&self.tables.link, key, Ok)?.is_some())
    }

    fn parents(&self, child: &TaskId, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskId>> {
        let range = words_of(child.as_str(), after);
        self.walk(
            &self.tables.link_by_child,
            range,
            limit,
            |(_, parent), ()| id(parent),
        )
    }

    fn children(
        &self,
        parent: &TaskId,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskId>> {
        let range = words_of(parent.as_str(), after);
        self.walk(&self.tables.link, range, limit, |(_, child), ()| id(child))
    }

    fn count_children(&self, parent: &TaskId, at_most: usize) -> Result<usize> {
        let range = words_of(parent.as_str(), None);
        let found = self.walk(&self.tables.link, range, at_most, |_, ()| Ok(()))?;
        Ok(found.len())
    }

    fn links(&self, after: Option<&Link>, limit: usize) -> Result<Vec<Link>> {
        let from = after.map_or(("", ""), |link| (link.parent.as_str(), link.child.as_str()));
        let range = (Bound::Excluded(from), Bound::Unbounded);
        self.walk(&self.tables.link, range, limit, |(parent, child), ()| {
            Ok(Link {
                parent: id(parent)?,
                child: id(child)?,
            })
        })
    }

    fn run(&self, id: RunId) -> Result<Option<Run>> {
        self.row(&self.tables.run, id.get())
    }

    fn runs_of(&self, task: &TaskId, from: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let from = from.map(RunId::get);
        self.rows_of(
            &self.tables.run_of_task,
            &self.tables.run,
            task.as_str(),
            from,
            limit,
        )
    }

    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>> {
        let index = &self.tables.run_summarised;
        let last = self.last_of(index, task)?;
        last.map(|id| self.found(index.name, &self.tables.run, id))
            .transpose()
    }

    fn runs(&self, from: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        self.rows(&self.tables.run, from.map(RunId::get), limit)
    }

    fn events(&self, from: EventId, limit: usize) -> Result<Vec<Event>> {
        self.rows(&self.tables.event, Some(from.get()), limit)
    }

    fn events_of(&self, task: &TaskId, from: EventId, limit: usize) -> Result<Vec<Event>> {
        let tables = &self.tables;
        self.rows_of(
            &tables.event_of_task,
            &tables.event,
            task.as_str(),
            Some(from.get()),
            limit,
        )
    }

    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>> {
        let last = self.last_of(&self.tables.event_of_task, task)?;
        Ok(last.map(EventId::new))
    }

    fn comment(&self, id: CommentId) -> Result<Option<Comment>> {
        self.row(&self.tables.comment, id.get())
    }

    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>> {
        let tables = &self.tables;
        self.by_request(
            &tables.comment_by_request,
            &tables.comment,
            task,
            request_id,
        )
    }

    fn comments_of(
        &self,
        task: &TaskId,
        from: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>> {
        let (tables, from) = (&self.tables, from.map(CommentId::get));
        self.rows_of(
            &tables.comment_of_task,
            &tables.comment,
            task.as_str(),
            from,
            limit,
        )
    }

    fn comments(&self, from: Option<CommentId>, limit: usize) -> Result<Vec<Comment>> {
        self.rows(&self.tables.comment, from.map(CommentId::get), limit)
    }

    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>> {
        self.row(&self.tables.attachment, id.get())
    }

    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>> {
        let tables = &self.tables;
        self.by_request(
            &tables.attachment_by_request,
            &tables.attachment,
            task,
            request_id,
        )
    }

    fn attachments_of(
        &self,
        task: &TaskId,
        from: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>> {
        let (tables, from) = (&self.tables, from.map(AttachmentId::get));
        self.rows_of(
            &tables.attachment_of_task,
            &tables.attachment,
            task.as_str(),
            from,
            limit,
        )
    }

    fn attachments(&self, from: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>> {
        self.rows(&self.tables.attachment, from.map(AttachmentId::get), limit)
    }

    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>> {
        self.row(&self.tables.subscription, id.get())
    }

    fn subscription_at(
        &self,
        scope: &Scope,
        channel: &Label,
        address: &Address,
        thread: Option<&Label>,
    ) -> Result<Option<Subscription>> {
        let (scope, thread) = (keys::scope(scope), keys::thread(thread));
        let place = |id| (scope, channel.as_str(), address.as_str(), thread, id);
        let range = (Bound::Included(place(0)), Bound::Included(place(u64::MAX)));
        let index = &self.tables.subscription_at;
        let found = self.walk(index, range, 1, |(_, _, _, _, id), ()| Ok(id))?;
        let found = found
            .first()
            .map(|id| self.found(index.name, &self.tables.subscription, *id));
        found.transpose()
    }

    fn subscriptions_of(
        &self,
        scope: &Scope,
        from: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let (tables, from) = (&self.tables, from.map(SubscriptionId::get));
        let index = &tables.subscription_of_scope;
        self.rows_of(index, &tables.subscription, keys::scope(scope), from, limit)
    }

    fn subscriptions(
        &self,
        from: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        self.rows(
            &self.tables.subscription,
            from.map(SubscriptionId::get),
            limit,
        )
    }

    fn count_rows(&self) -> Result<u64> {
        let tables = &self.tables;
        let mut rows = tables.task.len()? + tables.link.len()? + tables.run.len()?;
        rows += tables.comment.len()? + tables.attachment.len()?;
        Ok(rows + tables.subscription.len()? + tables.event.len()?)
    }
}

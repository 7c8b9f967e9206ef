//! The questions of the domain, each answered by one table.

mod board;
mod numbered;
mod tasks;

use std::ops::Bound;

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Error, Event,
    EventId, GroupRecord, Label, Lane, LaneHead, Link, ListIndex, ListKey, Millis, Pause,
    PauseTarget, Phase, Policy, PriorityKey, Result, Run, RunId, Scope, StatsRow, Status,
    Subscription, SubscriptionId, Task, TaskId, TextKind, View,
};

pub(crate) use self::board::{Board, GoOn};

use self::board::Bounds;
use crate::keys;
use crate::rows::decode;
use crate::schema::{BOARD_KEY, POLICY_KEY, Source};

/// After every task id, assignee and word: the largest of their bytes is `z`.
const LAST: &str = "~";

/// The second words of a first one, after one.
fn words_of<'k>(word: &'k str, after: Option<&'k TaskId>) -> Bounds<(&'k str, &'k str)> {
    let after = after.map_or("", TaskId::as_str);
    (
        Bound::Excluded((word, after)),
        Bound::Excluded((word, LAST)),
    )
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
    ) -> Result<Vec<LaneHead>> {
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
        self.first(&self.tables.task_ready, all, |(at, _), ()| {
            Ok(Millis::new(at))
        })
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
        self.numbered(id.get())
    }

    fn runs_of(&self, task: &TaskId, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        self.page_of(task.as_str(), after.map(RunId::get), limit)
    }

    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>> {
        let index = &self.tables.run_summarised;
        let last = self.last_of(index, task)?;
        last.map(|id| self.found(index.name, id)).transpose()
    }

    fn runs(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        self.page(after.map(RunId::get), limit)
    }

    fn events(&self, after: EventId, limit: usize) -> Result<Vec<Event>> {
        self.page(Some(after.get()), limit)
    }

    fn events_of(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>> {
        self.page_of(task.as_str(), Some(after.get()), limit)
    }

    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>> {
        let last = self.last_of(&self.tables.event_of_task, task)?;
        Ok(last.map(EventId::new))
    }

    fn comment(&self, id: CommentId) -> Result<Option<Comment>> {
        self.numbered(id.get())
    }

    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>> {
        self.by_request(&self.tables.comment_by_request, task, request_id)
    }

    fn comments_of(
        &self,
        task: &TaskId,
        after: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>> {
        self.page_of(task.as_str(), after.map(CommentId::get), limit)
    }

    fn comments(&self, after: Option<CommentId>, limit: usize) -> Result<Vec<Comment>> {
        self.page(after.map(CommentId::get), limit)
    }

    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>> {
        self.numbered(id.get())
    }

    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>> {
        self.by_request(&self.tables.attachment_by_request, task, request_id)
    }

    fn attachments_of(
        &self,
        task: &TaskId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>> {
        self.page_of(task.as_str(), after.map(AttachmentId::get), limit)
    }

    fn attachments(&self, after: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>> {
        self.page(after.map(AttachmentId::get), limit)
    }

    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>> {
        self.numbered(id.get())
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
        let found = self.first(index, range, |(_, _, _, _, id), ()| Ok(id))?;
        found.map(|id| self.found(index.name, id)).transpose()
    }

    fn subscriptions_of(
        &self,
        scope: &Scope,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        self.page_of(keys::scope(scope), after.map(SubscriptionId::get), limit)
    }

    fn subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        self.page(after.map(SubscriptionId::get), limit)
    }

    fn count_rows(&self) -> Result<u64> {
        let tables = &self.tables;
        let mut rows = tables.task.len()? + tables.link.len()? + tables.run.len()?;
        rows += tables.comment.len()? + tables.attachment.len()?;
        Ok(rows + tables.subscription.len()? + tables.event.len()?)
    }
}

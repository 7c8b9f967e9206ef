//! Every question, answered by looking at every row.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Event, EventId,
    GroupRecord, Label, Link, Millis, Pause, PauseTarget, Phase, Policy, Run, RunId, Scope, Status,
    Subscription, SubscriptionId, Task, TaskId, TextKind,
};
use crate::request::{ListOrder, StatsRow};
use crate::view::{Lane, LaneHead, ListIndex, ListKey, PriorityKey, View};

use super::MemoryBoard;

impl MemoryBoard {
    /// The tasks that an index holds; wrong ones too, if a test made it so.
    fn indexed<'a>(
        &'a self,
        question: &'static str,
        is_in: impl Fn(&Task) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Task> {
        self.tasks
            .values()
            .filter(move |task| is_in(task) != self.twisted.contains(&(question, task.id.clone())))
    }

    /// Tasks with a time up to another, by (time, id).
    fn by_time<'a>(
        &'a self,
        question: &'static str,
        until: Millis,
        time: impl Fn(&Task) -> Option<Millis> + Copy + 'a,
    ) -> Vec<(Option<Millis>, &'a Task)> {
        let mut found: Vec<_> = self
            .indexed(question, move |task| time(task).is_some())
            .map(|task| (time(task), task))
            .filter(|(at, _)| at.is_none_or(|at| at <= until))
            .collect();
        found.sort_by(|(at, task), (other_at, other)| (at, &task.id).cmp(&(other_at, &other.id)));
        found
    }
}

fn cloned<'a, T: Clone + 'a>(rows: impl IntoIterator<Item = &'a T>, limit: usize) -> Vec<T> {
    rows.into_iter().take(limit).cloned().collect()
}

fn first<T>(rows: Vec<(Option<Millis>, &T)>, limit: usize) -> Vec<T>
where
    T: Clone,
{
    cloned(rows.into_iter().map(|(_, row)| row), limit)
}

fn place(order: ListOrder, task: &Task) -> ListKey {
    ListKey {
        priority: task.priority,
        at: match order {
            ListOrder::Updated => task.updated_at,
            ListOrder::Priority | ListOrder::Oldest | ListOrder::Newest => task.created_at,
        },
        id: task.id.clone(),
    }
}

fn compare(order: ListOrder, a: &ListKey, b: &ListKey) -> Ordering {
    match order {
        ListOrder::Priority => {
            (-i64::from(a.priority), a.at, &a.id).cmp(&(-i64::from(b.priority), b.at, &b.id))
        }
        ListOrder::Oldest => (a.at, &a.id).cmp(&(b.at, &b.id)),
        ListOrder::Newest | ListOrder::Updated => (b.at, &b.id).cmp(&(a.at, &a.id)),
    }
}

impl View for MemoryBoard {
    fn board(&self) -> Result<BoardState> {
        Ok(self.state.clone())
    }

    fn policy(&self) -> Result<Policy> {
        Ok(self.limits.clone())
    }

    fn pauses(&self) -> Result<Vec<Pause>> {
        Ok(self.pauses.values().cloned().collect())
    }

    fn pause(&self, target: &PauseTarget) -> Result<Option<Pause>> {
        Ok(self.pauses.get(target).cloned())
    }

    fn group(&self, instance: u64) -> Result<Option<GroupRecord>> {
        Ok(self.groups.get(&instance).copied())
    }

    fn task(&self, id: &TaskId) -> Result<Option<Task>> {
        Ok(self.tasks.get(id).cloned())
    }

    fn text(&self, id: &TaskId, kind: TextKind) -> Result<Option<String>> {
        Ok(self.texts.get(&(id.clone(), kind)).cloned())
    }

    fn task_by_key(&self, key: &Label) -> Result<Option<TaskId>> {
        let has_key = |task: &Task| {
            task.status != Status::Archived && task.idempotency_key.as_ref() == Some(key)
        };
        Ok(self
            .indexed("task_by_key", has_key)
            .next()
            .map(|task| task.id.clone()))
    }

    fn task_ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>> {
        let ids = self
            .tasks
            .keys()
            .filter(|id| id.as_str().starts_with(prefix));
        Ok(cloned(ids, limit))
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<Task>> {
        let later = self
            .tasks
            .values()
            .filter(|task| after.is_none_or(|id| &task.id > id));
        Ok(cloned(later, limit))
    }

    fn listed(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let order = match index {
            ListIndex::All(order) => *order,
            ListIndex::Status(_) | ListIndex::Assignee(_) | ListIndex::Tenant(_) => {
                ListOrder::Priority
            }
        };
        let is_in = |task: &Task| match index {
            ListIndex::All(_) => true,
            ListIndex::Status(status) => task.status == *status,
            ListIndex::Assignee(assignee) => &task.assignee == assignee,
            ListIndex::Tenant(tenant) => task.tenant.as_ref() == Some(tenant),
        };
        let mut found: Vec<(ListKey, &Task)> = self
            .indexed("listed", is_in)
            .map(|task| (place(order, task), task))
            .filter(|(key, _)| after.is_none_or(|after| compare(order, key, after).is_gt()))
            .collect();
        found.sort_by(|(a, _), (b, _)| compare(order, a, b));
        Ok(cloned(found.into_iter().map(|(_, task)| task), limit))
    }

    fn claimed_by_request(&self, request_id: &Label) -> Result<Option<TaskId>> {
        let has_key = |task: &Task| {
            let claim = task.claim.as_ref();
            claim.and_then(|claim| claim.request_id.as_ref()) == Some(request_id)
        };
        Ok(self
            .indexed("claimed_by_request", has_key)
            .next()
            .map(|task| task.id.clone()))
    }

    fn claimable(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let is_in = |task: &Task| {
            task.status == lane.phase.claimable_status()
                && !task.waiting
                && task.assignee == lane.assignee
                && lane
                    .tenant
                    .as_ref()
                    .is_none_or(|tenant| task.tenant.as_ref() == Some(tenant))
        };
        let mut found: Vec<(PriorityKey, &Task)> = self
            .indexed("claimable", is_in)
            .map(|task| (PriorityKey::of(task), task))
            .filter(|(key, _)| after.is_none_or(|after| key > after))
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(cloned(found.into_iter().map(|(_, task)| task), limit))
    }

    fn lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<LaneHead>> {
        let places: BTreeSet<(&Option<Assignee>, PriorityKey)> = self
            .tasks
            .values()
            .filter(|task| task.status == phase.claimable_status() && !task.waiting)
            .filter(|task| tenant.is_none_or(|tenant| task.tenant.as_ref() == Some(tenant)))
            .filter(|task| after.is_none_or(|after| &task.assignee > after))
            .map(|task| (&task.assignee, PriorityKey::of(task)))
            .collect();
        let mut lanes: Vec<LaneHead> = Vec::new();
        for (assignee, first) in places {
            if lanes.last().is_none_or(|last| last.assignee != *assignee) {
                let assignee = assignee.clone();
                lanes.push(LaneHead { assignee, first });
            }
        }
        lanes.truncate(limit);
        Ok(lanes)
    }

    fn waiting(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        let time = |task: &Task| task.not_before.filter(|_| task.waiting);
        Ok(first(self.by_time("waiting", until, time), limit))
    }

    fn expired(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        let time = |task: &Task| task.claim.as_ref().map(|claim| claim.expires_at);
        Ok(first(self.by_time("expired", until, time), limit))
    }

    fn due(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        Ok(first(
            self.by_time("due", until, |task| task.wake_at),
            limit,
        ))
    }

    fn collectable(
        &self,
        until: Millis,
        after: Option<(Millis, &TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let time = |task: &Task| task.settled_at.filter(|_| task.collectable);
        let mut found = self.by_time("collectable", until, time);
        found.retain(|(at, task)| {
            after.is_none_or(|(after, id)| (*at, &task.id) > (Some(after), id))
        });
        Ok(first(found, limit))
    }

    fn count_in_status(&self, status: Status) -> Result<u64> {
        let of_status = self.counts.iter().filter(|((of, _), _)| *of == status);
        Ok(of_status.map(|(_, count)| count).sum())
    }

    fn count_of(&self, status: Status, assignee: Option<&Assignee>) -> Result<u64> {
        let key = (status, assignee.cloned());
        Ok(self.counts.get(&key).copied().unwrap_or(0))
    }

    fn counts(&self) -> Result<Vec<StatsRow>> {
        let rows = self
            .counts
            .iter()
            .map(|((status, assignee), tasks)| StatsRow {
                status: *status,
                assignee: assignee.clone(),
                tasks: *tasks,
            });
        Ok(rows.collect())
    }

    fn oldest_ready(&self) -> Result<Option<Millis>> {
        let ready = self.indexed("oldest_ready", |task| task.status == Status::Ready);
        Ok(ready.map(|task| task.created_at).min())
    }

    fn has_link(&self, link: &Link) -> Result<bool> {
        Ok(self.links.contains(link))
    }

    fn parents(&self, child: &TaskId, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskId>> {
        let parents: BTreeSet<&TaskId> = self
            .links
            .iter()
            .filter(|link| &link.child == child)
            .map(|link| &link.parent)
            .filter(|parent| after.is_none_or(|after| *parent > after))
            .filter(|parent| !self.twisted.contains(&("parents", (*parent).clone())))
            .collect();
        Ok(cloned(parents, limit))
    }

    fn children(
        &self,
        parent: &TaskId,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskId>> {
        let children: BTreeSet<&TaskId> = self
            .links
            .iter()
            .filter(|link| &link.parent == parent)
            .map(|link| &link.child)
            .filter(|child| after.is_none_or(|after| *child > after))
            .filter(|child| !self.twisted.contains(&("children", (*child).clone())))
            .collect();
        Ok(cloned(children, limit))
    }

    fn count_children(&self, parent: &TaskId, at_most: usize) -> Result<usize> {
        Ok(self.children(parent, None, at_most)?.len())
    }

    fn links(&self, after: Option<&Link>, limit: usize) -> Result<Vec<Link>> {
        let later = self
            .links
            .iter()
            .filter(|link| after.is_none_or(|after| *link > after));
        Ok(cloned(later, limit))
    }

    fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(self.runs.get(&id).cloned())
    }

    fn runs_of(&self, task: &TaskId, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let of_task = self.runs.values().filter(|run| &run.task == task);
        Ok(cloned(
            of_task.filter(|run| after.is_none_or(|after| run.id > after)),
            limit,
        ))
    }

    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>> {
        let mut of_task = self.runs.values().filter(|run| &run.task == task).rev();
        Ok(of_task.find(|run| run.summary.is_some()).cloned())
    }

    fn runs(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let later = self
            .runs
            .values()
            .filter(|run| after.is_none_or(|after| run.id > after));
        Ok(cloned(later, limit))
    }

    fn events(&self, after: EventId, limit: usize) -> Result<Vec<Event>> {
        Ok(cloned(
            self.events.values().filter(|event| event.id > after),
            limit,
        ))
    }

    fn events_of(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>> {
        let of_task = self
            .events
            .values()
            .filter(|event| event.task.as_ref() == Some(task));
        Ok(cloned(of_task.filter(|event| event.id > after), limit))
    }

    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>> {
        let mut of_task = self.events.values().rev();
        let last = of_task.find(|event| event.task.as_ref() == Some(task));
        Ok(last.map(|event| event.id))
    }

    fn comment(&self, id: CommentId) -> Result<Option<Comment>> {
        Ok(self.comments.get(&id).cloned())
    }

    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>> {
        let mut of_task = self
            .comments
            .values()
            .filter(|comment| &comment.task == task);
        Ok(of_task
            .find(|comment| comment.request_id.as_ref() == Some(request_id))
            .cloned())
    }

    fn comments_of(
        &self,
        task: &TaskId,
        after: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>> {
        let of_task = self.comments.values().filter(|row| &row.task == task);
        Ok(cloned(
            of_task.filter(|row| after.is_none_or(|after| row.id > after)),
            limit,
        ))
    }

    fn comments(&self, after: Option<CommentId>, limit: usize) -> Result<Vec<Comment>> {
        let later = self
            .comments
            .values()
            .filter(|row| after.is_none_or(|after| row.id > after));
        Ok(cloned(later, limit))
    }

    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>> {
        Ok(self.attachments.get(&id).cloned())
    }

    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>> {
        let mut of_task = self.attachments.values().filter(|row| &row.task == task);
        Ok(of_task
            .find(|row| row.request_id.as_ref() == Some(request_id))
            .cloned())
    }

    fn attachments_of(
        &self,
        task: &TaskId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>> {
        let of_task = self.attachments.values().filter(|row| &row.task == task);
        Ok(cloned(
            of_task.filter(|row| after.is_none_or(|after| row.id > after)),
            limit,
        ))
    }

    fn attachments(&self, after: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>> {
        let rows = self.attachments.values();
        Ok(cloned(
            rows.filter(|row| after.is_none_or(|after| row.id > after)),
            limit,
        ))
    }

    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>> {
        Ok(self.subscriptions.get(&id).cloned())
    }

    fn subscription_at(
        &self,
        scope: &Scope,
        channel: &Label,
        address: &Address,
        thread: Option<&Label>,
    ) -> Result<Option<Subscription>> {
        let place = (scope, channel, address, thread);
        let mut all = self.subscriptions.values();
        let found =
            all.find(|row| (&row.scope, &row.channel, &row.address, row.thread.as_ref()) == place);
        Ok(found.cloned())
    }

    fn subscriptions_of(
        &self,
        scope: &Scope,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let of_scope = self
            .subscriptions
            .values()
            .filter(|row| &row.scope == scope);
        Ok(cloned(
            of_scope.filter(|row| after.is_none_or(|after| row.id > after)),
            limit,
        ))
    }

    fn subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let rows = self.subscriptions.values();
        Ok(cloned(
            rows.filter(|row| after.is_none_or(|after| row.id > after)),
            limit,
        ))
    }

    fn count_rows(&self) -> Result<u64> {
        let mut rows = self.tasks.len() + self.links.len() + self.runs.len();
        rows += self.comments.len() + self.attachments.len();
        Ok((rows + self.subscriptions.len() + self.events.len()) as u64)
    }
}

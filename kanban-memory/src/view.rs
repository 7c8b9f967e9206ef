//! The questions of the domain, each answered by one index.

mod tasks;

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Error, ErrorKind,
    Event, EventId, GroupRecord, Label, Lane, LaneHead, Link, ListIndex, ListKey, Millis, Pause,
    PauseTarget, Phase, Policy, PriorityKey, Result, Run, RunId, Scope, StatsRow, Status,
    Subscription, SubscriptionId, Task, TaskId, TextKind, View,
};

use crate::schema::{Groups, Map, Tables};

/// All places after one, or all there are.
fn beyond<K>(after: Option<K>) -> (Bound<K>, Bound<K>) {
    (after.map_or(Unbounded, Excluded), Unbounded)
}

/// The rows that an index names.
fn rows<'k, K, R>(
    table: &Map<K, R>,
    keys: impl Iterator<Item = &'k K>,
    limit: usize,
) -> Result<Vec<R>>
where
    K: Ord + 'k,
    R: Clone,
{
    keys.take(limit).map(|key| row(table, key)).collect()
}

/// The row that an index names.
fn row<K: Ord, R: Clone>(table: &Map<K, R>, key: &K) -> Result<R> {
    let row = table.get(key).cloned();
    row.ok_or_else(|| {
        Error::new(
            ErrorKind::Internal,
            "an index names a row that is not there",
        )
    })
}

/// The rows of a group after one, by their keys.
fn grouped<G, K, R>(
    table: &Map<K, R>,
    groups: &Groups<G, K>,
    group: &G,
    after: Option<K>,
    limit: usize,
) -> Result<Vec<R>>
where
    G: Ord,
    K: Ord + Clone,
    R: Clone,
{
    match groups.get(group) {
        Some(keys) => rows(table, keys.range(beyond(after)), limit),
        None => Ok(Vec::new()),
    }
}

/// All rows after one, by their keys.
fn walk<K: Ord, R: Clone>(table: &Map<K, R>, after: Option<K>, limit: usize) -> Vec<R> {
    let rows = table.range(beyond(after)).map(|(_, row)| row);
    rows.take(limit).cloned().collect()
}

/// The keys of a group after one.
fn keys<G, K>(groups: &Groups<G, K>, group: &G, after: Option<&K>, limit: usize) -> Vec<K>
where
    G: Ord,
    K: Ord + Clone,
{
    let Some(keys) = groups.get(group) else {
        return Vec::new();
    };
    let later = keys.range(beyond(after.cloned()));
    later.take(limit).cloned().collect()
}

impl View for Tables {
    fn board(&self) -> Result<BoardState> {
        Ok(self.board.clone())
    }

    fn policy(&self) -> Result<Policy> {
        Ok(self.policy.clone())
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
        let texts = self.texts.get(id);
        Ok(texts.and_then(|texts| Some(texts.get(&kind)?.to_string())))
    }

    fn task_by_key(&self, key: &Label) -> Result<Option<TaskId>> {
        Ok(self.indexes.by_key.get(key).cloned())
    }

    fn task_ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>> {
        let from = match TaskId::new(prefix) {
            Ok(first) => Included(first),
            Err(_) if prefix.is_empty() => Unbounded,
            // No id begins with what no id can hold.
            Err(_) => return Ok(Vec::new()),
        };
        let ids = self.tasks.range((from, Unbounded)).map(|(id, _)| id);
        let ids = ids.take_while(|id| id.as_str().starts_with(prefix));
        Ok(ids.take(limit).cloned().collect())
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<Task>> {
        Ok(walk(&self.tasks, after.cloned(), limit))
    }

    fn listed(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.tasks_listed(index, after, limit)
    }

    fn claimed_by_request(&self, request_id: &Label) -> Result<Option<TaskId>> {
        Ok(self.indexes.by_request.get(request_id).cloned())
    }

    fn claimable(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let key = (lane.phase, lane.tenant.clone(), lane.assignee.clone());
        self.by_priority(self.indexes.lanes.get(&key), after.cloned(), limit)
    }

    fn lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<LaneHead>> {
        // Nobody comes before everybody.
        let from = match after {
            Some(after) => Excluded((phase, tenant.cloned(), after.clone())),
            None => Included((phase, tenant.cloned(), None)),
        };
        let lanes = self.indexes.lanes.range((from, Unbounded));
        let lanes = lanes.take_while(|(lane, _)| (lane.0, lane.1.as_ref()) == (phase, tenant));
        let heads = lanes.filter_map(|(lane, tasks)| {
            Some(LaneHead {
                assignee: lane.2.clone(),
                first: tasks.first()?.clone(),
            })
        });
        Ok(heads.take(limit).collect())
    }

    fn waiting(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.indexes.waiting, until, None, limit)
    }

    fn expired(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.indexes.claims, until, None, limit)
    }

    fn due(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.by_time(&self.indexes.due, until, None, limit)
    }

    fn collectable(
        &self,
        until: Millis,
        after: Option<(Millis, &TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let after = after.map(|(at, id)| (at, id.clone()));
        self.by_time(&self.indexes.collectable, until, after, limit)
    }

    fn count_in_status(&self, status: Status) -> Result<u64> {
        let counts = self.counts.range((Included((status, None)), Unbounded));
        let counts = counts.take_while(|((of, _), _)| *of == status);
        Ok(counts.map(|(_, count)| count).sum())
    }

    fn count_of(&self, status: Status, assignee: Option<&Assignee>) -> Result<u64> {
        let count = self.counts.get(&(status, assignee.cloned()));
        Ok(count.copied().unwrap_or(0))
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
        Ok(self
            .indexes
            .ready
            .first()
            .map(|(created_at, _)| *created_at))
    }

    fn has_link(&self, link: &Link) -> Result<bool> {
        Ok(self.links.contains(link))
    }

    fn parents(&self, child: &TaskId, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskId>> {
        Ok(keys(&self.parents_of, child, after, limit))
    }

    fn children(
        &self,
        parent: &TaskId,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskId>> {
        Ok(keys(&self.children_of, parent, after, limit))
    }

    fn count_children(&self, parent: &TaskId, at_most: usize) -> Result<usize> {
        let children = self.children_of.get(parent);
        Ok(children.map_or(0, |children| children.size().min(at_most)))
    }

    fn links(&self, after: Option<&Link>, limit: usize) -> Result<Vec<Link>> {
        let later = self.links.range(beyond(after.cloned()));
        Ok(later.take(limit).cloned().collect())
    }

    fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(self.runs.get(&id).cloned())
    }

    fn runs_of(&self, task: &TaskId, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        grouped(&self.runs, &self.runs_of, task, after, limit)
    }

    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>> {
        let last = self.summarised_of.get(task).and_then(|runs| runs.last());
        last.map(|id| row(&self.runs, id)).transpose()
    }

    fn runs(&self, after: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        Ok(walk(&self.runs, after, limit))
    }

    fn events(&self, after: EventId, limit: usize) -> Result<Vec<Event>> {
        Ok(walk(&self.events, Some(after), limit))
    }

    fn events_of(&self, task: &TaskId, after: EventId, limit: usize) -> Result<Vec<Event>> {
        grouped(&self.events, &self.events_of, task, Some(after), limit)
    }

    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>> {
        let events = self.events_of.get(task);
        Ok(events.and_then(|events| events.last()).copied())
    }

    fn comment(&self, id: CommentId) -> Result<Option<Comment>> {
        Ok(self.comments.get(&id).cloned())
    }

    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>> {
        let key = (task.clone(), request_id.clone());
        let id = self.comment_by_request.get(&key);
        id.map(|id| row(&self.comments, id)).transpose()
    }

    fn comments_of(
        &self,
        task: &TaskId,
        after: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>> {
        grouped(&self.comments, &self.comments_of, task, after, limit)
    }

    fn comments(&self, after: Option<CommentId>, limit: usize) -> Result<Vec<Comment>> {
        Ok(walk(&self.comments, after, limit))
    }

    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>> {
        Ok(self.attachments.get(&id).cloned())
    }

    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>> {
        let key = (task.clone(), request_id.clone());
        let id = self.attachment_by_request.get(&key);
        id.map(|id| row(&self.attachments, id)).transpose()
    }

    fn attachments_of(
        &self,
        task: &TaskId,
        after: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>> {
        grouped(&self.attachments, &self.attachments_of, task, after, limit)
    }

    fn attachments(&self, after: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>> {
        Ok(walk(&self.attachments, after, limit))
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
        let place = (
            scope.clone(),
            channel.clone(),
            address.clone(),
            thread.cloned(),
        );
        let id = self.subscription_at.get(&place);
        id.map(|id| row(&self.subscriptions, id)).transpose()
    }

    fn subscriptions_of(
        &self,
        scope: &Scope,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let of_scope = &self.subscriptions_of;
        grouped(&self.subscriptions, of_scope, scope, after, limit)
    }

    fn subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        Ok(walk(&self.subscriptions, after, limit))
    }

    fn count_rows(&self) -> Result<u64> {
        let mut rows = self.tasks.size() + self.links.size() + self.runs.size();
        rows += self.comments.size() + self.attachments.size();
        Ok((rows + self.subscriptions.size() + self.events.size()) as u64)
    }
}
